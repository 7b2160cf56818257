// The log of the open conversation. What the reader looks at stays where it is, whatever comes before or after it.

import { unlessLost } from "./connection.js";
import { el, icon, ICONS } from "./dom.js";
import { loadEarlier } from "./history.js";
import { itemsOf } from "./log_items.js";
import { plain } from "./message_text.js";
import { titleOf } from "./sidebar.js";
import { say } from "./words.js";

// So near to the end the log follows what comes; so near to the beginning it loads more. In pixels.
const NEAR_END = 60;
const NEAR_BEGINNING = 400;
// Messages are read out one by one, unless more than this many come within the time.
const ANNOUNCED_AT_ONCE = 2;
const ANNOUNCING = 2_000;

export class Log {
  #client;
  #shown = new Map();
  // The conversation whose earlier messages are on their way.
  #loading = null;
  #ruler = null;
  #below = 0;
  #heard = [];
  #announcing = null;
  conversation = null;

  constructor(client, { onread, signal }) {
    this.#client = client;
    this.onread = onread;
    this.items = el("div", { class: "items" });
    this.top = el("p", { class: "top" });
    this.scroller = el(
      "div",
      { class: "log", role: "log", "aria-live": "off", "aria-label": say("messages"), tabindex: "0" },
      this.top,
      this.items,
    );
    const toNewest = { type: "button", class: "to-newest", hidden: true, title: say("toNewest"), onclick: () => this.toEnd() };
    this.newest = el("button", toNewest);
    this.announcer = el("div", { class: "visually-hidden", "aria-live": "polite" });
    this.element = el("div", { class: "log-frame" }, this.scroller, this.newest, this.announcer);
    this.scroller.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.#keepEnd()).observe(this.scroller);
    addEventListener("focus", () => this.#readIfSeen(), { signal });
  }

  async show(conversation) {
    this.conversation = conversation;
    this.#shown.clear();
    this.items.replaceChildren();
    this.#below = 0;
    this.#ruler = conversation.unread ? conversation.mark : null;
    this.#fill(true);
    if (!conversation.isLoaded) await this.#loadEarlier();
    if (this.conversation !== conversation) return;
    this.#toRulerOrEnd();
    this.#readIfSeen();
  }

  // Something of the open conversation changed.
  update() {
    this.#fill(this.#isAtEnd());
    this.#readIfSeen();
  }

  // A message came while the conversation is open.
  arrived(message) {
    const isOwn = this.#client.conversations.isOwn(message);
    const isSeen = this.#isAtEnd() && document.hasFocus();
    if (!isOwn && !document.hasFocus() && this.conversation.unread === 1) this.#ruler = this.conversation.mark;
    if (!isOwn && !isSeen && !this.#isAtEnd()) this.#below += 1;
    this.update();
    if (!isOwn) this.#announce(message);
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#scrolled();
  }

  scrollByPage(direction) {
    this.scroller.scrollBy({ top: direction * this.scroller.clientHeight * 0.8 });
  }

  #fill(atEnd) {
    const anchor = atEnd ? null : this.#anchor();
    const items = itemsOf(this.conversation, { client: this.#client, ruler: this.#ruler, outbox: this.#client.outbox });
    const keys = new Set(items.map(({ key }) => key));
    for (const [key, element] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let next = this.items.firstChild;
    for (const { key, build, isContinued } of items) {
      const element = this.#shown.get(key) ?? build();
      this.#shown.set(key, element);
      element.classList.toggle("continued", Boolean(isContinued));
      if (element === next) next = next.nextSibling;
      else this.items.insertBefore(element, next);
    }
    this.#describeTop(items.length);
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
    else if (anchor?.element.isConnected) this.scroller.scrollTop += anchor.element.offsetTop - anchor.top;
    this.#showBelow();
  }

  #describeTop(count) {
    const isComplete = this.conversation.before === null;
    if (!isComplete) this.top.textContent = this.#loading === this.conversation ? say("loading") : "";
    else this.top.textContent = count ? say("beginning") : say("empty");
  }

  // The message at the upper edge, and where it stands. A day or the ruler would move to before what comes.
  #anchor() {
    const edge = this.scroller.scrollTop;
    const elements = this.items.children;
    let low = 0;
    let high = elements.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (elements[middle].offsetTop + elements[middle].offsetHeight <= edge) low = middle + 1;
      else high = middle;
    }
    while (elements[low] && !elements[low].matches(".message")) low += 1;
    return elements[low] ? { element: elements[low], top: elements[low].offsetTop } : null;
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #scrolled() {
    this.wasAtEnd = this.#isAtEnd();
    if (this.wasAtEnd) {
      this.#below = 0;
      this.#readIfSeen();
    }
    this.#showBelow();
    if (this.scroller.scrollTop < NEAR_BEGINNING) this.#loadEarlier();
  }

  #keepEnd() {
    if (this.wasAtEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  async #loadEarlier() {
    const { conversation } = this;
    if (!conversation || this.#loading === conversation || conversation.before === null || !this.#client.isReady) return;
    this.#loading = conversation;
    this.#describeTop(this.#shown.size);
    await loadEarlier(this.#client, conversation).catch(unlessLost);
    if (this.#loading === conversation) this.#loading = null;
    if (this.conversation === conversation) this.#fill(this.#isAtEnd() && !this.#shown.size);
  }

  #toRulerOrEnd() {
    const ruler = this.#shown.get("ruler");
    this.scroller.scrollTop = ruler ? ruler.offsetTop - this.scroller.clientHeight / 3 : this.scroller.scrollHeight;
    this.#scrolled();
  }

  #showBelow() {
    const isAtEnd = this.#isAtEnd();
    this.newest.hidden = isAtEnd;
    const count = this.#below ? say("newBelow", this.#below) : "";
    this.newest.replaceChildren(count, icon(ICONS.down), el("span", { class: "visually-hidden" }, say("toNewest")));
    this.newest.classList.toggle("has-new", this.#below > 0);
  }

  #readIfSeen() {
    if (!this.conversation || !document.hasFocus() || !this.#isAtEnd()) return;
    if (this.#client.marks.markRead(this.conversation)) this.onread();
  }

  #announce(message) {
    this.#heard.push(`${titleOf(this.#client, message.from)}: ${plain(message.msg)}`);
    this.#announcing ??= setTimeout(() => {
      const heard = this.#heard;
      this.#heard = [];
      this.#announcing = null;
      const isFlood = heard.length > ANNOUNCED_AT_ONCE;
      this.announcer.textContent = isFlood ? say("announced", heard.length) : heard.join(". ");
    }, ANNOUNCING / 4);
  }
}

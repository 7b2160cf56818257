// The line above everything: that there is no connection, or that the server asks for patience, and when it goes on.

import { button, el } from "./dom.js";
import { countdown } from "./patience.js";
import { reasonOf, say } from "./words.js";

export class Banner {
  #hiding = null;

  constructor(retryNow) {
    this.retryNow = retryNow;
    // Read out once; the countdown is only seen.
    this.announcement = el("span", { class: "visually-hidden", role: "status" });
    this.content = el("div", { class: "banner", hidden: true });
    this.element = el("div", {}, this.announcement, this.content);
  }

  lost({ until, farewell }) {
    const reason = farewell ? reasonOf(farewell) : say("noConnection");
    const now = button(say("now"), this.retryNow);
    this.#show("lost", reason, countdown(until, (rest) => say("nextTry", rest)), now);
  }

  waiting({ time, reply }) {
    const reason = reasonOf(reply);
    this.#show("waiting", reason, countdown(time, (rest) => say("againIn", rest)));
    this.#hiding = setTimeout(() => this.hide(), time - Date.now());
  }

  hide() {
    clearTimeout(this.#hiding);
    this.content.hidden = true;
    this.announcement.textContent = "";
  }

  #show(kind, reason, ...rest) {
    clearTimeout(this.#hiding);
    this.content.className = `banner ${kind}`;
    this.content.replaceChildren(el("span", {}, reason), ...rest);
    this.content.hidden = false;
    this.announcement.textContent = reason;
  }
}

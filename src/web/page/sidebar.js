// The list of conversations, the newest first, and of the people who are online.

import { EVERYONE, isServer } from "./conversations.js";
import { avatar, el, iconButton } from "./dom.js";
import { plain } from "./message_text.js";
import { brief, say } from "./words.js";

// People beyond this number are found with the switcher.
const PEOPLE = 100;

export class Sidebar {
  #client;
  #actions;
  #rows = new Map();

  constructor(client, actions) {
    this.#client = client;
    this.#actions = actions;
    this.list = el("ul", { "aria-label": say("conversations") });
    this.people = el("ul", { "aria-label": say("onlineNow") });
    this.peopleTitle = el("h2", {}, say("onlineNow"));
    this.me = el("div", { class: "me" });
    this.element = el(
      "nav",
      { class: "sidebar", "aria-label": say("conversations") },
      el(
        "header",
        {},
        el("h1", {}, "kabar"),
        iconButton("search", `${say("find")} (Ctrl+K)`, actions.find),
        iconButton("plus", say("newConversation"), actions.create),
      ),
      el("div", { class: "lists" }, this.list, this.peopleTitle, this.people),
      this.me,
    );
  }

  // Rows stay the same elements, so that the focus stays where it is.
  update(open) {
    const conversations = this.#visible();
    const names = new Set(conversations.map(({ name }) => name.toLowerCase()));
    const strangers = this.#client.onlineNames.filter((name) => this.#isStranger(name, names)).slice(0, PEOPLE);
    const used = new Set();
    this.#arrange(this.list, conversations.map((conversation) => this.#row(conversation.name, conversation, open)), used);
    this.#arrange(this.people, strangers.map((name) => this.#row(name, null, open)), used);
    for (const key of [...this.#rows.keys()].filter((key) => !used.has(key))) this.#rows.delete(key);
    this.peopleTitle.hidden = strangers.length === 0;
    this.#showMe();
  }

  #isStranger(name, known) {
    return !known.has(name.toLowerCase()) && name.toLowerCase() !== this.#client.me.user.toLowerCase();
  }

  // The names in the order of the list.
  order() {
    return this.#visible().map(({ name }) => name);
  }

  #visible() {
    const isShown = (conversation) => !conversation.isGroup || this.#client.groups.has(conversation.title) || conversation.newest;
    return this.#client.conversations.sorted().filter(isShown);
  }

  #arrange(list, rows, used) {
    rows.forEach((row, place) => {
      used.add(row.dataset.key);
      if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
    });
    while (list.children.length > rows.length) list.lastChild.remove();
  }

  #row(name, conversation, open) {
    const key = name.toLowerCase();
    let row = this.#rows.get(key);
    if (!row) {
      const link = el("button", { type: "button", onclick: () => this.#actions.open(name) });
      row = el("li", { "data-key": key }, link);
      this.#rows.set(key, row);
    }
    const link = row.firstChild;
    link.setAttribute("aria-current", String(open?.name.toLowerCase() === key));
    const facts = this.#factsOf(name, conversation);
    const stamp = JSON.stringify(facts);
    if (link.dataset.stamp !== stamp) {
      link.dataset.stamp = stamp;
      link.replaceChildren(...partsOf(facts));
      link.classList.toggle("has-unread", facts.unread > 0);
    }
    return row;
  }

  // Everything that a row shows: it is built anew only if that has changed.
  #factsOf(name, conversation) {
    const newest = conversation?.newest;
    return {
      name,
      title: titleOf(this.#client, name),
      isOnline: this.#client.online.has(name.toLowerCase()),
      time: newest ? brief(newest.time) : null,
      preview: newest ? this.#preview(newest) : null,
      unread: conversation?.unread ?? 0,
    };
  }

  #preview(message) {
    const isOwn = this.#client.conversations.isOwn(message);
    const author = isOwn ? `${say("you")}: ` : message.kind === "direct" ? "" : `${titleOf(this.#client, message.from)}: `;
    return author + plain(message.msg).slice(0, 120);
  }

  #showMe() {
    const { user, full_name: fullName } = this.#client.me;
    this.me.replaceChildren(
      avatar(user),
      el("span", { class: "title" }, plain(fullName || user)),
      iconButton("settings", say("settings"), this.#actions.settings),
    );
  }
}

function partsOf({ name, title, isOnline, time, preview, unread }) {
  const isRoom = name === EVERYONE || name.startsWith("group:");
  const mark = name === EVERYONE ? "∗" : isRoom ? "#" : [...title][0]?.toUpperCase();
  return [
    avatar(name, mark, isRoom),
    isOnline ? el("span", { class: "dot" }, el("span", { class: "visually-hidden" }, `(${say("online")}) `)) : null,
    el("span", { class: "title" }, title),
    time ? el("time", {}, time) : null,
    preview ? el("span", { class: "preview" }, preview) : null,
    unread ? badge(unread) : null,
  ].filter((part) => part !== null);
}

function badge(count) {
  const hidden = el("span", { class: "visually-hidden" }, ` ${say("unread", count)}`);
  return el("span", { class: "badge" }, el("span", { "aria-hidden": "true" }, count > 99 ? "99+" : String(count)), hidden);
}

// What a conversation is called for people.
export function titleOf(client, name) {
  if (name === EVERYONE) return say("everyone");
  if (isServer(name)) return say("server");
  if (name.startsWith("group:")) return name.slice("group:".length);
  const [user, realm] = name.split("@");
  const fullName = plain(client.conversations.fullName(name));
  if (!realm) return fullName;
  return fullName === name || fullName === user ? name : `${fullName} @${realm}`;
}

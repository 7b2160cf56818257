// The page of somebody who is logged in: the list on one side, the open conversation on the other.

import { createDialog, findPerson } from "./actions.js";
import { Composer } from "./composer.js";
import { unlessLost } from "./connection.js";
import { EVERYONE } from "./conversations.js";
import { detailsDialog } from "./details.js";
import { el, iconButton } from "./dom.js";
import { Log } from "./log.js";
import { notify, showCount } from "./notifications.js";
import { settingsDialog } from "./settings.js";
import { Sidebar, titleOf } from "./sidebar.js";
import { openSwitcher } from "./switcher.js";
import { say } from "./words.js";

// In milliseconds.
const UPDATE = 30;

export class Shell {
  #client;
  #listeners = new AbortController();
  #updating = null;

  constructor(client) {
    this.#client = client;
    const open = (name) => this.open(name);
    this.sidebar = new Sidebar(client, {
      open,
      find: () => this.#find(),
      create: () => createDialog(client, open),
      settings: () => settingsDialog(client),
    });
    this.log = new Log(client, { onread: () => this.#updateList(), signal: this.#listeners.signal });
    this.composer = new Composer(client);
    this.title = el("h2", { tabindex: "-1" });
    this.state = el("p", { class: "state" });
    this.details = iconButton("more", say("details"), () => detailsDialog(client, this.log.conversation, open));
    const head = el(
      "header",
      { class: "conversation-head" },
      iconButton("menu", say("menu"), () => this.toggleDrawer(true), { class: "icon menu" }),
      el("div", { class: "heading" }, this.title, this.state),
      this.details,
    );
    this.main = el("main", { class: "conversation" }, head, this.log.element, this.composer.element);
    this.curtain = el("div", { class: "curtain", onclick: () => this.toggleDrawer(false) });
    this.element = el("div", { class: "shell" }, this.sidebar.element, this.curtain, this.main);
    this.#listen();
    this.sidebar.update(null);
    this.open(this.sidebar.order()[0] ?? EVERYONE, { keepDrawer: true });
  }

  #listen() {
    const { signal } = this.#listeners;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(this.#client, "message", ({ detail }) => this.#arrived(detail));
    for (const name of ["presence", "groups", "change"]) on(this.#client, name, () => this.#changed());
    on(this.#client, "groups", ({ detail }) => detail === this.log.conversation.title && this.#countMembers());
    on(this.#client, "reset", () => this.log.show(this.log.conversation));
    on(this.#client.outbox, "change", ({ detail }) => this.#outboxChanged(detail));
    on(document, "keydown", (event) => this.#key(event));
    on(window, "focus", () => this.#updateList());
  }

  // The session is over.
  close() {
    clearTimeout(this.#updating);
    this.#listeners.abort();
    showCount(0);
  }

  open(name, { keepDrawer = false } = {}) {
    const conversation = this.#client.conversations.open(name);
    const isOther = conversation !== this.log.conversation;
    if (isOther) {
      this.composer.show(conversation, titleOf(this.#client, name));
      this.log.show(conversation);
      this.#countMembers();
    }
    this.#changed();
    if (keepDrawer) return;
    this.toggleDrawer(false);
    this.composer.focus();
  }

  // The line is back, and everything that was missed has come or comes.
  ready() {
    this.#changed();
    this.log.update();
    if (!this.log.conversation.isLoaded) this.log.show(this.log.conversation);
  }

  #countMembers() {
    const { isGroup, title, realm } = this.log.conversation;
    if (isGroup && !realm && this.#client.isReady) this.#client.countMembers(title).catch(unlessLost);
  }

  #find() {
    openSwitcher(this.#client, { open: (name) => this.open(name), findPerson: (name) => findPerson(this.#client, name) });
  }

  toggleDrawer(isOpen) {
    this.element.classList.toggle("drawer-open", isOpen);
    if (isOpen) this.sidebar.element.querySelector("[aria-current=true], button")?.focus();
  }

  #arrived({ conversation, message }) {
    if (conversation === this.log.conversation) this.log.arrived(message);
    else if (conversation.name.toLowerCase() === this.log.conversation.name.toLowerCase()) this.log.update();
    if (!this.#client.conversations.isOwn(message)) {
      notify(titleOf(this.#client, conversation.name), message, () => this.open(conversation.name));
    }
    // The message may have brought a full name.
    this.#changed();
  }

  #outboxChanged(name) {
    if (name.toLowerCase() === this.log.conversation.name.toLowerCase()) this.log.update();
  }

  #changed() {
    const conversation = this.#current();

    this.title.textContent = titleOf(this.#client, conversation.name);
    this.state.textContent = stateOf(this.#client, conversation);
    this.details.hidden = conversation.name === EVERYONE || conversation.isServer;
    this.composer.element.hidden = conversation.isServer;
    this.#updateList();
  }

  // The open conversation. If its group ended, one of the same name is another.
  #current() {
    const { conversation } = this.log;
    const current = this.#client.conversations.open(conversation.name);
    if (current !== conversation) this.log.show(current);
    return current;
  }

  // What comes at once is shown at once: a flood of messages arranges the list a few times a second.
  #updateList() {
    this.#updating ??= setTimeout(() => {
      this.#updating = null;
      this.sidebar.update(this.log.conversation);
      showCount(this.#client.marks.total());
    }, UPDATE);
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog")) this.#find();
    } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#step(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Escape" && !document.querySelector("dialog")) {
      this.toggleDrawer(false);
      this.composer.focus();
    } else if ((event.key === "PageUp" || event.key === "PageDown") && event.target === this.composer.text) {
      event.preventDefault();
      this.log.scrollByPage(event.key === "PageUp" ? -1 : 1);
    }
  }

  #step(direction) {
    const names = this.sidebar.order();
    const place = names.findIndex((name) => name.toLowerCase() === this.log.conversation.name.toLowerCase());
    const next = names[(place + direction + names.length) % names.length];
    if (next) this.open(next);
  }
}

function stateOf(client, conversation) {
  if (conversation.name === EVERYONE) return say("everyoneHint");
  if (conversation.isServer) return say("serverHint");
  if (conversation.isGroup) {
    const isMember = client.groups.has(conversation.title) || conversation.realm;
    if (!isMember) return say("notMember");
    const count = client.memberCounts.get(conversation.title);
    return count === 1 ? say("oneMember") : count ? say("memberCount", count) : say("group");
  }
  const states = [];
  if (client.blocked.has(conversation.name.toLowerCase())) states.push(say("blockedState"));
  if (!conversation.realm) states.push(say(client.online.has(conversation.name.toLowerCase()) ? "online" : "offlineState"));
  return [conversation.name, ...states].join(" · ");
}

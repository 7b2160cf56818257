// A session on the server: logging in, catching up after a broken line, and what comes live.

import { Connection, LineLost } from "./connection.js";
import { Conversations } from "./conversations.js";
import { Outbox } from "./outbox.js";
import * as storage from "./storage.js";
import { Unread } from "./unread.js";

const TOPICS = "presence group inbox";
// Messages that a new page asks for to find the conversations of the last days.
const RECENT = 400;

// Events: ready, lost, out, message, change, groups, presence.
export class Client extends EventTarget {
  #connection;
  #attempt = 0;
  isReady = false;
  me = null;
  online = new Set();
  groups = new Set();
  blocked = new Set();

  constructor(url) {
    super();
    this.#connection = new Connection(url);
    this.#connection.addEventListener("open", () => this.#opened());
    this.#connection.addEventListener("lost", ({ detail }) => this.#lost(detail));
    this.#connection.addEventListener("push", ({ detail }) => this.#pushed(detail));
  }

  start() {
    this.#connection.start();
  }

  retryNow() {
    this.#connection.retryNow();
  }

  get isConnected() {
    return this.#connection.isOpen;
  }

  request(line) {
    return this.#connection.request(line);
  }

  // Logs in or registers. Returns the reply; the session begins if that is OK.
  async enter(line, remember) {
    const reply = await this.request(line);
    if (reply.status === "OK") {
      storage.keepToken(reply.tokenid, remember);
      await this.#begin();
    }
    return reply;
  }

  async logOut() {
    const user = this.me.user;
    await this.request("logout");
    storage.forgetUser(user);
    this.end();
  }

  // The session is over, here or elsewhere.
  end() {
    storage.forgetToken();
    this.isReady = false;
    this.me = null;
    this.dispatchEvent(new Event("out"));
  }

  // Asks for something that needs the session, and notices if that has ended.
  async ask(line) {
    const reply = await this.request(line);
    if (reply.code === "no_session" && this.me) this.end();
    return reply;
  }

  // The list that a command answers with; empty if it fails.
  async list(command) {
    const reply = await this.request(command);
    return reply.status === "OK" && Array.isArray(reply.data) ? reply.data : [];
  }

  // A message that was sent from here: the server pushes it to other devices only.
  addOwn(item, { id, time, delivered }) {
    const isGroup = item.to.startsWith("group:");
    const to = isGroup ? item.to.slice("group:".length) : item.to;
    const kind = item.to === "*" ? "broadcast" : isGroup ? "group" : "direct";
    const { user, full_name: fullName } = this.me;
    this.#add({ from: user, msg_from: fullName || user, to, msg: item.text, kind, id, time, delivered });
  }

  async #opened() {
    if (!storage.token()) return this.dispatchEvent(new Event("out"));
    try {
      await this.#begin();
    } catch (error) {
      if (!(error instanceof LineLost)) throw error;
    }
  }

  async #begin() {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const who = await this.request(`whoami ${storage.token()}`);
    if (who.status !== "OK") return who.code === "no_session" ? this.end() : undefined;
    if (this.me?.user !== who.data.user) this.#newUser(who.data.user);
    this.me = who.data;
    const { lastId } = this.conversations;
    await this.request(lastId ? `subscribe ${lastId} ${TOPICS}` : `subscribe ${TOPICS}`);
    if (!lastId) await this.#loadRecent();
    const [online, groups, blocked] = await Promise.all(["online", "groups", "blocks"].map((word) => this.list(word)));
    if (attempt !== this.#attempt) return;
    this.online = new Set(online.map((name) => name.toLowerCase()));
    this.onlineNames = online;
    this.groups = new Set(groups);
    this.blocked = new Set(blocked.map((name) => name.toLowerCase()));
    for (const group of groups) this.conversations.open(`group:${group}`);
    this.isReady = true;
    this.#connection.settled();
    this.dispatchEvent(new Event("ready"));
    this.outbox.flush();
  }

  #newUser(user) {
    this.conversations = new Conversations(user);
    this.unread = new Unread(this.conversations);
    this.outbox = new Outbox(this, user);
    this.conversations.open("*");
  }

  async #loadRecent() {
    const [recent, waiting] = await Promise.all([this.list(`history limit ${RECENT}`), this.list("peek")]);
    for (const message of [...recent, ...waiting]) this.conversations.add(message);
    if (!this.unread.isKnown) this.unread.begin(waiting.length ? waiting[0].id - 1 : this.conversations.lastId);
  }

  #lost(detail) {
    this.isReady = false;
    this.dispatchEvent(new CustomEvent("lost", { detail }));
  }

  #pushed(frame) {
    if (!this.conversations) return;
    switch (frame.event) {
      case "message":
        return this.#add(frame.data);
      case "presence":
        return this.#presence(frame.data);
      case "group":
        return this.#groupChanged(frame.data);
      case "lagged":
        return this.request(`subscribe ${this.conversations.lastId} ${TOPICS}`).catch(() => {});
      case "session_ended":
        return this.end();
    }
  }

  #add(message) {
    const conversation = this.conversations.add(message);
    if (conversation) this.dispatchEvent(new CustomEvent("message", { detail: { conversation, message } }));
  }

  #presence({ user, online }) {
    if (online) this.online.add(user.toLowerCase());
    else this.online.delete(user.toLowerCase());
    this.onlineNames = (this.onlineNames ?? []).filter((name) => name !== user);
    if (online) this.onlineNames.push(user);
    this.dispatchEvent(new Event("presence"));
  }

  async #groupChanged({ group, change, user }) {
    const isMe = user?.toLowerCase() === this.me?.user.toLowerCase();
    if (change === "joined" && isMe) this.joined(group);
    if (change === "deleted" || (isMe && (change === "left" || change === "kicked"))) this.left(group);
    this.dispatchEvent(new CustomEvent("groups", { detail: group }));
  }

  joined(group) {
    this.groups.add(group);
    this.conversations.open(`group:${group}`);
    this.dispatchEvent(new Event("change"));
  }

  left(group) {
    this.groups.delete(group);
    this.dispatchEvent(new Event("change"));
  }
}

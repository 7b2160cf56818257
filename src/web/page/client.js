// A session on the server: logging in, catching up after a broken line, and what comes live.

import { Connection, unlessLost } from "./connection.js";
import { Conversations, EVERYONE } from "./conversations.js";
import { Outbox } from "./outbox.js";
import { retryTime, until } from "./patience.js";
import { ReadMarks } from "./read_marks.js";
import * as storage from "./storage.js";

const TOPICS = "presence group inbox read";
// Conversations that a new page asks for; older ones are found by name.
const CONVERSATIONS = 300;

// Events: ready, lost, waiting, out, message, change, groups, presence, reset.
export class Client extends EventTarget {
  #connection;
  #attempt = 0;
  // The newest message that came in order: the next subscription begins there. Null before the first.
  #newest = null;
  // Which numbers these are: a restored server gives some of them a second time.
  #epoch = null;
  #isRecounting = false;
  isReady = false;
  me = null;
  online = new Set();
  onlineNames = [];
  groups = new Set();
  memberCounts = new Map();
  blocked = new Set();

  constructor(url) {
    super();
    this.#connection = new Connection(url);
    this.#connection.addEventListener("open", () => this.#opened());
    this.#connection.addEventListener("lost", ({ detail }) => this.#lost(detail));
    this.#connection.addEventListener("push", ({ detail }) => this.#pushed(detail));
    addEventListener("pagehide", () => this.marks?.flush());
  }

  start() {
    this.#connection.start();
  }

  retryNow() {
    this.#connection.retryNow();
  }

  request(line) {
    return this.#connection.request(line);
  }

  // Asks for something that needs the session, and notices if that has ended.
  async ask(line) {
    const reply = await this.request(line);
    if (reply.code === "no_session" && this.me) this.end(reply);
    return reply;
  }

  // Asks again for as long as the server says "not now". The caller is told by `waiting`, or by an event of that name.
  async patiently(line, waiting = (detail) => this.dispatchEvent(new CustomEvent("waiting", { detail }))) {
    for (;;) {
      const reply = await this.ask(line);
      const time = retryTime(reply);
      if (time === null) return reply;
      waiting({ reply, time });
      await until(time);
    }
  }

  // The list that a command answers with; empty if it fails.
  async list(command) {
    const reply = await this.patiently(command);
    return reply.status === "OK" && Array.isArray(reply.data) ? reply.data : [];
  }

  // Logs in or registers. Returns the reply; the session begins if that is OK.
  async enter(line, remember) {
    const reply = await this.request(line);
    if (reply.status === "OK") {
      storage.keepToken(reply.tokenid, remember, reply.data.user);
      await this.#begin();
    }
    return reply;
  }

  // Everything that this user left in the browser goes, too.
  async logOut() {
    const { user } = this.me;
    const reply = await this.request("logout");
    if (reply.status === "OK") this.forget(user);
    return reply;
  }

  // By the person's own wish: nothing of the user stays here.
  forget(user) {
    storage.forgetUser(user);
    this.end({});
    this.conversations = null;
  }

  // The session is over. Why is in the reply or event that says so. What was not sent stays for the next login.
  end(cause) {
    const user = this.me?.user ?? null;
    const isRemembered = storage.isRemembered();
    storage.forgetToken();
    this.#attempt += 1;
    this.isReady = false;
    this.me = null;
    this.dispatchEvent(new CustomEvent("out", { detail: { cause, user, isRemembered } }));
  }

  // A message that was sent from here: the server pushes it to other devices only.
  addOwn(item, { id, time, delivered }) {
    const isGroup = item.to.startsWith("group:");
    const to = isGroup ? item.to.slice("group:".length) : item.to;
    const kind = item.to === EVERYONE ? "broadcast" : isGroup ? "group" : "direct";
    const { user, full_name: fullName } = this.me;
    this.#add({ from: user, msg_from: fullName || user, to, msg: item.text, kind, id, time, delivered });
  }

  async #opened() {
    if (!storage.token()) return this.dispatchEvent(new CustomEvent("out", { detail: { cause: {} } }));
    await this.#begin().catch(unlessLost);
  }

  async #begin() {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const who = await this.patiently(`whoami ${storage.token()}`);
    if (attempt !== this.#attempt) return;
    if (who.status !== "OK") return this.end(who);
    if (this.me?.user !== who.data.user) this.#newUser(who.data.user);
    this.me = who.data;
    await this.#catchUp();
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
    this.outbox.takeOver();
    this.outbox.flush();
  }

  #newUser(user) {
    if (this.conversations?.user === user) return;
    this.conversations = new Conversations(user);
    this.marks = new ReadMarks(this, this.conversations);
    this.outbox = new Outbox(this, user);
    this.conversations.open(EVERYONE);
    this.#newest = null;
  }

  // First the subscription, then the counts: what comes in between is in both, and known by its number.
  async #catchUp() {
    const { epoch = null } = this.me;
    if (this.#newest !== null) {
      const position = this.#epoch ? `${this.#newest}@${this.#epoch}` : this.#newest;
      const reply = await this.patiently(`subscribe ${position} ${TOPICS}`);
      // The server has never been there: it is another one, or an older copy.
      if (reply.code === "bad_parameter") this.#forgetAll();
    }
    if (this.#newest === null) await this.patiently(`subscribe ${TOPICS}`);
    this.#epoch = epoch;
    await this.#loadConversations();
  }

  #forgetAll() {
    this.#forgetAfter(0);
    this.#newest = null;
  }

  #forgetAfter(id) {
    for (const conversation of this.conversations.sorted()) conversation.forgetAfter(id);
    this.marks.forgetAfter(id);
    this.#newest = id;
    this.dispatchEvent(new Event("reset"));
  }

  async #loadConversations() {
    const entries = await this.list(`conversations limit ${CONVERSATIONS}`);
    for (const entry of entries) {
      const conversation = this.conversations.open(entry.conversation);
      if (!conversation.isGroup) this.conversations.setFullName(entry.conversation, entry.name);
      this.marks.counted(entry);
      if (entry.last && !conversation.isLoaded) this.conversations.add(entry.last);
    }
    this.#newest ??= entries.reduce((newest, { last }) => Math.max(newest, last?.id ?? 0), 0);
  }

  #lost(detail) {
    this.isReady = false;
    this.dispatchEvent(new CustomEvent("lost", { detail }));
  }

  #pushed(frame) {
    if (!this.me && frame.event !== "session_ended") return;
    switch (frame.event) {
      case "message":
        this.#newest = Math.max(this.#newest ?? 0, frame.data.id);
        return this.#add(frame.data);
      case "presence":
        return this.#presence(frame.data);
      case "group":
        return this.#groupChanged(frame.data);
      case "read":
        return this.#read(this.marks.moved(this.conversations.open(frame.data.conversation), frame.data.mark));
      case "inbox":
        return this.#read(this.marks.cursorMoved(frame.data.cursor));
      case "reset":
        return this.#forgetAfter(frame.after);
      case "lagged":
        return this.#catchUp().catch(unlessLost);
      case "session_ended":
        return this.end(frame);
    }
  }

  #add(message) {
    const conversation = this.conversations.open(this.conversations.nameOf(message));
    this.marks.arrived(conversation, message);
    if (this.conversations.add(message)) {
      this.dispatchEvent(new CustomEvent("message", { detail: { conversation, message } }));
    }
  }

  // Something was read on another device; if what is left is not known here, the server counts.
  async #read(isUnknown) {
    this.dispatchEvent(new Event("change"));
    if (!isUnknown || this.#isRecounting) return;
    this.#isRecounting = true;
    await this.#loadConversations().catch(unlessLost);
    this.#isRecounting = false;
    this.dispatchEvent(new Event("change"));
  }

  #presence({ user, online }) {
    if (online) this.online.add(user.toLowerCase());
    else this.online.delete(user.toLowerCase());
    this.onlineNames = this.onlineNames.filter((name) => name !== user);
    if (online) this.onlineNames.push(user);
    this.dispatchEvent(new Event("presence"));
  }

  #groupChanged({ group, change, user, full_name: fullName }) {
    const isMe = user?.toLowerCase() === this.me.user.toLowerCase();
    if (change === "renamed") this.#renamed(user, fullName);
    if (change === "joined" && isMe) this.joined(group);
    if (change === "deleted" || (isMe && (change === "left" || change === "kicked"))) this.left(group);
    this.dispatchEvent(new CustomEvent("groups", { detail: group }));
  }

  #renamed(user, fullName) {
    this.conversations.setFullName(user, fullName);
    if (user.toLowerCase() === this.me.user.toLowerCase()) this.me.full_name = fullName;
  }

  // How many are in a group, for its heading. Who they are is asked for when somebody wants to see them.
  async countMembers(group) {
    const reply = await this.patiently(`members ${group}`, () => {});
    if (reply.status !== "OK" || reply.data.length === this.memberCounts.get(group)) return;
    this.memberCounts.set(group, reply.data.length);
    this.dispatchEvent(new Event("change"));
  }

  joined(group) {
    if (!this.groups.has(group)) this.conversations.drop(`group:${group}`);
    this.groups.add(group);
    this.conversations.open(`group:${group}`);
    this.dispatchEvent(new Event("change"));
  }

  left(group) {
    this.groups.delete(group);
    this.dispatchEvent(new Event("change"));
  }
}

// Messages on their way. Each is kept in the browser under its tag until the server has answered, so that a reload or a
// broken line loses none; and sent again with the same tag, so that the server takes it once.

import * as storage from "./storage.js";
import { EVERYONE } from "./conversations.js";
import { LineLost, unlessLost } from "./connection.js";
import { retryTime } from "./patience.js";

// For so long the server remembers a tag.
const TAG_MEMORY = 24 * 3600 * 1000;

export class Outbox extends EventTarget {
  #prefix;
  #items = [];
  #sending = false;
  #timer = null;
  #client;
  // Until when the server takes no more, and what it said: { time, reply }.
  pause = null;

  constructor(client, user) {
    super();
    this.#client = client;
    this.#prefix = `outbox.${user}.`;
    this.takeOver();
  }

  // Adds what was left here: by this page before it was loaded anew, and by a tab that was closed. What another open tab is
  // about to send is sent by both, under one tag.
  takeOver() {
    const known = new Set(this.#items.map(({ tag }) => this.#prefix + tag));
    const left = storage.keysOf(this.#prefix).filter((key) => !known.has(key)).map((key) => storage.read(key));
    const items = left.filter((item) => item !== null);
    items.filter((item) => item.state === "sending").forEach((item) => (item.state = "pending"));
    this.#items = [...this.#items, ...items].sort((a, b) => a.time - b.time || a.place - b.place);
    items.forEach((item) => this.#changed(item));
  }

  of(conversation) {
    return this.#items.filter((item) => item.to.toLowerCase() === conversation.name.toLowerCase());
  }

  // The message that is sent next.
  get next() {
    return this.#items.find((item) => item.state === "pending");
  }

  // A message to a conversation; it is shown at once, and sent as soon as the line is there.
  add(conversation, text) {
    const tag = `w${crypto.getRandomValues(new Uint32Array(3)).join("-")}`;
    const item = { tag, to: conversation.name, text, time: Date.now(), place: this.#items.length, state: "pending" };
    this.#items.push(item);
    this.#keep(item);
    this.flush();
  }

  retry(item) {
    item.state = "pending";
    delete item.problem;
    this.#keep(item);
    this.flush();
  }

  discard(item) {
    this.#items = this.#items.filter((other) => other !== item);
    storage.remove(this.#prefix + item.tag);
    this.#changed(item);
  }

  // Sends what waits, one after the other, so that it arrives in the order in which it was written.
  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    await this.#sendAll().catch(unlessLost);
    this.#sending = false;
  }

  async #sendAll() {
    while (this.#client.isReady && !this.#isPaused() && this.next) await this.#send(this.next);
  }

  // While the server takes no more, the timer goes on later.
  #isPaused() {
    if (!this.pause) return false;
    const rest = this.pause.time - Date.now();
    if (rest <= 0) {
      this.pause = null;
      return false;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), rest);
    return true;
  }

  async #send(item) {
    if (item.tried && Date.now() - item.tried > TAG_MEMORY) return this.#fail(item, { code: "unknown_outcome" });
    item.tried ??= Date.now();
    item.state = "sending";
    this.#keep(item);
    let reply;
    try {
      reply = await this.#client.request(`#${item.tag} ${requestOf(item)}`);
    } catch (error) {
      this.#wait(item);
      throw error;
    }
    if (reply.status !== "OK") return this.#refused(item, reply);
    this.discard(item);
    this.#client.addOwn(item, reply.data);
  }

  #refused(item, reply) {
    const time = retryTime(reply, { isTagged: true });
    if (time !== null) {
      this.pause = { time, reply };
      return this.#wait(item);
    }
    if (reply.code !== "no_session") return this.#fail(item, reply);
    this.#wait(item);
    this.#client.end(reply);
    throw new LineLost();
  }

  #wait(item) {
    item.state = "pending";
    this.#keep(item);
  }

  #fail(item, problem) {
    item.state = "failed";
    item.problem = { code: problem.code, detail: problem.detail };
    this.#keep(item);
  }

  #keep(item) {
    storage.write(this.#prefix + item.tag, item);
    this.#changed(item);
  }

  #changed(item) {
    this.dispatchEvent(new CustomEvent("change", { detail: item.to }));
  }
}

function requestOf({ to, text }) {
  if (to === EVERYONE) return `broadcast ${text}`;
  if (to.startsWith("group:")) return `sendgroup ${to.slice("group:".length)} ${text}`;
  return `send ${to} ${text}`;
}

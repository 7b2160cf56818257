// What was read, the same on all devices: the server keeps a mark for each conversation, and counts what comes after it.

import { unlessLost } from "./connection.js";

// A mark moves once in two seconds. A request that comes earlier would hold up those behind it.
const PACE = 2_500;

export class ReadMarks {
  #client;
  #conversations;
  // By conversation: the mark that the server has, when it was sent, and the timer of the next.
  #sent = new Map();

  constructor(client, conversations) {
    this.#client = client;
    this.#conversations = conversations;
  }

  total() {
    return this.#conversations.sorted().reduce((sum, conversation) => sum + conversation.unread, 0);
  }

  // An entry of the answer to `conversations`. What came since, and what was read here since, counts too.
  counted({ conversation: name, mark, unread, last }) {
    const conversation = this.#conversations.open(name);
    const isAhead = conversation.mark > mark;
    this.#stateOf(conversation).mark = mark;
    conversation.mark = Math.max(conversation.mark, mark);
    // What was read while the line was broken is not known there yet; what is missing here will still arrive.
    const countedTo = isAhead ? conversation.mark : (last?.id ?? 0);
    conversation.unread = (isAhead ? 0 : unread) + this.#countAfter(conversation, countedTo);
    conversation.countedTo = Math.max(conversation.newest?.id ?? 0, countedTo);
    if (isAhead) this.#send(conversation);
  }

  // A message that came live or in a replay, each once.
  arrived(conversation, message) {
    if (message.id <= conversation.countedTo) return;
    conversation.countedTo = message.id;
    if (message.id > conversation.mark && this.#isUnread(message)) conversation.unread += 1;
  }

  // The reader has seen the conversation to its end. Returns whether that is news.
  markRead(conversation) {
    const newest = conversation.newest?.id ?? 0;
    if (newest <= conversation.mark && conversation.unread === 0) return false;
    conversation.mark = Math.max(conversation.mark, newest);
    conversation.unread = 0;
    this.#send(conversation);
    return true;
  }

  // A mark moved on another device. Returns whether only the server can tell how many are left.
  moved(conversation, mark) {
    if (mark <= conversation.mark) return false;
    conversation.mark = mark;
    this.#stateOf(conversation).mark = mark;
    const isAll = mark >= (conversation.newest?.id ?? 0);
    const isKnown = isAll || (conversation.isLoaded && conversation.messages[0]?.id <= mark);
    if (isKnown) conversation.unread = this.#countAfter(conversation, mark);
    return !isKnown;
  }

  // The cursor of the inbox moved: everything before it was read, in all conversations.
  cursorMoved(cursor) {
    return this.#conversations.sorted().filter((conversation) => this.moved(conversation, cursor)).length > 0;
  }

  // A restored server knows no mark beyond that message.
  forgetAfter(id) {
    for (const state of this.#sent.values()) state.mark = Math.min(state.mark, id);
  }

  // Sends at once what waits: the reader leaves the page.
  flush() {
    for (const [conversation, state] of this.#sent) {
      clearTimeout(state.timer);
      state.timer = null;
      if (conversation.mark > state.mark && this.#client.isReady) this.#request(conversation, state);
    }
  }

  #stateOf(conversation) {
    if (!this.#sent.has(conversation)) this.#sent.set(conversation, { mark: 0, time: 0, timer: null });
    return this.#sent.get(conversation);
  }

  #send(conversation) {
    const state = this.#stateOf(conversation);
    state.timer ??= setTimeout(() => {
      state.timer = null;
      // If the line is broken, the next answer to `conversations` shows the difference.
      if (conversation.mark > state.mark && this.#client.isReady) this.#request(conversation, state);
    }, Math.max(0, state.time + PACE - Date.now()));
  }

  #request(conversation, state) {
    state.time = Date.now();
    state.mark = conversation.mark;
    this.#client.patiently(`markread ${conversation.name} ${conversation.mark}`, () => {}).catch(unlessLost);
  }

  #countAfter(conversation, id) {
    return conversation.messages.filter((message) => message.id > id && this.#isUnread(message)).length;
  }

  // What somebody sends is read, except to themselves.
  #isUnread(message) {
    return !this.#conversations.isOwn(message) || message.to.toLowerCase() === message.from.toLowerCase();
  }
}

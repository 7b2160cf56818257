// Which messages were read, on this device: a mark for each conversation.
//
// Everything up to the baseline was read before this device saw the account for the first time.

import * as storage from "./storage.js";

export class Unread {
  #key;
  #marks;
  #conversations;

  constructor(conversations) {
    this.#conversations = conversations;
    this.#key = `read.${conversations.user}.marks`;
    this.#marks = storage.read(this.#key);
  }

  // Whether this device knows what was read.
  get isKnown() {
    return this.#marks !== null;
  }

  begin(baseline) {
    this.#marks = { baseline, of: {} };
    this.#save();
  }

  mark(conversation) {
    return Math.max(this.#marks?.baseline ?? 0, this.#marks?.of[conversation.name.toLowerCase()] ?? 0);
  }

  count(conversation) {
    const mark = this.mark(conversation);
    let count = 0;
    for (let place = conversation.messages.length - 1; place >= 0; place -= 1) {
      const message = conversation.messages[place];
      if (message.id <= mark) break;
      if (!this.#conversations.isOwn(message)) count += 1;
    }
    return count;
  }

  total() {
    return this.#conversations.sorted().reduce((sum, conversation) => sum + this.count(conversation), 0);
  }

  // Returns whether that changed anything.
  markRead(conversation) {
    const newest = conversation.newest?.id ?? 0;
    if (!this.#marks || newest <= this.mark(conversation)) return false;
    // Another tab may have read on meanwhile.
    const others = storage.read(this.#key)?.of ?? {};
    for (const [name, id] of Object.entries(others)) this.#marks.of[name] = Math.max(id, this.#marks.of[name] ?? 0);
    this.#marks.of[conversation.name.toLowerCase()] = newest;
    this.#save();
    return true;
  }

  #save() {
    storage.write(this.#key, this.#marks);
  }
}

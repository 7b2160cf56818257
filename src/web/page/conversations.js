// All conversations and their messages, as far as this page has them.
//
// A conversation has the name that `history` takes: bob, bob@timur, group:fans, and * for broadcasts.

export const EVERYONE = "*";
// What the server itself tells somebody comes from this name at its home realm.
const SERVER = "realm@";

export const isServer = (name) => name.toLowerCase().startsWith(SERVER);

class Conversation {
  constructor(name) {
    this.name = name;
    // By id, ascending.
    this.messages = [];
    // Messages before this id were not asked for yet; null if there are none.
    this.before = Infinity;
    this.isLoaded = false;
    // Everything up to the mark was read; so many messages were not, counted up to that one.
    this.mark = 0;
    this.unread = 0;
    this.countedTo = 0;
  }

  get isGroup() {
    return this.name.startsWith("group:");
  }

  get isServer() {
    return isServer(this.name);
  }

  // The name without what says that it is a group's.
  get title() {
    return this.isGroup ? this.name.slice("group:".length) : this.name;
  }

  // The realm of a conversation with another server.
  get realm() {
    return this.title.includes("@") ? this.title.split("@")[1] : null;
  }

  get newest() {
    return this.messages.at(-1) ?? null;
  }

  // Of a restored server: what came after that message was never said. What is left is asked for again if it is nothing.
  forgetAfter(id) {
    this.messages = this.messages.filter((message) => message.id <= id);
    this.mark = Math.min(this.mark, id);
    this.countedTo = Math.min(this.countedTo, id);
    if (this.messages.length) return;
    this.before = Infinity;
    this.isLoaded = false;
  }

  // Returns whether the message is new.
  add(message) {
    let place = this.messages.length;
    while (place > 0 && this.messages[place - 1].id >= message.id) place -= 1;
    if (this.messages[place]?.id === message.id) return false;
    this.messages.splice(place, 0, message);
    return true;
  }
}

export class Conversations {
  #all = new Map();

  constructor(user) {
    this.user = user;
    // Full names, as messages have them, by folded name.
    this.fullNames = new Map();
  }

  get(name) {
    return this.#all.get(name.toLowerCase());
  }

  open(name) {
    const known = this.get(name);
    if (known) return known;
    const conversation = new Conversation(name);
    this.#all.set(name.toLowerCase(), conversation);
    return conversation;
  }

  // A new conversation of that name will know nothing of the old one.
  drop(name) {
    this.#all.delete(name.toLowerCase());
  }

  // The newest first.
  sorted() {
    const newest = (conversation) => conversation.newest?.id ?? 0;
    return [...this.#all.values()].sort((a, b) => newest(b) - newest(a) || a.title.localeCompare(b.title));
  }

  // Returns the conversation if the message is new in it.
  add(message) {
    this.setFullName(message.from, message.msg_from);
    const conversation = this.open(this.nameOf(message));
    return conversation.add(message) ? conversation : null;
  }

  isOwn(message) {
    return message.from.toLowerCase() === this.user.toLowerCase();
  }

  nameOf(message) {
    if (message.kind === "broadcast") return EVERYONE;
    if (message.kind === "group") return `group:${message.to}`;
    return this.isOwn(message) ? message.to : message.from;
  }

  setFullName(name, fullName) {
    if (fullName && fullName !== name) this.fullNames.set(name.toLowerCase(), fullName);
  }

  fullName(name) {
    return this.fullNames.get(name.toLowerCase()) ?? name;
  }
}

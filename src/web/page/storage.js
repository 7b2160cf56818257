// What stays in this browser. Somebody who does not ask to be remembered leaves nothing behind when the tab is closed.

const PREFIX = "kabar.";
const TOKEN = "token";
// What is kept of a user.
const KINDS = ["draft", "outbox"];

// In the place of a storage that the browser refuses: it holds until the page is left.
class Memory {
  getItem(key) {
    return this[key] ?? null;
  }

  setItem(key, value) {
    this[key] = value;
  }

  removeItem(key) {
    delete this[key];
  }
}

function open(name) {
  try {
    return window[name];
  } catch {
    return new Memory();
  }
}

const local = open("localStorage");
const session = open("sessionStorage");

// Returns false if there is no room.
function set(area, key, value) {
  try {
    area.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

export function isRemembered() {
  return local.getItem(PREFIX + TOKEN) !== null;
}

// Of the session: in the tab, or in the browser.
function place() {
  return isRemembered() ? local : session;
}

export function token() {
  return place().getItem(PREFIX + TOKEN);
}

// The user's drafts and unsent messages move along.
export function keepToken(value, remember, user) {
  forgetToken();
  const [from, to] = remember ? [session, local] : [local, session];
  set(to, PREFIX + TOKEN, value);
  for (const key of Object.keys(from).filter((name) => KINDS.some((kind) => name.startsWith(`${PREFIX}${kind}.${user}.`)))) {
    if (set(to, key, from.getItem(key))) from.removeItem(key);
  }
}

export function forgetToken() {
  local.removeItem(PREFIX + TOKEN);
  session.removeItem(PREFIX + TOKEN);
}

export function read(key) {
  return parse(place().getItem(PREFIX + key));
}

export function write(key, value) {
  return set(place(), PREFIX + key, JSON.stringify(value));
}

export function remove(key) {
  place().removeItem(PREFIX + key);
}

export function keysOf(prefix) {
  return Object.keys(place())
    .filter((key) => key.startsWith(PREFIX + prefix))
    .map((key) => key.slice(PREFIX.length));
}

// What a user left here, when they log out by themselves.
export function forgetUser(user) {
  for (const kind of KINDS) keysOf(`${kind}.${user}.`).forEach(remove);
}

// Choices for this browser, the same for every user.
export function preference(name) {
  return parse(local.getItem(`${PREFIX}preference.${name}`));
}

export function prefer(name, value) {
  set(local, `${PREFIX}preference.${name}`, JSON.stringify(value));
}

function parse(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

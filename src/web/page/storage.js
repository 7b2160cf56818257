// What stays in this browser. Somebody who does not ask to be remembered leaves nothing behind when the tab is closed.

const PREFIX = "kabar.";
const TOKEN = "token";
// What is kept of a user.
const KINDS = ["draft", "outbox"];

export function isRemembered() {
  return localStorage.getItem(PREFIX + TOKEN) !== null;
}

// Of the session: in the tab, or in the browser.
function place() {
  return isRemembered() ? localStorage : sessionStorage;
}

export function token() {
  return place().getItem(PREFIX + TOKEN);
}

// The user's drafts and unsent messages move along.
export function keepToken(value, remember, user) {
  forgetToken();
  const [from, to] = remember ? [sessionStorage, localStorage] : [localStorage, sessionStorage];
  to.setItem(PREFIX + TOKEN, value);
  for (const key of Object.keys(from).filter((name) => KINDS.some((kind) => name.startsWith(`${PREFIX}${kind}.${user}.`)))) {
    to.setItem(key, from.getItem(key));
    from.removeItem(key);
  }
}

export function forgetToken() {
  localStorage.removeItem(PREFIX + TOKEN);
  sessionStorage.removeItem(PREFIX + TOKEN);
}

export function read(key) {
  return parse(place().getItem(PREFIX + key));
}

export function write(key, value) {
  try {
    place().setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
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

// Choices for this browser, whoever logs in.
export function preference(name) {
  return parse(localStorage.getItem(`${PREFIX}preference.${name}`));
}

export function prefer(name, value) {
  localStorage.setItem(`${PREFIX}preference.${name}`, JSON.stringify(value));
}

function parse(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

// Logging in and registering.

import { actionForm, field, oneWord } from "./dialog.js";
import { button, el } from "./dom.js";
import { chooseLanguage, language, LANGUAGES, say } from "./words.js";

// Replies that ask for a code.
const INVITE = new Set(["invite_needed", "invite_not_found"]);
const PLAIN = { autocapitalize: "none", autocorrect: "off", spellcheck: "false" };

// After a session that ended: why, and who it was.
export function loginView(client, { notice = null, user = null, isRemembered = false } = {}) {
  const view = el("main", { class: "login" });
  show(view, client, { notice, user, isRemembered, isNew: false });
  return view;
}

function show(view, client, { notice, user, isRemembered, isNew }) {
  const name = field(say("user"), { ...userAttributes(isNew), value: user }, isNew ? say("nameRule") : null);
  const password = field(say("password"), passwordAttributes(isNew), isNew ? say("passwordRule") : null);
  const remember = el("input", { type: "checkbox", id: "remember", checked: isRemembered });
  const rememberRow = el("label", { class: "check", for: "remember" }, remember, say("remember"));
  // A server that is open to everybody asks for no code: the field comes when the server wants one.
  const invite = field(say("invite"), { ...PLAIN, name: "invite", required: true }, say("inviteHint"));
  invite.element.hidden = true;
  const word = isNew ? "register" : "auth";
  const submit = async (user, secret, code) => {
    const line = `${word} ${oneWord(user)} ${oneWord(secret)}${code ? ` #${oneWord(code)}` : ""}`;
    const reply = await client.enter(line, remember.checked);
    if (INVITE.has(reply.code)) invite.element.hidden = false;
    return reply;
  };
  const form = actionForm(say(isNew ? "register" : "logIn"), [name, password, invite], submit, () => {});
  form.querySelector(".problem").before(rememberRow);
  const turn = () => show(view, client, { user: name.input.value, isRemembered: remember.checked, isNew: !isNew });
  view.replaceChildren(
    el(
      "div",
      { class: "card" },
      el("img", { src: "icon.svg", alt: "", width: "56", height: "56" }),
      el("h1", {}, "kabar"),
      el("p", { class: "notice", role: "status" }, notice ?? say(isNew ? "registerHint" : "logInHint")),
      form,
      el("p", { class: "other" }, say(isNew ? "hasAccount" : "noAccount"), " ", button(say(isNew ? "logIn" : "createAccount"), turn, { class: "link" })),
      languages(),
    ),
  );
  view.querySelector(".notice").classList.toggle("warning", Boolean(notice));
  // As soon as the view is on the page.
  queueMicrotask(() => (user ? password : name).input.focus());
}

function userAttributes(isNew) {
  return { name: "username", autocomplete: "username", maxlength: isNew ? "32" : undefined, required: true, ...PLAIN };
}

function passwordAttributes(isNew) {
  return { name: "password", type: "password", autocomplete: isNew ? "new-password" : "current-password", required: true };
}

function languages() {
  const choices = Object.entries(LANGUAGES).map(([tag, name]) =>
    button(name, () => chooseLanguage(tag), { class: "link", lang: tag, "aria-pressed": String(tag === language) }),
  );
  return el("p", { class: "languages" }, ...choices);
}

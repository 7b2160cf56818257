// Logging in and registering.

import { actionForm, field } from "./dialog.js";
import { button, el } from "./dom.js";
import { chooseLanguage, language, LANGUAGES, say } from "./words.js";

export function loginView(client, notice) {
  const view = el("main", { class: "login" });
  show(view, client, notice, false);
  return view;
}

function show(view, client, notice, isNew) {
  const title = say(isNew ? "register" : "logIn");
  const user = field(say("user"), userAttributes(isNew), isNew ? say("nameRule") : null);
  const password = field(say("password"), passwordAttributes(isNew), isNew ? say("passwordRule") : null);
  const remember = el("input", { type: "checkbox", id: "remember" });
  const rememberRow = el("label", { class: "check", for: "remember" }, remember, say("remember"));
  const word = isNew ? "register" : "auth";
  const submit = (name, secret) => client.enter(`${word} ${oneWord(name)} ${oneWord(secret)}`, remember.checked);
  const form = actionForm(title, [user, password], submit, () => {});
  form.querySelector(".problem").before(rememberRow);
  const other = button(say(isNew ? "logIn" : "createAccount"), () => show(view, client, null, !isNew), { class: "link" });
  view.replaceChildren(
    el(
      "div",
      { class: "card" },
      el("img", { src: "icon.svg", alt: "", width: "56", height: "56" }),
      el("h1", {}, "kabar"),
      el("p", { class: "notice", role: "status" }, notice ?? ""),
      form,
      el("p", { class: "other" }, say(isNew ? "hasAccount" : "noAccount"), " ", other),
      languages(),
    ),
  );
  user.input.focus();
}

// A blank would make one parameter two. Without it the server names what is wrong.
function oneWord(text) {
  return text.replace(/\s+/g, "\u00a0") || "\u00a0";
}

function userAttributes(isNew) {
  const plain = { autocapitalize: "none", autocorrect: "off", spellcheck: "false", required: true };
  return { name: "username", autocomplete: "username", maxlength: isNew ? "32" : undefined, ...plain };
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

// Dialogs: the browser's own, which hold the focus and close on Escape.

import { button, el, iconButton } from "./dom.js";
import { LineLost } from "./connection.js";
import { countdown, retryTime, until } from "./patience.js";
import { errorOf, reasonOf, say } from "./words.js";

let last = 0;

export function openDialog(title, ...content) {
  const before = document.activeElement;
  const id = `dialog-title-${(last += 1)}`;
  const dialog = el(
    "dialog",
    { "aria-labelledby": id },
    el("header", {}, el("h2", { id }, title), iconButton("close", say("close"), () => dialog.close())),
    el("div", { class: "content" }, ...content),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Resolves with whether the person agrees.
export function confirm(question, hint, action) {
  return new Promise((resolve) => {
    let agreed = false;
    const agree = button(action, () => {
      agreed = true;
      dialog.close();
    }, { class: "primary", autofocus: true });
    const cancel = button(say("cancel"), () => dialog.close());
    const dialog = openDialog(question, hint ? el("p", {}, hint) : null, el("div", { class: "buttons" }, cancel, agree));
    dialog.addEventListener("close", () => resolve(agreed));
  });
}

// A form that does one thing: `submit` returns the server's reply, and an error is shown below the fields. If the server
// says "not now", the form waits with it and tries again; a password is tried again by the person.
export function actionForm(action, fields, submit, done) {
  const problem = el("p", { class: "problem", role: "alert" });
  const rest = el("p", { class: "problem" });
  const go = el("button", { type: "submit", class: "primary" }, action);
  const form = el("form", { class: "action", novalidate: true }, ...fields.map(({ element }) => element), problem, rest, go);
  const send = async () => {
    problem.textContent = "";
    rest.replaceChildren();
    go.disabled = true;
    const values = fields.map(({ input }) => input.value.trim());
    const reply = await settled(submit(...values));
    if (reply.status === "OK") {
      go.disabled = false;
      return done(reply, ...values);
    }
    const time = retryTime(reply);
    problem.textContent = time === null ? errorOf(reply) : reasonOf(reply);
    if (time !== null) return later(time, reply.code === "throttled");
    go.disabled = false;
    (fields.find(({ element, input }) => !element.hidden && input.required && !input.value) ?? fields[0])?.input.focus();
  };
  const later = async (time, isForPerson) => {
    rest.append(countdown(time, (left) => say("againIn", left)));
    await until(time);
    if (!form.isConnected) return;
    if (!isForPerson) return send();
    go.disabled = false;
    rest.replaceChildren();
    problem.textContent = say("tryAgainNow");
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!go.disabled) send();
  });
  return form;
}

// A blank would make one parameter two. Without it the server names what is wrong.
export function oneWord(text) {
  return text.replace(/\s+/g, "\u00a0") || "\u00a0";
}

// A broken line is an error like any other.
export function settled(reply) {
  return Promise.resolve(reply).catch((error) => {
    if (error instanceof LineLost) return { status: "ERROR", code: "lost" };
    throw error;
  });
}

let fieldNumber = 0;

export function field(label, attributes = {}, hint = null) {
  const id = `field-${(fieldNumber += 1)}`;
  const hintId = hint ? `${id}-hint` : undefined;
  const input = el("input", { id, autocomplete: "off", "aria-describedby": hintId, ...attributes });
  const element = el(
    "div",
    { class: "field" },
    el("label", { for: id }, label),
    input,
    hint ? el("small", { id: hintId }, hint) : null,
  );
  return { element, input };
}

// A part of a dialog that is folded until somebody wants it; `fill` returns its content, the first time.
export function fold(title, fill, { isOpen = false } = {}) {
  const part = el("details", { name: "part", open: isOpen }, el("summary", {}, say(title)));
  const show = () => part.open && part.children.length === 1 && part.append(el("div", { class: "part" }, fill()));
  part.addEventListener("toggle", show);
  show();
  return part;
}

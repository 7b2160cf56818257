// The account: name, password, its sessions, its blocks, and its end.

import { actionForm, confirm, field, fold, oneWord, settled } from "./dialog.js";
import { avatar, button, el } from "./dom.js";
import { plain } from "./message_text.js";
import { errorOf, moment, say } from "./words.js";

export function accountParts(client) {
  return [
    fold("profile", () => profileForm(client)),
    fold("changePassword", () => passwordForm(client)),
    fold("sessions", () => listPart(client, "sessions", (reply, again) => sessionRows(client, reply.data, again))),
    fold("blockList", () => listPart(client, "blocks", (reply, again) => blockRows(client, reply.data, again))),
  ];
}

const SECRET = { type: "password", required: true };

// The protocol writes a blank in a name as an underscore.
function profileForm(client) {
  const { user, full_name: fullName } = client.me;
  const name = field(say("fullName"), { value: fullName, maxlength: "128", autocomplete: "name" }, say("fullNameHint", user));
  const submit = (text) => client.ask(`setname ${text.replace(/\s+/g, "_")}`);
  return savingForm([name], submit, (text) => {
    client.me.full_name = text;
    client.conversations.setFullName(user, text);
    client.dispatchEvent(new Event("change"));
  });
}

function passwordForm(client) {
  const old = field(say("oldPassword"), { ...SECRET, autocomplete: "current-password" });
  const next = field(say("newPassword"), { ...SECRET, autocomplete: "new-password" }, say("passwordEnds"));
  const submit = (before, after) => client.ask(`passwd ${oneWord(before)} ${oneWord(after)}`);
  const form = savingForm([old, next], submit, () => [old, next].forEach(({ input }) => (input.value = "")));
  form.prepend(userName(client));
  return form;
}

// For password managers: whose password it is.
function userName({ me }) {
  return el("input", { type: "text", name: "username", autocomplete: "username", value: me.user, readonly: true, hidden: true });
}

function savingForm(fields, submit, done) {
  const saved = el("p", { class: "saved", role: "status" });
  const form = actionForm(say("save"), fields, submit, (reply, ...values) => {
    done(...values);
    saved.textContent = say("saved");
  });
  form.addEventListener("input", () => (saved.textContent = ""));
  form.append(saved);
  return form;
}

export function unregisterForm(client) {
  const password = field(say("password"), { ...SECRET, autocomplete: "current-password" });
  const { user } = client.me;
  const submit = async (secret) => {
    const isSure = await confirm(say("unregisterQuestion", user), say("unregisterHint"), say("unregister"));
    return isSure ? client.ask(`unregister ${oneWord(secret)}`) : { status: "ERROR", code: "cancelled" };
  };
  const form = actionForm(say("unregister"), [password], submit, () => client.forget(user));
  form.prepend(userName(client), el("p", { class: "hint" }, say("unregisterHint")));
  form.querySelector(".primary").classList.replace("primary", "danger");
  return form;
}

// A list that the server keeps, and that is shown anew after each change.
function listPart(client, command, rows) {
  const list = el("ul", { class: "rows" });
  const problem = el("p", { class: "problem", role: "alert" });
  const show = (reply) => (problem.textContent = errorOf(reply));
  const again = async (change) => {
    problem.textContent = "";
    const changed = change ? await settled(client.patiently(change, ({ reply }) => show(reply))) : null;
    if (changed && changed.status !== "OK") return show(changed);
    const reply = await settled(client.patiently(command, (detail) => show(detail.reply)));
    if (reply.status !== "OK") return show(reply);
    problem.textContent = "";
    list.replaceChildren(...rows(reply, again));
  };
  again();
  return el("div", {}, list, problem);
}

function sessionRows(client, sessions, again) {
  return sessions.map(({ id, from, opened, used, current }) => {
    const end = button(say("end"), () => again(`revoke ${id}`), { "aria-label": `${say("end")}: ${from}, ${moment(opened)}` });
    const times = [say("sessionOpened", moment(opened))];
    if (moment(used) !== moment(opened)) times.push(say("sessionUsed", moment(used)));
    return el(
      "li",
      {},
      el("div", { class: "grow" }, el("b", {}, from), el("small", {}, times.join(", "))),
      current ? el("small", { class: "tag" }, say("thisSession")) : end,
    );
  });
}

function blockRows(client, names, again) {
  if (!names.length) return [el("li", { class: "hint" }, say("noBlocks"))];
  return names.map((name) => {
    const unblock = async () => {
      await again(`unblock ${name}`);
      client.blocked.delete(name.toLowerCase());
      client.dispatchEvent(new Event("change"));
    };
    const label = plain(client.conversations.fullName(name));
    const action = button(say("unblock"), unblock, { "aria-label": `${say("unblock")}: ${label}` });
    return el("li", {}, avatar(name), el("span", { class: "grow" }, label), action);
  });
}

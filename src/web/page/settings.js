// Settings: of this browser here, those of the account and of the linked servers from their own files.

import { accountParts, unregisterForm } from "./account.js";
import { fold, openDialog, settled } from "./dialog.js";
import { button, el } from "./dom.js";
import { areWanted, isCounted, setCounted, setNotifications } from "./notifications.js";
import { serversPart } from "./servers.js";
import { chooseLanguage, errorOf, language, LANGUAGES, say } from "./words.js";

export function settingsDialog(client) {
  const problem = el("p", { class: "problem", role: "alert" });
  const logOut = async () => {
    const reply = await settled(client.logOut());
    if (reply.status !== "OK") problem.textContent = errorOf(reply);
  };
  openDialog(
    say("settings"),
    fold("browser", browserPart, { isOpen: true }),
    ...accountParts(client),
    fold("servers", () => serversPart(client)),
    fold("keys", keys),
    fold("unregister", () => unregisterForm(client)),
    problem,
    el("div", { class: "buttons" }, button(say("logOut"), logOut, { class: "danger" })),
  );
}

function browserPart() {
  const options = Object.entries(LANGUAGES).map(([tag, name]) =>
    el("option", { value: tag, lang: tag, selected: tag === language }, name),
  );
  const choice = el("select", { id: "language", onchange: (event) => chooseLanguage(event.target.value) }, ...options);
  const problem = el("p", { class: "problem", role: "alert" });
  const desktop = check(say("notifications"), areWanted(), async (wanted) => {
    const isOn = await setNotifications(wanted);
    problem.textContent = wanted && !isOn ? say("notAllowed") : "";
    return isOn;
  });
  const count = check(say("countInTitle"), isCounted(), async (wanted) => {
    setCounted(wanted);
    return wanted;
  });
  const languageField = el("div", { class: "field" }, el("label", { for: "language" }, say("language")), choice);
  return el("div", {}, languageField, desktop, count, problem);
}

function check(label, isOn, set) {
  const input = el("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", async () => (input.checked = await set(input.checked)));
  return el("label", { class: "check" }, input, label);
}

function keys() {
  const rows = {
    "Ctrl+K": "keySwitch",
    "Alt+↑ ↓": "keyNext",
    "PgUp PgDn": "keyPage",
    Esc: "keyEscape",
    Tab: "keyComplete",
    "Shift+Enter": "keyLine",
  };
  const facts = Object.entries(rows).flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, say(text))]);
  return el("dl", {}, ...facts);
}

// Settings of this browser and of the account: sessions, realms, keys.

import { openDialog, settled } from "./dialog.js";
import { button, el } from "./dom.js";
import { factList, realmState } from "./details.js";
import { areWanted, isCounted, setCounted, setNotifications } from "./notifications.js";
import { chooseLanguage, errorOf, language, LANGUAGES, moment, say } from "./words.js";

export function settingsDialog(client) {
  const sessions = el("ul", { class: "sessions" });
  const realms = el("div");
  const problem = el("p", { class: "problem", role: "alert" });
  const dialog = openDialog(
    say("settings"),
    section("language", languageChoice()),
    section("attention", notificationChoices()),
    section("sessions", sessions),
    section("linkedRealms", realms),
    section("keys", keys()),
    problem,
    el("div", { class: "buttons" }, button(say("logOut"), () => logOut(client, dialog, problem), { class: "danger" })),
  );
  showSessions(client, sessions, problem);
  showRealms(client, realms);
}

function section(title, content) {
  return el("section", {}, el("h3", {}, say(title)), content);
}

function languageChoice() {
  const options = Object.entries(LANGUAGES).map(([tag, name]) =>
    el("option", { value: tag, lang: tag, selected: tag === language }, name),
  );
  const change = (event) => chooseLanguage(event.target.value);
  return el("select", { "aria-label": say("language"), onchange: change }, ...options);
}

function notificationChoices() {
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
  return el("div", {}, desktop, count, problem);
}

function check(label, isOn, set) {
  const input = el("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", async () => (input.checked = await set(input.checked)));
  return el("label", { class: "check" }, input, label);
}

async function showSessions(client, list, problem) {
  const reply = await settled(client.ask("sessions"));
  if (reply.status !== "OK") return void (problem.textContent = errorOf(reply));
  list.replaceChildren(...reply.data.map((session) => sessionRow(client, session, list, problem)));
}

function sessionRow(client, session, list, problem) {
  const end = async () => {
    const reply = await settled(client.ask(`revoke ${session.id}`));
    problem.textContent = reply.status === "OK" ? "" : errorOf(reply);
    await showSessions(client, list, problem);
  };
  const text = say("sessionOf", session.from, moment(session.used));
  const action = session.current
    ? el("small", {}, say("thisSession"))
    : button(say("end"), end, { "aria-label": `${say("end")}: ${text}` });
  return el("li", {}, el("span", {}, text), action);
}

async function showRealms(client, place) {
  const realms = (await settled(client.list("realms"))) ?? [];
  const others = Array.isArray(realms) ? realms.filter(({ state }) => state === "up" || state === "down") : [];
  const facts = others.map((entry) => [entry.realm, realmState(entry)]);
  place.replaceChildren(facts.length ? factList(facts) : el("p", { class: "hint" }, say("noRealms")));
}

function keys() {
  const rows = { "Ctrl+K": "keySwitch", "Alt+↑ ↓": "keyNext", Esc: "keyEscape", "Shift+Enter": "keyLine" };
  const facts = Object.entries(rows).flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, say(text))]);
  return el("dl", {}, ...facts);
}

async function logOut(client, dialog, problem) {
  const result = await settled(client.logOut());
  if (result?.status === "ERROR") problem.textContent = errorOf(result);
  else dialog.close();
}

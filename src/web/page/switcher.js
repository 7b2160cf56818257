// Finds a conversation by a part of its name, or a person by the whole of it.

import { el } from "./dom.js";
import { openDialog, settled } from "./dialog.js";
import { titleOf } from "./sidebar.js";
import { errorOf, say } from "./words.js";

const SHOWN = 12;
const NO_MATCH = 3;
const NAME = /^[a-z0-9][a-z0-9_.-]*(@[a-z0-9][a-z0-9_.-]*)?$/i;

export function openSwitcher(client, { open, findPerson }) {
  const input = el("input", {
    type: "text",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "found",
    "aria-autocomplete": "list",
    "aria-label": say("findHint"),
    placeholder: say("findHint"),
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    autofocus: true,
  });
  const list = el("ul", { id: "found", role: "listbox", "aria-label": say("conversations") });
  const nothing = el("p", { class: "hint", role: "status" });
  const dialog = openDialog(say("find"), input, list, nothing);
  dialog.classList.add("switcher");
  let found = [];
  let chosen = 0;

  const take = async ({ name, isNew }) => {
    if (isNew) {
      const reply = await settled(findPerson(name));
      if (reply.status !== "OK") return void (nothing.textContent = errorOf(reply));
      name = reply.data.user;
    }
    dialog.close();
    open(name);
  };
  const show = () => {
    chosen = Math.min(Math.max(chosen, 0), found.length - 1);
    list.replaceChildren(...found.map((entry, place) => option(client, entry, place, place === chosen, () => take(entry))));
    list.hidden = found.length === 0;
    nothing.textContent = found.length ? "" : say("nothingFound");
    input.setAttribute("aria-activedescendant", found.length ? `found-${chosen}` : "");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    chosen = 0;
    found = matching(client, input.value);
    show();
  };
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !event.altKey) {
      event.preventDefault();
      chosen += step;
      show();
    } else if (event.key === "Enter" && found[chosen]) {
      event.preventDefault();
      take(found[chosen]);
    }
  });
  search();
}

function option(client, { name, isNew }, place, isChosen, take) {
  const title = isNew ? say("talkToName", name) : titleOf(client, name);
  const unread = client.conversations.get(name)?.unread;
  const note = unread ? say("unread", unread) : isNew || title === name || name === "*" ? "" : name;
  const attributes = { id: `found-${place}`, role: "option", "aria-selected": String(isChosen), onclick: take };
  return el("li", attributes, el("span", { class: "grow" }, title), el("small", {}, note));
}

function matching(client, text) {
  const wanted = text.trim().toLowerCase();
  const known = client.conversations.sorted().map(({ name }) => name);
  const names = new Map([...known, ...client.onlineNames].map((name) => [name.toLowerCase(), name]));
  const isKnown = names.has(wanted) || wanted === client.me.user.toLowerCase();
  names.delete(client.me.user.toLowerCase());
  const found = [...names.values()].map((name) => ({ name, rank: rankOf([name, titleOf(client, name)], wanted) }));
  const fitting = found.filter(({ rank }) => rank < NO_MATCH).sort((a, b) => a.rank - b.rank).slice(0, SHOWN);
  if (!isKnown && NAME.test(wanted)) fitting.push({ name: text.trim(), isNew: true });
  return fitting;
}

// The one with that very name comes first, then names that begin so, then those that contain it.
function rankOf(names, wanted) {
  const ranks = names.map((name) => {
    const folded = name.toLowerCase().replace(/^group:/, "");
    if (folded === wanted) return 0;
    if (folded.startsWith(wanted)) return 1;
    return folded.includes(wanted) ? 2 : NO_MATCH;
  });
  return Math.min(...ranks);
}

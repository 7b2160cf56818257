// Finds a conversation by a part of its name.

import { el } from "./dom.js";
import { openDialog } from "./dialog.js";
import { titleOf } from "./sidebar.js";
import { say } from "./words.js";

const SHOWN = 12;

export function openSwitcher(client, open) {
  const input = el("input", {
    type: "search",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "found",
    "aria-autocomplete": "list",
    "aria-label": say("findHint"),
    placeholder: say("findHint"),
    autocomplete: "off",
    autocapitalize: "none",
    autofocus: true,
  });
  const list = el("ul", { id: "found", role: "listbox", "aria-label": say("conversations") });
  const nothing = el("p", { class: "hint", role: "status" });
  const dialog = openDialog(say("find"), input, list, nothing);
  dialog.classList.add("switcher");
  let found = [];
  let chosen = 0;

  const take = (name) => {
    dialog.close();
    open(name);
  };
  const show = () => {
    chosen = Math.min(Math.max(chosen, 0), found.length - 1);
    const items = found.map((name, place) =>
      el("li", { id: `found-${place}`, role: "option", "aria-selected": String(place === chosen), onclick: () => take(name) }, titleOf(client, name), el("small", {}, name === "*" ? "" : name)),
    );
    list.replaceChildren(...items);
    list.hidden = found.length === 0;
    nothing.textContent = found.length ? "" : say("nothingFound");
    input.setAttribute("aria-activedescendant", found.length ? `found-${chosen}` : "");
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

function matching(client, text) {
  const wanted = text.trim().toLowerCase();
  const known = client.conversations.sorted().map(({ name }) => name);
  const names = new Map([...known, ...(client.onlineNames ?? [])].map((name) => [name.toLowerCase(), name]));
  names.delete(client.me.user.toLowerCase());
  const place = (name) => `${titleOf(client, name)} ${name}`.toLowerCase().indexOf(wanted);
  return [...names.values()].filter((name) => place(name) >= 0).slice(0, SHOWN);
}

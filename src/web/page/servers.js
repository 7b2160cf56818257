// Other servers, and other names of this one: the state of each link, adding and removing them.

import { actionForm, confirm, field, oneWord, settled } from "./dialog.js";
import { button, el } from "./dom.js";
import { plain } from "./message_text.js";
import { errorOf, moment, say } from "./words.js";

export function serversPart(client) {
  const list = el("ul", { class: "rows" });
  const problem = el("p", { class: "problem", role: "alert" });
  const show = async () => {
    const reply = await settled(client.patiently("realms", (detail) => (problem.textContent = errorOf(detail.reply))));
    problem.textContent = reply.status === "OK" ? "" : errorOf(reply);
    if (reply.status === "OK") list.replaceChildren(...reply.data.map((realm) => realmRow(client, realm, problem, show)));
  };
  show();
  return el("div", {}, list, problem, addForm(client, show));
}

function realmRow(client, realm, problem, show) {
  const remove = async () => {
    const isLink = realm.state === "up" || realm.state === "down";
    if (!(await confirm(say("removeQuestion", realm.realm), isLink ? say("removeHint") : null, say("remove")))) return;
    const reply = await settled(client.ask(`delrealm ${realm.realm}`));
    problem.textContent = reply.status === "OK" ? "" : errorOf(reply);
    if (reply.status === "OK") await show();
  };
  const facts = [realm.address, realm.problem, realm.key ? say("keyOf", realm.key) : null].filter(Boolean);
  return el(
    "li",
    {},
    el("span", { class: `link-state ${realm.state}`, "aria-hidden": "true" }),
    el(
      "div",
      { class: "grow" },
      el("b", {}, realm.realm),
      el("small", {}, realmState(realm)),
      ...facts.map((fact) => el("small", { class: "fact" }, plain(fact))),
    ),
    realm.state === "home" ? null : button(say("remove"), remove, { "aria-label": `${say("remove")}: ${realm.realm}` }),
  );
}

// The state of a link, for people.
export function realmState({ state, queued, since }) {
  const parts = [say(state), since ? say("since", moment(since)) : null, queued ? say("waiting", queued) : null];
  return parts.filter(Boolean).join(" · ");
}

const NAME = { autocapitalize: "none", spellcheck: "false" };

// Without a host, it is one more name of this server.
function addForm(client, show) {
  const realm = field(say("realmName"), { ...NAME, maxlength: "32", required: true }, say("realmNameHint"));
  const host = field(say("host"), { ...NAME, inputmode: "url" }, say("hostHint"));
  const port = field(say("port"), { inputmode: "numeric", maxlength: "5", placeholder: "8889" });
  const submit = (name, address, number) => {
    const place = address ? ` ${address} ${number || "8889"}` : "";
    return client.ask(`addrealm ${oneWord(name)}${place}`);
  };
  const form = actionForm(say("add"), [realm, host, port], submit, async () => {
    for (const { input } of [realm, host, port]) input.value = "";
    await show();
  });
  form.prepend(el("h3", {}, say("addRealm")));
  return form;
}

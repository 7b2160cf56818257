// Beginning something: a conversation with a person, a group that one joins or creates.

import { actionForm, field, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { say } from "./words.js";

export function createDialog(client, open) {
  const begin = (name) => {
    dialog.close();
    open(name);
  };
  const enter = (reply, group) => {
    client.joined(group);
    begin(`group:${group}`);
  };
  const dialog = openDialog(
    say("newConversation"),
    section("talkTo", personForm(client, begin)),
    section("joinGroup", groupForm(client, say("join"), "joingroup", enter)),
    section("createGroup", groupForm(client, say("create"), "addgroup", enter)),
  );
}

function section(title, content) {
  return el("section", {}, el("h3", {}, say(title)), content);
}

const NAME = { autocapitalize: "none", spellcheck: "false", required: true };

// Somebody of this server must exist; whether somebody of another one does is known once something was said.
function personForm(client, begin) {
  const person = field(say("user"), { ...NAME, maxlength: "65" }, say("talkToHint"));
  const submit = (name) => (name.includes("@") ? remote(client, name) : client.ask(`info ${name || "\u00a0"}`));
  return actionForm(say("start"), [person], submit, (reply, name) => begin(reply.data.user ?? name));
}

async function remote(client, name) {
  const reply = await client.ask(`history ${name} limit 1`);
  return reply.status === "OK" ? { ...reply, data: { user: name } } : reply;
}

function groupForm(client, action, word, enter) {
  const group = field(say("groupName"), { ...NAME, maxlength: "32" });
  const password = field(say("groupPassword"), { type: "password", autocomplete: "new-password" });
  return actionForm(action, [group, password], (name, secret) => client.ask(`${word} ${name || "\u00a0"} ${secret}`), enter);
}

// Beginning something: a conversation with a person, a group that one joins or creates.

import { actionForm, field, fold, oneWord, openDialog } from "./dialog.js";
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
    fold("talkTo", () => personForm(client, begin), { isOpen: true }),
    fold("joinGroup", () => groupForm(client, say("join"), "joingroup", enter)),
    fold("createGroup", () => groupForm(client, say("create"), "addgroup", enter)),
  );
}

// The person of that name, as `{ data: { user } }`. Somebody of this server must exist; whether somebody of another one
// does is known once something was said.
export async function findPerson(client, name) {
  if (!name.includes("@")) return client.ask(`info ${oneWord(name)}`);
  const reply = await client.ask(`history ${name} limit 1`);
  return reply.status === "OK" ? { ...reply, data: { user: name } } : reply;
}

const NAME = { autocapitalize: "none", spellcheck: "false", required: true };

function personForm(client, begin) {
  const person = field(say("user"), { ...NAME, maxlength: "65", autofocus: true }, say("talkToHint"));
  return actionForm(say("start"), [person], (name) => findPerson(client, name), (reply) => begin(reply.data.user));
}

function groupForm(client, action, word, enter) {
  const group = field(say("groupName"), { ...NAME, maxlength: "32" });
  const password = field(say("groupPassword"), { type: "password", autocomplete: "new-password" });
  const submit = (name, secret) => client.ask(`${word} ${oneWord(name)} ${secret}`);
  return actionForm(action, [group, password], submit, enter);
}

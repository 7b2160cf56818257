// What can be known and done about the person or the group of a conversation.

import { actionForm, confirm, field, fold, openDialog, settled } from "./dialog.js";
import { avatar, button, el } from "./dom.js";
import { plain } from "./message_text.js";
import { realmState } from "./servers.js";
import { titleOf } from "./sidebar.js";
import { errorOf, moment, say } from "./words.js";

export function detailsDialog(client, conversation, open) {
  const body = el("div", { class: "details" });
  const problem = el("p", { class: "problem", role: "alert" });
  const dialog = openDialog(titleOf(client, conversation.name), body, problem);
  const view = { client, conversation, open, dialog, body, problem };
  // While the server takes no more, the dialog says so.
  view.ask = (line) => settled(client.patiently(line, ({ reply }) => (problem.textContent = errorOf(reply))));
  view.show = () => (conversation.isGroup ? showGroup(view) : showPerson(view));
  view.show();
}

// Does something, shows what is wrong with it, or the dialog anew.
async function act(view, line, done = view.show) {
  const reply = await view.ask(line);
  view.problem.textContent = reply.status === "OK" ? "" : errorOf(reply);
  if (reply.status === "OK") await done();
}

async function showPerson(view) {
  const { client, conversation, body } = view;
  const { name } = conversation;
  const isBlocked = client.blocked.has(name.toLowerCase());
  const facts = conversation.realm ? await realmFacts(view) : await personFacts(view);
  const toggle = button(say(isBlocked ? "unblock" : "block"), () =>
    act(view, `${isBlocked ? "unblock" : "block"} ${name}`, () => {
      if (isBlocked) client.blocked.delete(name.toLowerCase());
      else client.blocked.add(name.toLowerCase());
      client.dispatchEvent(new Event("change"));
      return view.show();
    }),
  );
  body.replaceChildren(factList([[say("user"), name], ...facts]), el("div", { class: "buttons" }, toggle));
}

async function personFacts({ ask, conversation }) {
  const { status, data } = await ask(`info ${conversation.name}`);
  if (status !== "OK") return [];
  const seen = data.online ? say("online") : data.last_seen ? moment(data.last_seen) : "–";
  return [
    [say("fullName"), plain(data.full_name)],
    [say("country"), plain(data.country)],
    [say("lastSeen"), seen],
  ].filter(([, value]) => value);
}

async function realmFacts({ ask, conversation: { realm } }) {
  const { status, data } = await ask("realms");
  const found = status === "OK" && data.find((entry) => entry.realm.toLowerCase() === realm.toLowerCase());
  return found ? [[say("realm"), realm], [say("state"), realmState(found)]] : [[say("realm"), realm]];
}

function factList(facts) {
  return el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { dir: "auto" }, value)]));
}

async function showGroup(view) {
  const { client, conversation, body } = view;
  const group = conversation.title;
  if (conversation.realm) return body.replaceChildren(factList(await realmFacts(view)));
  const reply = await view.ask(`members ${group}`);
  if (reply.status !== "OK") return void (view.problem.textContent = errorOf(reply));
  const isOwner = reply.owner?.toLowerCase() === client.me.user.toLowerCase();
  const members = reply.data.map((member) => memberRow(view, member, reply.owner, isOwner));
  body.replaceChildren(
    el("h3", {}, `${say("members")} (${reply.data.length})`),
    el("ul", { class: "rows members" }, ...members),
    isOwner ? fold("groupPasswordTitle", () => passwordForm(view, group)) : "",
    el("div", { class: "buttons" }, isOwner ? endButton(view, group) : null, leaveButton(view, group, isOwner && members.length > 1)),
  );
}

function memberRow(view, member, owner, isOwner) {
  const { client, conversation, dialog, open } = view;
  const isMe = member.toLowerCase() === client.me.user.toLowerCase();
  const talk = button(plain(client.conversations.fullName(member)), () => {
    dialog.close();
    open(member);
  }, { class: "link", disabled: isMe });
  const kick = async () => {
    const question = say("kickQuestion", member, conversation.title);
    if (await confirm(question, null, say("kick"))) await act(view, `kick ${conversation.title} ${member}`);
  };
  return el(
    "li",
    {},
    avatar(member),
    el("span", { class: "name" }, talk),
    member === owner ? el("small", { class: "tag" }, say("owner")) : null,
    isOwner && !isMe ? button(say("kick"), kick, { "aria-label": `${say("kick")}: ${member}` }) : null,
  );
}

function passwordForm(view, group) {
  const password = field(say("newGroupPassword"), { type: "password", autocomplete: "new-password" });
  const submit = (secret) => view.client.ask(`grouppasswd ${group} ${secret}`);
  const form = actionForm(say("save"), [password], submit, () => {
    password.input.value = "";
    form.querySelector(".problem").textContent = say("saved");
  });
  return form;
}

function leaveButton(view, group, isOwner) {
  const hint = isOwner ? say("handOver") : null;
  return button(say("leave"), () => leave(view, `leavegroup ${group}`, [say("leaveQuestion", group), hint, say("leave")]));
}

function endButton(view, group) {
  const end = () => leave(view, `delgroup ${group}`, [say("endGroupQuestion", group), null, say("endGroup")]);
  return button(say("endGroup"), end, { class: "danger" });
}

async function leave(view, line, question) {
  if (!(await confirm(...question))) return;
  await act(view, line, () => {
    view.client.left(view.conversation.title);
    view.dialog.close();
  });
}

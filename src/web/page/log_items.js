// The parts of a conversation's log: messages, the days between them, the unread ruler, and what is on its way.

import { isServer } from "./conversations.js";
import { avatar, button, el, tinted } from "./dom.js";
import { isNamed, messageText } from "./message_text.js";
import { countdown } from "./patience.js";
import { titleOf } from "./sidebar.js";
import { clock, day, errorOf, isSameDay, moment, reasonOf, say } from "./words.js";

// Messages of one person within this time stand together.
const TOGETHER = 5 * 60 * 1000;

// Everything that a log shows, in order: { key, build, isContinued }.
export function itemsOf(conversation, { client, ruler, outbox }) {
  const items = [];
  let before = null;
  // The ruler needs a read message before it, or the beginning: else it would move while earlier ones come.
  let isRuled = ruler === null || (conversation.before !== null && !(conversation.messages[0]?.id <= ruler));
  for (const message of conversation.messages) {
    const isNewDay = !before || !isSameDay(before.time, message.time);
    if (isNewDay) items.push({ key: `day ${new Date(message.time).toDateString()}`, build: () => dayItem(message.time) });
    const isFirstUnread = !isRuled && message.id > ruler && !client.conversations.isOwn(message);
    if (isFirstUnread) {
      items.push({ key: "ruler", build: rulerItem });
      isRuled = true;
    }
    const isContinued = !isNewDay && !isFirstUnread && isTogether(before, message);
    items.push({ key: `message ${message.id}`, build: () => messageItem(client, message), isContinued });
    before = message;
  }
  const own = { from: client.me.user };
  for (const item of outbox.of(conversation)) {
    const pause = item === outbox.next ? outbox.pause : null;
    const key = `outbox ${item.tag} ${item.state} ${pause?.time} ${item === outbox.next}`;
    own.time = item.time;
    const isContinued = before !== null && isTogether(before, own);
    items.push({ key, build: () => waitingItem(client, item, outbox, pause), isContinued });
    before = own;
  }
  return items;
}

function isTogether(before, message) {
  return before.from === message.from && new Date(message.time) - new Date(before.time) < TOGETHER;
}

function dayItem(time) {
  return el("div", { class: "day", role: "separator" }, el("span", {}, day(time)));
}

function rulerItem() {
  return el("div", { class: "ruler", role: "separator" }, el("span", {}, say("newMessages")));
}

function messageItem(client, message) {
  const note = message.delivered === false ? el("span", { class: "note" }, say("notDelivered")) : null;
  const isOwn = client.conversations.isOwn(message);
  return article(client, message, { note, isOwn, namesMe: !isOwn && isNamed(client.me.user, message.msg) });
}

function waitingItem(client, item, outbox, pause) {
  const message = { from: client.me.user, msg: item.text, time: item.time };
  const { state } = item;
  const note = el("span", { class: `note ${state}` }, say(state));
  if (pause) {
    note.replaceChildren(`${reasonOf(pause.reply)} `, countdown(pause.time, (rest) => say("againIn", rest)));
  } else if (state === "pending" && item !== outbox.next) {
    note.textContent = say("queued");
  } else if (state === "failed") {
    note.append(
      `: ${errorOf(item.problem)} `,
      button(say("retry"), () => outbox.retry(item), { class: "link" }),
      button(say("discard"), () => outbox.discard(item), { class: "link" }),
    );
  }
  return article(client, message, { note, isOwn: true, state });
}

function article(client, message, { note, isOwn, namesMe, state }) {
  const name = titleOf(client, message.from);
  const kind = ["message", isOwn && "own", namesMe && "names-me", state].filter(Boolean).join(" ");
  return el(
    "article",
    { class: kind },
    avatar(message.from, [...name][0]?.toUpperCase()),
    el(
      "header",
      {},
      tinted(el("b", { title: message.from }, name), message.from),
      name === message.from || isServer(message.from) ? null : el("span", { class: "handle" }, message.from),
      el("time", { datetime: new Date(message.time).toISOString(), title: moment(message.time) }, clock(message.time)),
    ),
    el("p", { dir: "auto" }, ...messageText(message.msg)),
    note,
  );
}

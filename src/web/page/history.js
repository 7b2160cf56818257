// Earlier messages of a conversation, page by page.

import { EVERYONE } from "./conversations.js";

const PAGE = 50;
// Pages of everything that are looked through for broadcasts at a time.
const PAGES_AT_ONCE = 8;

// Loads the page before those that are known. Returns how many messages came.
export async function loadEarlier(client, conversation) {
  const count = conversation.messages.length;
  const load = conversation.name === EVERYONE ? loadBroadcasts : loadPage;
  // A page may hold nothing but what came with the newest messages of all conversations.
  while (conversation.before !== null && conversation.messages.length === count) {
    await load(client, conversation);
    conversation.isLoaded = true;
    if (conversation.name === EVERYONE) break;
  }
  return conversation.messages.length - count;
}

async function loadPage(client, conversation) {
  const reply = await client.ask(`history ${conversation.name} ${since(conversation)}limit ${PAGE}`);
  // Of somebody who has never been heard of there is no history.
  if (reply.status !== "OK") return void (conversation.before = null);
  reply.data.forEach((message) => client.conversations.add(message));
  conversation.before = reply.more ? reply.before : null;
}

// Broadcasts have no history of their own: they are picked out of that of everything.
async function loadBroadcasts(client, conversation) {
  const wanted = conversation.messages.length + PAGE / 2;
  for (let pages = 0; pages < PAGES_AT_ONCE && conversation.messages.length < wanted; pages += 1) {
    const reply = await client.ask(`history ${since(conversation)}limit ${PAGE * 10}`);
    if (reply.status !== "OK") return;
    reply.data.filter((message) => message.kind === "broadcast").forEach((message) => client.conversations.add(message));
    conversation.before = reply.more ? reply.before : null;
    if (conversation.before === null) return;
  }
}

function since({ before }) {
  return before === Infinity ? "" : `before ${before} `;
}

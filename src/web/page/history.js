// Earlier messages of a conversation, page by page.

const PAGE = 50;
// The first page shows where the unread ones begin, unless they are more than this.
const LARGEST_PAGE = 400;

// Loads the page before those that are known. Returns how many messages came.
export async function loadEarlier(client, conversation) {
  const count = conversation.messages.length;
  // A page may hold nothing but what came live before it was asked for.
  do {
    const size = conversation.isLoaded ? PAGE : Math.min(LARGEST_PAGE, Math.max(PAGE, conversation.unread + PAGE / 2));
    await loadPage(client, conversation, size);
    conversation.isLoaded = true;
  } while (conversation.before !== null && conversation.messages.length === count);
  return conversation.messages.length - count;
}

async function loadPage(client, conversation, size) {
  const before = conversation.before === Infinity ? "" : `before ${conversation.before} `;
  const reply = await client.patiently(`history ${conversation.name} ${before}limit ${size}`);
  // Of somebody who has never been heard of there is no history.
  if (reply.status !== "OK") return void (conversation.before = null);
  reply.data.forEach((message) => client.conversations.add(message));
  conversation.before = reply.more ? reply.before : null;
}

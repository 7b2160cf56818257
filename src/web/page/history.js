// Earlier messages of a conversation, page by page.

const PAGE = 50;
// The first page shows where the unread ones begin, unless they are more than this: then the newest are shown at once.
const LARGEST_PAGE = 200;

// Loads the page before those that are known. Returns how many messages came.
export async function loadEarlier(client, conversation) {
  const count = conversation.messages.length;
  // A page may hold nothing but what came live before it was asked for.
  do {
    await loadPage(client, conversation, sizeOf(conversation));
    conversation.isLoaded = true;
  } while (conversation.before !== null && conversation.messages.length === count);
  return conversation.messages.length - count;
}

function sizeOf({ isLoaded, unread }) {
  const size = unread + PAGE / 2;
  return isLoaded || size > LARGEST_PAGE ? PAGE : Math.max(PAGE, size);
}

async function loadPage(client, conversation, size) {
  const before = conversation.before === Infinity ? "" : `before ${conversation.before} `;
  const reply = await client.patiently(`history ${conversation.name} ${before}limit ${size}`);
  // Of somebody who has never been heard of there is no history.
  if (reply.status !== "OK") return void (conversation.before = null);
  reply.data.forEach((message) => client.conversations.add(message));
  conversation.before = reply.more ? reply.before : null;
}

// Replies that mean "not now": which they are, for how long to wait, and a countdown that people can see.

import { el } from "./dom.js";
import { duration } from "./words.js";

// Nothing was done: the same request may be sent again.
const PASSING = new Set(["slow_down", "throttled", "busy", "storage_failed", "shutting_down", "unavailable"]);
// For a reply that names no time.
const DEFAULT_SECONDS = 5;

// When the request may be sent again, or null if its answer is final. By a tag the server knows whether it was done.
export function retryTime(reply, { isTagged = false } = {}) {
  if (!PASSING.has(reply.code) && !(isTagged && reply.code === "unknown_outcome")) return null;
  return Date.now() + (reply.retry_after ?? DEFAULT_SECONDS) * 1000;
}

export function until(time) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}

// Text that counts down to a time, for as long as it is on the page. It is not read out: it would never stop.
export function countdown(time, describe) {
  const text = el("span", { class: "countdown", "aria-hidden": "true" });
  const show = () => (text.textContent = describe(duration(Math.max(0, Math.ceil((time - Date.now()) / 1000)))));
  const tick = setInterval(() => {
    if (text.isConnected && time > Date.now()) return show();
    clearInterval(tick);
  }, 250);
  show();
  return text;
}

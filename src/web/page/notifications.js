// What reaches somebody who looks elsewhere: a notification and the count in the title, each only if asked for.

import { plain } from "./message_text.js";
import { preference, prefer } from "./storage.js";

export const areWanted = () => preference("notifications") === true && "Notification" in window && Notification.permission === "granted";

// Returns whether they are on now.
export async function setNotifications(wanted) {
  const isAllowed = wanted && "Notification" in window && (await Notification.requestPermission()) === "granted";
  prefer("notifications", isAllowed);
  return isAllowed;
}

export function notify(title, message, open) {
  if (!areWanted() || document.hasFocus()) return;
  const body = plain(message.msg).slice(0, 200);
  let notification;
  try {
    notification = new Notification(title, { body, tag: `kabar-${title}`, icon: "icon-192.png" });
  } catch {
    // Chromium on Android has the class, and permission for it, but only a service worker may use it.
    return prefer("notifications", false);
  }
  notification.onclick = () => {
    window.focus();
    open();
    notification.close();
  };
}

export const isCounted = () => preference("count") !== false;

let count = 0;

export function showCount(unread) {
  count = unread;
  document.title = count && isCounted() ? `(${count}) kabar` : "kabar";
}

export function setCounted(wanted) {
  prefer("count", wanted);
  showCount(count);
}

// The start of the page: shows who is logged in their conversations, everybody else the way in.

import { Banner } from "./banner.js";
import { Client } from "./client.js";
import { el } from "./dom.js";
import { loginView } from "./login.js";
import { Shell } from "./shell.js";
import { endOf, language, say } from "./words.js";

document.documentElement.lang = language;

const address = new URL("ws", location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
address.search = address.hash = "";
const client = new Client(address);

const banner = new Banner(() => client.retryNow());
const place = el("div", { class: "place" }, el("p", { class: "connecting" }, say("connecting")));
document.body.replaceChildren(banner.element, place);

let shell = null;

client.addEventListener("ready", () => {
  banner.hide();
  if (shell?.conversations === client.conversations) return shell.view.ready();
  closeShell();
  shell = { conversations: client.conversations, view: new Shell(client) };
  place.replaceChildren(shell.view.element);
});

client.addEventListener("out", ({ detail: { cause, user, isRemembered } }) => {
  banner.hide();
  // The line came back while somebody was typing a password.
  if (place.querySelector(".login")) return;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  closeShell();
  place.replaceChildren(loginView(client, { notice: endOf(cause), user, isRemembered }));
});

client.addEventListener("lost", ({ detail }) => banner.lost(detail));
client.addEventListener("waiting", ({ detail }) => banner.waiting(detail));

function closeShell() {
  shell?.view.close();
  shell = null;
}

client.start();

// The start of the page: shows who is logged in their conversations, everybody else the way in.

import { Client } from "./client.js";
import { button, el } from "./dom.js";
import { loginView } from "./login.js";
import { Shell } from "./shell.js";
import { language, say } from "./words.js";

document.documentElement.lang = language;

const address = new URL("ws", location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
address.search = address.hash = "";
const client = new Client(address);

const banner = el("div", { class: "banner", role: "status", hidden: true });
const place = el("div", { class: "place" }, el("p", { class: "connecting" }, say("connecting")));
document.body.replaceChildren(banner, place);

let shell = null;
let wasLoggedIn = false;
let countdown = null;

client.addEventListener("ready", () => {
  hideBanner();
  if (shell?.conversations === client.conversations) return shell.view.ready();
  closeShell();
  shell = { conversations: client.conversations, view: new Shell(client) };
  wasLoggedIn = true;
  place.replaceChildren(shell.view.element);
});

client.addEventListener("out", () => {
  hideBanner();
  // The line came back while somebody was typing a password.
  if (place.querySelector(".login")) return;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  closeShell();
  client.conversations = null;
  place.replaceChildren(loginView(client, wasLoggedIn ? say("loggedOut") : null));
});

client.addEventListener("lost", ({ detail }) => showBanner(detail.until));

function closeShell() {
  shell?.view.close();
  shell = null;
}

// When the next try is, and a way not to wait for it. The text is read out once, the countdown only seen.
function showBanner(until) {
  clearInterval(countdown);
  const text = el("span", { "aria-hidden": "true" });
  const now = button(say("now"), () => client.retryNow());
  banner.replaceChildren(el("span", { class: "visually-hidden" }, say("trying")), text, now);
  banner.hidden = false;
  const show = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    text.textContent = seconds > 0 ? say("offline", seconds) : say("trying");
  };
  show();
  countdown = setInterval(show, 250);
}

function hideBanner() {
  clearInterval(countdown);
  banner.hidden = true;
}

client.start();

// Where messages are written. What is not sent yet stays as a draft of its conversation.

import { Completion } from "./completion.js";
import { confirm } from "./dialog.js";
import { el, iconButton } from "./dom.js";
import * as storage from "./storage.js";
import { say } from "./words.js";

// The longest request line of a server that is not configured otherwise, and room for the command before the text.
const LINE_BYTES = 8192;
const COMMAND_BYTES = 160;
// So many lines are sent without a question.
const LINES = 3;

export class Composer {
  #client;
  #conversation = null;

  constructor(client) {
    this.#client = client;
    this.completion = new Completion(() => this.#names());
    this.text = el("textarea", {
      rows: "1",
      enterkeyhint: "send",
      autocapitalize: "sentences",
      onkeydown: (event) => this.#key(event),
      oninput: () => this.#changed(),
    });
    this.problem = el("p", { class: "problem", role: "alert" });
    const send = iconButton("send", say("send"), () => this.#send(), { class: "icon send" });
    // A tap must not take the keyboard away.
    send.addEventListener("pointerdown", (event) => event.preventDefault());
    this.element = el("form", { class: "composer", onsubmit: (event) => event.preventDefault() }, this.problem, this.text, send);
  }

  show(conversation, title) {
    this.#conversation = conversation;
    const label = say("writeTo", title);
    this.text.placeholder = label;
    this.text.setAttribute("aria-label", label);
    this.text.value = storage.read(this.#draftKey()) ?? "";
    this.problem.textContent = "";
    this.#fit();
  }

  focus() {
    this.text.focus();
  }

  #draftKey() {
    return `draft.${this.#client.me.user}.${this.#conversation.name.toLowerCase()}`;
  }

  #changed() {
    this.problem.textContent = "";
    if (this.text.value) storage.write(this.#draftKey(), this.text.value);
    else storage.remove(this.#draftKey());
    this.#fit();
  }

  #fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  // Who spoke here last comes first, then who is online.
  #names() {
    const authors = this.#conversation.messages.map(({ from }) => from).reverse();
    const names = new Set([...authors, ...this.#client.onlineNames]);
    names.delete(this.#client.me.user);
    return [...names];
  }

  #key(event) {
    const isTab = event.key === "Tab" && !event.shiftKey && !event.isComposing;
    if (isTab && this.completion.complete(this.text)) {
      event.preventDefault();
      return this.#changed();
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  async #send() {
    const lines = linesOf(this.text.value);
    if (!lines.length) return;
    const excess = Math.max(...lines.map(bytes)) + COMMAND_BYTES - LINE_BYTES;
    if (excess > 0) return void (this.problem.textContent = say("tooLong", excess));
    if (lines.length > LINES && !(await confirm(say("several", lines.length), say("severalHint"), say("send")))) return;
    this.text.value = "";
    this.#changed();
    lines.forEach((line) => this.#client.outbox.add(this.#conversation, line));
    this.focus();
  }
}

// A request is one line without control characters, so that each line becomes a message.
function linesOf(text) {
  const lines = text.split(/[\r\n\u2028\u2029]+/).map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, " ").trim());
  return lines.filter((line) => line !== "");
}

function bytes(text) {
  return new TextEncoder().encode(text).length;
}

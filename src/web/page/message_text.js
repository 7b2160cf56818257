// The text of a message: links can be followed, what cannot be seen is named, and everything else is shown as it is.

import { el } from "./dom.js";

// Control characters, and those that change the direction of writing or take no room. Joiners stay: emoji need them.
const HIDDEN = "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff";
const PARTS = new RegExp(`([${HIDDEN}])|(https?://[^\\s<>"'\`${HIDDEN}]+)`, "gi");

export function messageText(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(PARTS)) {
    parts.push(text.slice(end, found.index));
    const shown = found[1] ? found[0] : withoutPunctuation(found[0]);
    parts.push(found[1] ? hidden(shown) : link(shown));
    end = found.index + shown.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

// Whether a text contains the name as a word of its own.
export function isNamed(name, text) {
  const words = text.toLowerCase().split(/[^a-z0-9_.-]+/);
  return words.some((word) => word === name.toLowerCase() || word.replace(/\.+$/, "") === name.toLowerCase());
}

// A name as somebody else chose it, on one line.
export function plain(text) {
  return text.replace(new RegExp(`[${HIDDEN}]`, "g"), "\ufffd");
}

function hidden(character) {
  const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return el("span", { class: "hidden-character" }, `U+${code}`);
}

function link(target) {
  const isLink = URL.canParse(target) && /^https?:$/.test(new URL(target).protocol);
  if (!isLink) return target;
  return el("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, target);
}

// The end of a sentence is not part of a link, nor is a bracket that was opened before it.
function withoutPunctuation(target) {
  let end = target.replace(/[.,;:!?…]+$/, "");
  while (end.endsWith(")") && end.split(")").length > end.split("(").length) end = end.slice(0, -1);
  return end;
}

// Builds elements. Text is always a text node: nothing is ever parsed as HTML.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) return element.addEventListener(name.slice(2), value);
  element.setAttribute(name, value === true ? "" : value);
}

export function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, label);
}

// An icon of one path on a grid of 24, drawn in the colour of the text.
export function icon(path) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  menu: "M4 6h16M4 12h16M4 18h16",
  plus: "M12 5v14M5 12h14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  more: "M5 11.5v1M12 11.5v1M19 11.5v1",
  send: "M4 12l16-8-6 16-2.5-6.5z",
  down: "M6 9l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  settings: "M4 7h10M18 7h2M16 5v4M4 17h4M12 17h8M10 15v4",
};

export function iconButton(name, label, onclick, attributes = {}) {
  return button(icon(ICONS[name]), onclick, { class: "icon", "aria-label": label, title: label, ...attributes });
}

// A stable hue for a name (FNV-1a), so that a person has the same colour everywhere.
function hue(name) {
  let hash = 0x811c9dc5;
  for (const character of name.toLowerCase()) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return (hash >>> 8) % 360;
}

// The colour of a person or a room; the style sheet makes it light or dark.
export function tinted(element, name) {
  element.style.setProperty("--hue", hue(name));
  return element;
}

export function avatar(name, mark, isRoom = false) {
  const initial = mark ?? [...name][0]?.toUpperCase() ?? "?";
  return tinted(el("span", { class: isRoom ? "avatar room" : "avatar", "aria-hidden": "true" }, initial), name);
}

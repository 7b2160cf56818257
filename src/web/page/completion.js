// Completes the name before the cursor: each Tab puts in the next name that fits. After the last one, and where none fits, Tab
// moves the focus as everywhere.

export class Completion {
  #names;
  // What was put in last: { start, end, fitting, place }.
  #last = null;

  // `names` returns those that can be completed, the likely ones first.
  constructor(names) {
    this.#names = names;
  }

  // Returns whether a name was put in.
  complete(text) {
    const { start, fitting, place } = this.#next(text);
    if (place >= fitting.length) return false;
    // Somebody is addressed at the beginning.
    const after = start === 0 ? ": " : " ";
    text.setRangeText(fitting[place] + after, start, text.selectionEnd, "end");
    this.#last = { start, end: text.selectionEnd, value: text.value, fitting, place };
    return true;
  }

  #next(text) {
    const { value, selectionEnd: end } = text;
    const last = this.#last;
    if (last?.end === end && last.value === value) return { ...last, place: last.place + 1 };
    const start = value.slice(0, end).search(/[^\s@]*$/);
    const begun = value.slice(start, end).toLowerCase();
    const fitting = begun ? this.#names().filter((name) => name.toLowerCase().startsWith(begun)) : [];
    return { start, fitting, place: 0 };
  }
}

// One WebSocket at a time: requests and their replies in order, events, and reconnecting.

const FIRST_DELAY = 1;
const LONGEST_DELAY = 30;
// Silence after which the line is tried, and the time that an answer may take.
const SILENCE = 25_000;
const ANSWER = 10_000;

// The line broke before a request was answered. Whether it was done is not known.
export class LineLost extends Error {}

// For a request that the next connection makes again anyhow.
export function unlessLost(error) {
  if (!(error instanceof LineLost)) throw error;
}

export class Connection extends EventTarget {
  #url;
  #socket = null;
  #waiting = [];
  #attempts = 0;
  #retry = null;
  #silence = null;
  #farewell = null;

  constructor(url) {
    super();
    this.#url = url;
    addEventListener("online", () => this.retryNow());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start() {
    this.#connect();
  }

  retryNow() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  // Resolves with the reply, an error reply too.
  request(line) {
    if (!this.isOpen) return Promise.reject(new LineLost());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.send(line);
    });
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#farewell = null;
    socket.addEventListener("open", () => {
      this.#listen();
      this.dispatchEvent(new Event("open"));
    });
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener("close", () => this.#lost(socket));
  }

  #receive(frame) {
    this.#listen();
    if (frame.event) return this.dispatchEvent(new CustomEvent("push", { detail: frame }));
    const first = this.#waiting.shift();
    if (first) return first.resolve(frame);
    // The server says why it is about to close.
    this.#farewell = frame;
  }

  // The session stands: what went wrong before does not count any more.
  settled() {
    this.#attempts = 0;
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#try(), SILENCE);
  }

  #try() {
    if (!this.isOpen) return;
    this.request("ping").catch(() => {});
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#silence = setTimeout(() => {
      socket.close();
      this.#lost(socket);
    }, ANSWER);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#silence);
    this.#socket = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(({ reject }) => reject(new LineLost()));
    const seconds = Math.min(FIRST_DELAY * 2 ** this.#attempts, LONGEST_DELAY) * (0.75 + Math.random() / 2);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), seconds * 1000);
    this.dispatchEvent(new CustomEvent("lost", { detail: { until: Date.now() + seconds * 1000, farewell: this.#farewell } }));
  }
}

#!/usr/bin/env node
// A client of kabar in one file: sends a message, or shows what is new.
//
//     client.mjs HOST PORT USER PASSWORD             shows the inbox
//     client.mjs HOST PORT USER PASSWORD TO TEXT...  sends a message

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

class Kabar {
  #socket;
  #waiting = [];

  constructor(host, port) {
    this.#socket = connect({ host, port });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the server closed the connection")));
    createInterface({ input: this.#socket }).on("line", (line) => line && this.#hear(JSON.parse(line)));
  }

  // A frame with `event` was not asked for; every other one answers the oldest request.
  #hear(frame) {
    if (frame.event) return;
    this.#waiting.shift()?.resolve(frame);
  }

  #fail(error) {
    this.#waiting.splice(0).forEach(({ reject }) => reject(error));
  }

  async ask(line) {
    for (;;) {
      this.#socket.write(`${line}\n`);
      const reply = await new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
      if (reply.status === "OK") return reply;
      if (reply.code !== "slow_down") throw new Error(`${reply.code}: ${reply.detail ?? reply.message}`);
      // Nothing was done: the same line may be sent again.
      await sleep(reply.retry_after * 1000);
    }
  }

  end() {
    this.#socket.end();
  }
}

const [host, port, user, password, to, ...text] = process.argv.slice(2);
if (!password) {
  console.error("usage: client.mjs HOST PORT USER PASSWORD [TO TEXT...]");
  process.exit(2);
}

const kabar = new Kabar(host, Number(port));
try {
  await kabar.ask(`auth ${user} ${password}`);
  if (to) {
    const { data } = await kabar.ask(`#${randomUUID()} send ${to} ${text.join(" ")}`);
    console.log("sent as", data.id);
  } else {
    const { data } = await kabar.ask("inbox");
    for (const { time, from, msg } of data) console.log(time, `${from}:`, msg);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
kabar.end();

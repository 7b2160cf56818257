#!/usr/bin/env python3
"""A client of kabar in one file: sends a message, or shows what is new.

    client.py HOST PORT USER PASSWORD             shows the inbox
    client.py HOST PORT USER PASSWORD TO TEXT...  sends a message
"""

import json
import socket
import sys
import time
import uuid


class Kabar:
    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=10).makefile("rw", encoding="utf-8", newline="\n")

    def ask(self, line):
        """Sends a line and returns its reply. Events would have to be told from it by their key `event`."""
        while True:
            self.stream.write(line + "\n")
            self.stream.flush()
            frame, _empty = self.stream.readline(), self.stream.readline()
            if not frame:
                raise ConnectionError("the server closed the connection")
            reply = json.loads(frame)
            if reply.get("code") != "slow_down":
                break
            # Nothing was done: the same line may be sent again.
            time.sleep(reply["retry_after"])
        if reply["status"] != "OK":
            raise RuntimeError(f"{reply['code']}: {reply.get('detail', reply['message'])}")
        return reply


def log_in(host, port, user, password):
    kabar = Kabar(host, port)
    kabar.ask(f"auth {user} {password}")
    return kabar


def send(arguments, to, text):
    """Done once, however often the line breaks: the tag makes a repeated request the same one."""
    tag = uuid.uuid4()
    for attempt in range(3):
        try:
            return log_in(*arguments).ask(f"#{tag} send {to} {text}")["data"]["id"]
        except OSError:
            if attempt == 2:
                raise


def show_inbox(arguments):
    kabar, more = log_in(*arguments), True
    while more:
        page = kabar.ask("peek")
        for message in page["data"]:
            print(message["time"], message["from"] + ":", message["msg"])
        # Shown, so it may go: a crash before this line shows the page again.
        if page["data"]:
            kabar.ask(f"ack {page['data'][-1]['id']}")
        more = page.get("more", False)


def main(host, port, user, password, to=None, *text):
    arguments = (host, int(port), user, password)
    if to is None:
        show_inbox(arguments)
    else:
        print("sent as", send(arguments, to, " ".join(text)))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

"""What the screenshots show: a server, four people, and what they say."""

import json
import pathlib
import socket
import subprocess
import time

DOCS = pathlib.Path(__file__).resolve().parent.parent
KABAR = DOCS.parent / "target/release/kabar"
PASSWORD = "rahasia"
PATIENCE = 20

# Who says what, in the order in which it is said.
PEOPLE = {"sari": "Sari_Dewi", "budi": "Budi_Santoso", "rina": "Rina_Hartono", "alice": "Alice_Wijaya"}
CONVERSATION = [
    ("sari", "send alice Jadi makan siang bersama?"),
    ("budi", "broadcast Server dimatikan sebentar pukul 18.00."),
    ("rina", "send alice Terima kasih catatannya!"),
    ("budi", "creategroup informatika21 kopi"),
    ("sari", "joingroup informatika21 kopi"),
    ("rina", "joingroup informatika21 kopi"),
    ("alice", "joingroup informatika21 kopi"),
    ("budi", "sendgroup informatika21 Pagi! Tugas kedua sudah keluar."),
    ("budi", "sendgroup informatika21 Soalnya ada di https://kampus.example/tugas/2 (bab 3)."),
    ("sari", "sendgroup informatika21 Sudah kubaca. Siapa yang mau sekelompok?"),
    ("alice", "sendgroup informatika21 Aku ikut. Kita bagi dua saja: aku protokolnya, kamu klien."),
    ("alice", "sendgroup informatika21 Besok jam 10 di lab?"),
    ("rina", "sendgroup informatika21 Alice, boleh bertiga? Aku sudah punya tesnya."),
    ("sari", "sendgroup informatika21 Jam 10 bisa. Sampai besok!"),
]


class Line:
    """A connection to the json listener."""

    def __init__(self, address):
        self.stream = socket.create_connection(address).makefile("rw", newline="\n")

    def ask(self, line):
        self.stream.write(line + "\n")
        self.stream.flush()
        reply = json.loads(self.stream.readline())
        self.stream.readline()
        assert reply["status"] == "OK", (line, reply)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Line(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline, "kabar does not start"


def begin(processes, data, chat, web):
    """Starts a server on these ports, and has everything said. Returns the connections of the people."""
    kabar = [KABAR, "--data", data, "--listen-text", "none"]
    kabar += ["--listen", f"127.0.0.1:{chat}", "--web", f"127.0.0.1:{web}"]
    processes.append(subprocess.Popen(kabar, stderr=subprocess.DEVNULL))
    people = {name: connect(chat) for name in PEOPLE}
    for name, full_name in PEOPLE.items():
        people[name].ask(f"register {name} {PASSWORD} {full_name} Indonesia")
    for name, line in CONVERSATION:
        people[name].ask(line)
    return people

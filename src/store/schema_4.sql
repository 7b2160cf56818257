-- Version 4: administrators decide who may come.

-- Who is kept out. kind 0: a user, 1: a user of another realm, 2: a network, 3: another realm.
CREATE TABLE bans (
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL, -- of the user or the realm; of a network the length of its prefix
    name TEXT NOT NULL, -- in the other realm, in lower case; of a network its address
    seq INTEGER NOT NULL, -- the log entry that says so
    banned_by INTEGER, -- a user; none for the operator at the server's machine
    since INTEGER NOT NULL, -- milliseconds since 1970, UTC
    until INTEGER, -- likewise; none for ever
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, number, name)
) WITHOUT ROWID;

-- Accounts that nobody can log in to.
CREATE TABLE locks (user_id INTEGER PRIMARY KEY);

-- Codes with which new users may register.
CREATE TABLE invites (
    seq INTEGER PRIMARY KEY, -- the log entry that made it
    code BLOB NOT NULL, -- SHA-256
    made_by INTEGER,
    uses INTEGER NOT NULL, -- how many are left
    until INTEGER NOT NULL
);

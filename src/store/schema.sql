-- All events in one order: everything else here is a view of it. A row packs consecutive records of one batch, with a
-- checksum; docs/STORE.md describes its bytes.
CREATE TABLE log (
    last INTEGER PRIMARY KEY, -- the number of its last record
    data BLOB NOT NULL
);

-- The older part of the timeline index. A chunk packs some consecutive entries of one timeline; `last` is the newest of
-- them. Not WITHOUT ROWID, nor runs: rows of hundreds of bytes would make a deep tree, and each would be written to a page
-- of its own. kind 0: a user's timeline, 1: a group's, 2: the broadcasts (owner 0), 3: the outbox to a realm.
CREATE TABLE chunks (
    kind INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    last INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (kind, owner, last)
);

-- One row: every message up to this log entry stands in a chunk.
CREATE TABLE indexed (upto INTEGER NOT NULL);
INSERT INTO indexed (upto) VALUES (0);

-- What retention took out of a timeline: every entry up to this one, which was the newest of them. A message stays in the
-- log for as long as a timeline holds it.
CREATE TABLE removed (
    kind INTEGER NOT NULL, -- as in chunks
    owner INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (kind, owner)
) WITHOUT ROWID;

-- One row: a number and a time that were given, though the log may not hold them. What is given next comes after both.
CREATE TABLE head (seq INTEGER NOT NULL, time INTEGER NOT NULL);
INSERT INTO head (seq, time) VALUES (0, 0);

-- The entities, as the events up to the newest left them.
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    country TEXT NOT NULL,
    password TEXT NOT NULL,
    registered INTEGER NOT NULL, -- log entry
    seen INTEGER, -- milliseconds since 1970, UTC
    cursor INTEGER NOT NULL, -- the inbox is read up to this log entry
    unregistered INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, -- the log entry that opened it
    user_id INTEGER NOT NULL,
    token BLOB NOT NULL, -- SHA-256
    opened INTEGER NOT NULL,
    used INTEGER NOT NULL,
    ephemeral INTEGER NOT NULL,
    origin TEXT NOT NULL -- the client's address
);

CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    password TEXT,
    deleted INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE members (
    joined INTEGER PRIMARY KEY, -- the log entry of joining
    group_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    "left" INTEGER -- the log entry of leaving; none while a member, and where the group was deleted
);
CREATE INDEX current_members ON members (group_id, user_id) WHERE "left" IS NULL;

-- Without the home realm, number 0. kind 0: a further name of this server, 1: another server, 2: what another server
-- calls this one, 3: none any more.
CREATE TABLE realms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    added_by INTEGER, -- a user
    key BLOB, -- of another server: its public key, also where it was removed, …
    host TEXT, -- … where it is dialled, …
    port INTEGER,
    self_named INTEGER NOT NULL DEFAULT 0, -- … whether it has only its own name for itself here, …
    called INTEGER, -- … the realm by whose name it calls this server, …
    cursor INTEGER NOT NULL DEFAULT 0 -- … and up to which log entry it has what is in its outbox
);

-- The epochs of the log: the numbers that clients and other servers are told are of an epoch, from this log entry on.
CREATE TABLE incarnations (begun INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL);

-- Up to which number of another server, in each of its epochs, everything was taken in.
CREATE TABLE received (
    realm_id INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    seq INTEGER NOT NULL, -- the log entry that says so
    PRIMARY KEY (realm_id, incarnation)
) WITHOUT ROWID;

-- What of that was refused and the other server has not noted yet. why 0: no such user, 1: no such group, 2: closed group,
-- 3: blocked, 4: no message.
CREATE TABLE refused (
    realm_id INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    why INTEGER NOT NULL,
    seq INTEGER NOT NULL, -- the log entry that says so
    PRIMARY KEY (realm_id, incarnation, number)
) WITHOUT ROWID;

CREATE TABLE realm_cursors (
    since INTEGER PRIMARY KEY, -- the log entry of the first reading
    user_id INTEGER NOT NULL,
    realm_id INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    UNIQUE (user_id, realm_id)
);

-- What was pushed live past a user's cursor: after the one entry, up to and with the other.
CREATE TABLE live_intervals (
    user_id INTEGER NOT NULL,
    after INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (user_id, after)
) WITHOUT ROWID;

-- The tagged requests that were done of late.
CREATE TABLE done (
    seq INTEGER PRIMARY KEY, -- the log entry that remembers it
    user_id INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    request INTEGER NOT NULL,
    first INTEGER NOT NULL, -- the log entry that it was answered with
    time INTEGER NOT NULL,
    page TEXT, -- JSON
    refused INTEGER, -- why another realm did not take the message, as in the table refused
    UNIQUE (user_id, tag)
);

-- Whom a user does not want to hear from.
CREATE TABLE blocks (
    user_id INTEGER NOT NULL,
    blocked_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) WITHOUT ROWID;

-- The same of people of other realms, their names in lower case.
CREATE TABLE remote_blocks (
    user_id INTEGER NOT NULL,
    realm_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (user_id, realm_id, name)
) WITHOUT ROWID;

-- What came last of the timeline index, where few entries came to many timelines: a run packs the newest entries of a
-- partition of neighbouring timelines, those numbered n * 128 and on for partition n of a kind. It is newer than the
-- chunks of its timelines. Some runs together become one, and some of those chunks.
CREATE TABLE runs (
    kind INTEGER NOT NULL, -- as in chunks
    partition INTEGER NOT NULL,
    level INTEGER NOT NULL, -- 0: made of several, 1: as it was written at first, and newer than all of level 0
    number INTEGER NOT NULL, -- from 0 on, the oldest first
    newest INTEGER NOT NULL, -- the newest of its entries
    tails BLOB NOT NULL,
    PRIMARY KEY (kind, partition, level, number)
);

-- How far a user has read a conversation, if that is past the cursor, or was when the user marked one last. kind 0: with a
-- user, 1: in a group, 2: with a user of another realm, 3: with a group there, 4: the broadcasts, 5: this server.
CREATE TABLE read_marks (
    user_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL, -- of the user, the group or the realm
    name TEXT NOT NULL, -- in the other realm, in lower case
    upto INTEGER NOT NULL, -- log entry
    time INTEGER NOT NULL, -- of the mark: milliseconds since 1970, UTC
    PRIMARY KEY (user_id, kind, number, name)
) WITHOUT ROWID;

-- What came last of the timeline index, where few entries came to many timelines: a run packs the newest entries of a
-- partition of neighbouring timelines, those numbered n * 128 and on for partition n of a kind. It is newer than the
-- chunks of its timelines. Some runs together become one, and some of those chunks.
CREATE TABLE runs (
    level INTEGER NOT NULL, -- 0: as it was written at first, 1: made of several, and older than all of level 0
    number INTEGER NOT NULL, -- from 0 on, the oldest first
    kind INTEGER NOT NULL, -- as in chunks
    partition INTEGER NOT NULL,
    tails BLOB NOT NULL,
    PRIMARY KEY (level, number, kind, partition)
) WITHOUT ROWID;

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

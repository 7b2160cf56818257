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

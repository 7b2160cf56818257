-- What came last of the timeline index, where few entries came to many timelines: a run packs the newest entries of a
-- partition of neighbouring timelines, number n * 128 and on for partition n of a kind. A partition's runs are numbered
-- from 0, the oldest first, and are newer than the chunks of its timelines. Some runs together become chunks.
CREATE TABLE runs (
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL, -- as in chunks
    partition INTEGER NOT NULL,
    tails BLOB NOT NULL,
    PRIMARY KEY (number, kind, partition)
) WITHOUT ROWID;

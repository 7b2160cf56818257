//! Every bound of the server, in one place, each with the reason for its value. Those that an operator may want to move
//! are defaults here and keys in the configuration.

use std::time::Duration;

// --- names and accounts (PROTOCOL §2, §3) ---

/// The longest name, in bytes: PROTOCOL §3.
pub const NAME_BYTES: usize = 32;
/// The longest password of a user or group, in bytes: PROTOCOL §3.
pub const PASSWORD_BYTES: usize = 128;
/// The longest full name or country, in bytes: they ride in every message of their owner.
pub const PROFILE_BYTES: usize = 128;
/// The sessions of one user; the least recently used goes: PROTOCOL §2.
pub const SESSIONS_PER_USER: usize = 32;
/// A session's last use is noted at most this often, so that use costs no disk: fine enough to tell 32 devices apart.
pub const SESSION_TOUCH: Duration = Duration::from_secs(10 * 60);
/// The free space of the disk is looked at this often, and the memory for slow readers: a user writes some 64 MB meanwhile.
pub const DISK_WATCH: Duration = Duration::from_secs(1);
/// Expired sessions are looked for this often.
pub const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// Sessions that one round of housekeeping closes: it holds the state's write lock for less than a millisecond.
pub const EXPIRED_PER_ROUND: usize = 256;

// --- the domain: what State may grow to ---

/// The greatest number of a log entry, here and on other servers: the database counts with signs.
pub const MAX_LOG_NUMBER: u64 = i64::MAX as u64;
/// Accounts: at about 400 bytes each, 4 GB.
pub const MAX_USERS: usize = 10_000_000;
/// Groups that are not deleted: at about 300 bytes each, 300 MB.
pub const MAX_GROUPS: usize = 1_000_000;
/// Memberships of one user, ended ones included: an inbox merges that many timelines at most. For one more the oldest that
/// ended is forgotten.
pub const MAX_MEMBERSHIPS: usize = 1_000;
/// Realms that users added or other servers brought: each may become a link, with a queue of its own. Those of the
/// configuration do not count, so that nobody can take their places.
pub const MAX_REALMS: usize = 256;
/// Servers that were unlinked and must not come back by themselves; the oldest is forgotten. At 200 bytes each, 800 KB.
pub const UNLINKED_REMEMBERED: usize = 4_096;
/// Removed realms that one removal forgets, so that it is quick: more than one, to catch up on a store of an earlier version.
pub const FORGOTTEN_AT_ONCE: usize = 64;
/// Views of realms whose cursor is kept for one user; past it the oldest is forgotten, and shows from the beginning again.
pub const REALM_CURSORS: usize = 1_024;
/// The greatest quota that may be configured: more is no limit.
pub const QUOTA_MAX: usize = 1_000_000;
/// People that one user blocks: every page and push looks them up by bisection. More is a server of one's own.
pub const BLOCKS_PER_USER: usize = 1_000;
/// Read marks of one user past the inbox cursor, which makes those behind it superfluous. At 60 bytes each, 60 KB; more
/// conversations than that are not kept apart by anybody.
pub const MARKS_PER_USER: usize = 1_000;
/// The read mark of a conversation moves at most this often, an earlier request waits: people read one conversation at a
/// time, and a client that marks each message as it comes costs one small event in two seconds.
pub const MARK_INTERVAL: Duration = Duration::from_secs(2);
/// Intervals read live that are kept apart from the cursor for one user. Past it the oldest is forgotten: its messages
/// show once more, which is better than not at all.
pub const PUSHED_RANGES: usize = 32;

// --- the wire (PROTOCOL §1, §7) ---

/// The smallest line limit that may be configured: a real client sends 3 KB as its first line.
pub const LINE_BYTES_MIN: usize = 4 * 1024;
/// The largest line limit that may be configured: escaped, a line grows up to sixfold, and a page holds many.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// The longest tag: PROTOCOL §7.
pub const TAG_BYTES: usize = 64;
/// Tagged requests that are remembered of each user: PROTOCOL §7. At 70 bytes each, 18 KB.
pub const TAGS_PER_USER: usize = 256;
/// For how long a tagged request is remembered: PROTOCOL §7.
pub const TAG_MEMORY: Duration = Duration::from_secs(24 * 3600);

// --- reading ---

/// Messages of a history page if the request states no limit: a few screens of a terminal.
pub const HISTORY_PAGE: usize = 50;
/// Conversations of a list if the request states no limit: a few screens of a side bar …
pub const CONVERSATIONS: usize = 100;
/// … and the most that it may ask for.
pub const CONVERSATIONS_MAX: usize = 1_000;
/// Unread messages are counted up to this: nobody reads the difference.
pub const UNREAD_COUNTED: usize = 1_000;
/// The newest entries of a user's own timeline in which a list looks for conversations and unread messages: 1,024 chunks,
/// some ten milliseconds.
pub const CONVERSATION_ENTRIES: usize = 128 * 1024;
/// The newest entries of a group, or of the broadcasts, in which a list looks for the newest message and unread ones: enough
/// for [`UNREAD_COUNTED`] between as many of people who are blocked, or of one's own.
pub const SHARED_ENTRIES: usize = 2_048;
/// A page ends early once its bodies reach this: a page of long messages must not become a reply of 30 MB.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// The most messages that a replay for a subscription takes from the store at a time: it waits for the reader in
/// between, and holds no more than this.
pub const REPLAY_PAGE: usize = 256;
/// Tries to collect live pushes while the messages before them are replayed. Each failed one means that others sent more
/// than [`PUSH_BYTES`] while a few pages were read; then the reader is told that it lags.
pub const JOIN_TRIES: usize = 8;
/// Tries to read an inbox page whose cursor another connection of the user keeps moving: each failed try means that
/// the other one got a page.
pub const READ_RETRIES: usize = 16;
/// Names in a list of active users, members or groups: 1 MB of reply at the most.
pub const LIST_NAMES: usize = 20_000;
/// Reading connections to the store: so many pages are read concurrently, other reads wait. Each has its own page cache.
pub const READERS: usize = 4;

// --- connections ---

/// File descriptors kept free for the store, listeners and logs, for [`ENDING_CONNECTIONS`], and for links that this server
/// dials, of which most servers have few.
pub const RESERVED_DESCRIPTORS: usize = 192;
/// Connections beyond the limit that are being ended, to make room for others: none takes longer than [`LAST_WORDS`].
pub const ENDING_CONNECTIONS: usize = 64;
/// Above this share of the connection limit the largest holder of connections loses one for each new one: PROTOCOL §1.
pub const EVICTION_PERCENT: usize = 90;
/// Connections that a user keeps near the connection limit: a device or two, each with a few programs.
pub const PLACES_KEPT_BY_USER: usize = 8;
/// Connections that have asked to become links and have not shown a key yet, each for [`LINK_HANDSHAKE`] at the most …
pub const HALF_LINKS: usize = 64;
/// … and those of one address: a server needs one, and all on one machine a few.
pub const HALF_LINKS_PER_ADDRESS: usize = 16;
/// The least memory for slow readers that may be configured, in megabytes: some long replies.
pub const OUTBOX_MEGABYTES_MIN: usize = 16;
/// How many bytes one read takes from a socket at the most: a pipeline of some 500 sends.
pub const READ_BYTES: usize = 64 * 1024;
/// Requests of one connection that wait for the disk; its reading stops there until they are answered. 1,000 pipelined
/// sends share a commit or two.
pub const REQUESTS_IN_FLIGHT: usize = 1_024;
/// Lines of one connection that are served before its task lets others run, blank and rejected ones included: about a
/// millisecond of sends.
pub const REQUESTS_PER_TURN: usize = 256;
/// Reply bytes that wait for a reader; the connection's requests are not read on until it has taken them.
pub const REPLY_BYTES: usize = 256 * 1024;
/// Pushed bytes that wait for a reader before it is told that it lags: PROTOCOL §7.
pub const PUSH_BYTES: usize = 256 * 1024;
/// Pushes that are collected before they are flushed: those of a large batch to many connections take a few megabytes,
/// and each connection still gets dozens of messages with a write.
pub const PUSHES_AT_ONCE: usize = 64 * 1024;
/// Bytes of rendered messages that are kept for the next connections.
pub const FRAME_BYTES: usize = 4 * 1024 * 1024;
/// A send buffer larger than this is freed once it is empty: an idle connection holds next to nothing.
pub const IDLE_BUFFER_BYTES: usize = 512;
/// Silence within a line after which a person at a text listener is told that lines end with Enter (PROTOCOL §1): long
/// enough to think, short enough to wait for.
pub const UNFINISHED_LINE: Duration = Duration::from_secs(2);
/// What telnet sequences of one line are answered at the most: a telnet asks for about ten options, at three bytes each.
pub const TELNET_ANSWER_BYTES: usize = 96;
/// How long a closing connection may take to accept any more of its replies; and all of them if the server ends it.
pub const LAST_WORDS: Duration = Duration::from_secs(5);
/// Reads of a connection that the server ends: a megabyte that was on its way.
pub const LAST_READS: usize = 16;
/// TCP keep-alive: the first probe after this long a silence, then ten seconds between probes.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(120);
/// Between two keep-alive probes.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// What was sent and is not acknowledged for this long ends the connection (TCP_USER_TIMEOUT).
pub const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// New connections the kernel keeps for us between two accepts.
pub const BACKLOG: u32 = 4_096;

// --- the web listener ---

/// The longest head of a request: twice what browsers send with many cookies of other programs on the same host.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;
/// How long a client may take to send the head of a request, and how long a connection may stay unused between two.
pub const HTTP_HEAD: Duration = Duration::from_secs(10);
/// How long a connection may live that does not become a WebSocket: a page is loaded within seconds.
pub const HTTP_LIFETIME: Duration = Duration::from_secs(60);
/// What a WebSocket reads at a time, in bytes, and keeps while it is idle: a request and a half.
pub const WEBSOCKET_READ_BYTES: usize = 512;
/// Between two pings to a WebSocket: proxies end a connection that is silent for a minute.
pub const WEBSOCKET_PING: Duration = Duration::from_secs(45);

// --- realms (PROTOCOL §6) ---

/// Messages that wait for another server; more are refused to their senders. In memory 40 bytes each, 2.6 MB a server.
pub const OUTBOX_MESSAGES: usize = 65_536;
/// Of these, messages of one user: so that one user cannot fill the outbox for all.
pub const OUTBOX_MESSAGES_PER_USER: usize = 16_384;
/// The bytes of their bodies, on the disk alone.
pub const OUTBOX_BYTES: usize = 64 * 1024 * 1024;
/// Incarnations of another server whose numbers are remembered, the newest: a server that goes back to a backup older
/// than so many of its starts may send what waited then a second time. At 16 bytes each, 16 KB of the hello.
pub const INCARNATIONS_PER_PEER: usize = 1_024;
/// The version of the protocol that links speak.
pub const LINK_VERSION: u16 = 1;
/// How long the exchange of hellos may take after the TLS handshake.
pub const LINK_HELLO: Duration = Duration::from_secs(5);
/// Inbound handshakes at a time.
pub const LINK_HANDSHAKES: usize = 32;
/// The longest frame: a batch of messages, the last one long.
pub const LINK_FRAME_BYTES: usize = 512 * 1024;
/// Messages sent and not acknowledged: enough to keep two disks busy.
pub const LINK_WINDOW: usize = 2_048;
/// Messages of a frame …
pub const LINK_BATCH: usize = 256;
/// … and the bytes of their bodies, except for a single longer one.
pub const LINK_BATCH_BYTES: usize = 64 * 1024;
/// Unwritten bytes above which nothing more is taken from the outbox.
pub const LINK_OUT_BYTES: usize = 256 * 1024;
/// The most bytes of one read: two TLS records.
pub const LINK_READ_BYTES: usize = 32 * 1024;
/// Unwritten bytes of replies above which the link reads no further: five times the replies to a full window.
pub const LINK_REPLIES_BYTES: usize = 256 * 1024;
/// Frames of received messages that are not durable, above which the link reads no further.
pub const LINK_IN_FLIGHT: usize = 64;
/// A heartbeat is sent when nothing else was sent for this long …
pub const LINK_HEARTBEAT: Duration = Duration::from_secs(5);
/// … and a link ends when nothing was received for this long.
pub const LINK_DEAD: Duration = Duration::from_secs(15);
/// How soon a server must answer a ping that checks whether its link is alive.
pub const LINK_PING_TIMEOUT: Duration = Duration::from_secs(2);
/// A server is dialled again after this long at first …
pub const LINK_RETRY: Duration = Duration::from_millis(100);
/// … and at last: PROTOCOL §6.
pub const LINK_RETRY_MAX: Duration = Duration::from_secs(30);
/// How long an acknowledgement may stay in memory only: after a crash that much is sent twice, and stored once.
pub const CURSOR_SAVED: Duration = Duration::from_secs(1);
/// The same in messages, which count as waiting until then.
pub const CURSOR_SAVED_MESSAGES: usize = 2_048;
/// Messages per second from another server, and the burst: above it, the link reads no further for a while.
pub const PEER_MESSAGES_PER_SECOND: u32 = 50_000;
/// Bytes of their texts, likewise.
pub const PEER_BYTES_PER_SECOND: u32 = 32 * 1024 * 1024;
/// How long a reply waits for the other server to store or refuse the message: PROTOCOL §6.
pub const DELIVERY_WAIT: Duration = Duration::from_secs(2);
/// Messages that a link which keeps up finds in memory; one that does not reads them from the store …
pub const OUTBOX_TAIL_MESSAGES: usize = 4_096;
/// … and the bytes of their bodies.
pub const OUTBOX_TAIL_BYTES: usize = 4 * 1024 * 1024;
/// Incarnations of this server that are remembered, one a start: what waits in an outbox from before so many starts may
/// arrive twice. At 16 bytes each, 256 KB.
pub const INCARNATIONS: usize = 16_384;
/// Refusals that another server has not confirmed, above which no more messages are received from it.
pub const REFUSED_UNCONFIRMED: usize = 4_096;

// --- passwords ---

/// Argon2id memory in KiB, passes and lanes: the OWASP minimum of 19 MiB, 2, 1.
pub const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);
/// The costliest hash that a configuration may bring along, likewise: about a second and 128 MiB a check. Other tools'
/// defaults (64 MiB, 4, 4) fit.
pub const ARGON2_MAX: (u32, u32, u32) = (128 * 1024, 10, 8);
/// Password checks that wait for a core, served in turn by address; of more the newest of the address with the most is
/// answered `busy`. At 35 ms each on two cores a thousand people who log in at once are all let in within 18 s.
pub const HASHES_WAITING: usize = 4_096;
/// Failures in a row at one target (an account, a group) from one address before it is throttled there.
pub const FAILURES_PER_TARGET: u32 = 10;
/// One failure is forgiven each time this has passed: ten guesses a minute for a name and an address, 14,400 a day.
pub const FAILURE_FORGIVEN: Duration = Duration::from_secs(6);
/// Failures at one target from anywhere, or from one address at any target, before attempts are slowed down (a class behind
/// one address mistypes much) …
pub const FAILURES_BEFORE_DELAY: u32 = 40;
/// … by this for each further failure …
pub const FAILURE_DELAY: Duration = Duration::from_millis(250);
/// … up to this: long enough to make guessing slow, short enough for the owner to wait for.
pub const FAILURE_DELAY_MAX: Duration = Duration::from_secs(4);
/// Targets and addresses whose failures are remembered; the fullest forgiven go first. At 100 bytes each, 7 MB.
pub const FAILURES_REMEMBERED: usize = 65_536;

// --- budgets of users ---

/// Messages that a connection takes from its user's budget at a time: a fiftieth of a second at full speed …
pub const CREDIT_MESSAGES: u64 = 1_024;
/// … and the bytes of their texts.
pub const CREDIT_BYTES: u64 = 256 * 1024;
/// Users whose budgets are remembered although they are full: at 200 bytes each, 13 MB.
pub const BUDGETS_REMEMBERED: usize = 65_536;
/// Pages that are read from the store at a time for one user: half of the readers.
pub const READS_PER_USER: usize = 2;
/// Time that readers may have spent for one user beyond one reader's whole time: two programs may read for a minute.
pub const READING_BURST: Duration = Duration::from_secs(60);
/// Requests of a connection that has not logged in: at once …
pub const UNAUTHENTICATED_REQUESTS: u32 = 1_000;
/// … and one more each time this has passed: a person types less, and a program logs in.
pub const UNAUTHENTICATED_REQUEST: Duration = Duration::from_millis(10);
/// The greatest rate of messages that may be configured: more is no limit.
pub const MESSAGE_RATE_MAX: usize = 1_000_000_000;
/// The most megabytes that may be configured, likewise: a terabyte.
pub const MEGABYTES_MAX: usize = 1_000_000;

// --- the hub ---

/// Changes that wait for a commit, over all connections; past it connections wait before their next request.
pub const PENDING_CHANGES: usize = 65_536;
/// Bytes of message bodies that wait for a commit.
pub const PENDING_BYTES: usize = 64 * 1024 * 1024;
/// After a failed commit that left the store whole (a full disk), it is tried again this often.
pub const STORE_RETRY: Duration = Duration::from_secs(1);

// --- the store ---

/// Timeline entries at which a chunk row is written, with all that the timeline has then, at most twice as many: 1 to 4 KB.
/// A chunk is decoded as a whole, some microseconds, and each costs a write to a page of keys.
pub const CHUNK_ENTRIES: usize = 512;
/// Neighbouring timelines in a partition, whose few new entries share a row of the index, a run. A larger partition means
/// fewer pages to write, a smaller one less to decode per timeline. Part of the stored format: changing it needs a new
/// version of the store.
pub const PARTITION_TIMELINES: u32 = 128;
/// Neighbouring partitions that are compacted in the same flush cycle: their runs are in the same pages.
pub const PARTITIONS_TOGETHER: u32 = 64;
/// A partition with at least so many new bytes is flushed to chunks, not to a run: some 16 entries per timeline are worth a
/// row each.
pub const RUN_BYTES: usize = 16 * 1024;
/// Runs per partition before they are merged. For some partitions it is half as many, so that not all are merged in the
/// same flush cycle, which would take twice as long.
pub const PARTITION_RUNS: u32 = 24;
/// Merged runs per partition before all its runs are split into chunks. Together with [`PARTITION_RUNS`] it bounds the runs
/// that a read of one timeline scans.
pub const PARTITION_MERGED: u32 = 8;
/// Bytes of runs per partition before they are split into chunks: then most chunks are full.
pub const PARTITION_BYTES: usize = 128 * 1024;
/// Log entries after the high-water mark of the timeline index. Bounds the memtable (some 10 MB, and 70 bytes per timeline
/// in it) and recovery after a crash (half a second, or two if every entry is of another timeline). A flush cycle is half of
/// it: a longer one writes fuller rows.
pub const INDEX_WINDOW: u64 = 512 * 1024;
/// The fewest partitions that a commit flushes, if any: neighbouring partitions share pages.
pub const PARTITIONS_PER_COMMIT: usize = 8;
/// The page cache of the writing connection, in KiB. Few pages are changed repeatedly, and after a commit that moved pages
/// SQLite visits the whole cache.
pub const WRITER_CACHE_KIB: u32 = 4 * 1024;
/// The page cache of each reading connection, in KiB.
pub const READER_CACHE_KIB: u32 = 4 * 1024;
/// Pages (of 4 KiB) in the write-ahead log at which the checkpointer starts to copy them, off the commit path.
pub const WAL_CHECKPOINT_PAGES: u32 = 2_000;
/// Pages at which a commit waits for the checkpointer: bounds the log at 128 MB on a disk that cannot keep up.
pub const WAL_MAX_PAGES: u32 = 32_000;
/// Pages that a commit copies itself after the checkpointer, so that SQLite overwrites the log instead of growing it, which
/// is twice as fast to sync: 1 MB, no more than a large batch writes.
pub const WAL_REST_PAGES: u32 = 256;
/// The longest row of the log, unless one record is longer: with its key it fits in a page of 4 KiB.
pub const SEGMENT_BYTES: usize = 4_048;
/// Damaged places that the server logs, each once: an operator needs a restore by then, not more lines.
pub const DAMAGE_REPORTS: usize = 100;
/// How long commits may wait for readers when a sweep erases the write-ahead log: a page is read in less.
pub const WAL_TRUNCATE: Duration = Duration::from_millis(100);
/// Index rows, or the cost of as many, in one transaction of a closing store: about 4 MB.
pub const CLOSING_ROWS: usize = 4_096;
/// Timeline entries that one page scans, matching or not: some 8,000 chunks, a tenth of a second.
pub const PAGE_ENTRIES: usize = 1024 * 1024;
/// How long a statement waits for a lock of another process, for example an operator's shell that writes.
pub const STORE_BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that a connection to the store caches: more than there are.
pub const STATEMENTS: usize = 64;

// --- links between servers (PROTOCOL §6) ---

/// The longest key file, in bytes: one of ours has 170, one that an operator brings may have remarks.
pub const KEY_FILE_BYTES: u64 = 4 * 1024;
/// How long a handshake may take on either side: three round trips to the other side of the world, many times over.
pub const LINK_HANDSHAKE: Duration = Duration::from_secs(5);
/// How long dialling a known server may take, from the name resolution to the end of the TLS handshake.
pub const LINK_DIAL: Duration = Duration::from_secs(5);
/// The same for a user who names a host and a port. A failure is told after this time, whatever is there: or users could
/// look for others' ports.
pub const LINK_DIAL_FOR_USER: Duration = Duration::from_secs(2);
/// Dials for users at a time: each has a file descriptor.
pub const LINK_DIALS: usize = 16;
/// Look-ups of host names at a time, each on a thread; for users, and for links, as many.
pub const LOOKUPS: usize = 4;
/// The longest response to the line `link 1`, in bytes: an error has some 200.
pub const LINK_RESPONSE_BYTES: usize = 1024;
/// The bytes kept of another server's reason for refusing a link, which goes to the log and to a user.
pub const LINK_REASON_BYTES: usize = 200;

// --- the log ---

/// Lines that wait for a reader of the log; of more the number is told. At 200 bytes each, 800 KB.
pub const LOG_LINES: usize = 4_096;
/// The longest line, in bytes: the longest of ours has some 600.
pub const LOG_LINE_BYTES: usize = 4_096;
/// How long the end of the server waits for the reader of the log to take what waits.
pub const LOG_FLUSH: Duration = Duration::from_secs(1);
/// Something that others can bring about is logged once in this time for each of them …
pub const LOG_LIMIT: Duration = Duration::from_secs(1);
/// … and for so many of them: at 300 bytes a line, half a gigabyte a day at the worst.
pub const LOG_LIMIT_KEYS: usize = 20;

// --- the configuration ---

/// The largest configuration file, in bytes: some 50,000 accounts. A wrong path (a device, a backup) is not read whole.
pub const CONFIG_BYTES: u64 = 8 * 1024 * 1024;
/// The longest host name of a configured peer, in bytes: RFC 1035 §2.3.4, as it is written.
pub const HOST_BYTES: usize = 253;
/// The longest time that a session may be configured to stay valid unused, in days: ten years.
pub const SESSION_DAYS_MAX: usize = 3_650;
/// The longest time that a stop may be configured to take, in seconds: service managers lose patience long before.
pub const SHUTDOWN_SECONDS_MAX: usize = 3_600;
/// The most connections that may be configured: at 13 KB each, 13 GB. More is a slip of the finger.
pub const CONNECTIONS_MAX: usize = 1_000_000;
/// The largest inbox page that may be configured: longer ones end at [`PAGE_BYTES`] anyway.
pub const INBOX_PAGE_MAX: usize = 10_000;
/// The longest age that retention may be configured to, in days: a century.
pub const RETENTION_DAYS_MAX: usize = 36_500;
/// The most messages of a timeline that retention may be configured to: a timeline that long is read back in seconds.
pub const RETENTION_MESSAGES_MAX: usize = 10_000_000;

// --- retention ---

/// The interval between sweeps.
pub const RETENTION_ROUND: Duration = Duration::from_secs(3600);
/// The pause between two steps of a sweep: with steps of a few milliseconds, commits rarely wait for one.
pub const RETENTION_PAUSE: Duration = Duration::from_millis(10);
/// Log rows, each a page, that one step of a sweep deletes or writes again: about two milliseconds.
pub const RETENTION_ROWS: usize = 64;
/// Index rows that one step of a sweep writes: about two milliseconds.
pub const RETENTION_CHUNKS: usize = 128;
/// Log records or index rows that one step of a sweep reads, which blocks nothing: about ten milliseconds of one reading connection.
pub const RETENTION_LOOK: usize = 4_096;
/// Free pages (of 4 KiB) that one step of a sweep returns to the file system; each costs moving another page.
pub const RETENTION_PAGES: u32 = 128;

// --- backup, export, import ---

/// Pages (of 4 KiB) that one step of a backup copies: between steps it reports progress and handles an interrupt.
pub const BACKUP_PAGES: i32 = 1_024;
/// Lines between two looks at the clock for showing progress.
pub const PROGRESS_STEP: u64 = 1_024;
/// How often progress is shown: often enough to be seen moving.
pub const PROGRESS_SHOWN: Duration = Duration::from_millis(100);
/// The longest line of an import, in bytes: the longest message, every byte of it escaped, twice over.
pub const IMPORT_LINE_BYTES: usize = 1024 * 1024;
/// Records that an import appends in one transaction …
pub const IMPORT_BATCH_RECORDS: usize = 4_096;
/// … or bytes of message bodies.
pub const IMPORT_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The page cache of an import or a backup, in KiB.
pub const IMPORT_CACHE_KIB: u32 = 64 * 1024;
/// Bytes of an export or an import that are read or written at a time.
pub const TRANSFER_BUFFER_BYTES: usize = 1024 * 1024;

// --- the client ---

/// Requests of a client that are sent and not answered. All of them may have to be repeated, and the server remembers the
/// last [`TAGS_PER_USER`] tags of a user: this leaves room for three more clients of the same user.
pub const CLIENT_IN_FLIGHT: usize = 64;
/// A client connects again after this long at first …
pub const CLIENT_RETRY: Duration = Duration::from_millis(250);
/// … and at last: a person who waits looks at a countdown.
pub const CLIENT_RETRY_MAX: Duration = Duration::from_secs(15);
/// How long connecting may take, from the name resolution to the end of the TLS handshake.
pub const CLIENT_DIAL: Duration = Duration::from_secs(10);
/// A client that heard nothing for this long sends a `ping` …
pub const CLIENT_PING: Duration = Duration::from_secs(30);
/// … and takes the connection for dead when nothing was received for this long. Longer than a login on a busy server takes.
pub const CLIENT_DEAD: Duration = Duration::from_secs(60);
/// A request that was sent longer ago than this is not repeated: the server forgets its tag after [`TAG_MEMORY`].
pub const CLIENT_REPEAT: Duration = Duration::from_secs(20 * 3600);
/// The longest frame that a client reads: an inbox page of [`PAGE_BYTES`], told twice, escaped, with one long message more.
pub const CLIENT_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one read of a client.
pub const CLIENT_READ_BYTES: usize = 16 * 1024;
/// Requests and events that wait between a client's connection and its program.
pub const CLIENT_CHANNEL: usize = 256;
/// The largest file in the user's configuration directory that is read: thousands of servers.
pub const CLIENT_FILE_BYTES: u64 = 1024 * 1024;

//! Lines, connections, and what waits for them.

use std::time::Duration;

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

// --- connections ---

/// File descriptors kept free for the store, listeners and logs, for [`ENDING_CONNECTIONS`] and [`REJECTED_AT_ONCE`], and for
/// links that this server dials, of which most servers have few.
pub const RESERVED_DESCRIPTORS: usize = 192;
/// Connections beyond the limit that are being ended, to make room for others; newcomers wait for further ones …
pub const ENDING_CONNECTIONS: usize = 64;
/// … and after so long the ones that are being ended are closed: one whose reader takes anything is gone within a
/// millisecond, and 64 newcomers in this time are more than a server logs in.
pub const ENDING_WAIT: Duration = Duration::from_millis(20);
/// Above this share of the connection limit the largest holder of connections loses one for each new one: PROTOCOL §1.
pub const EVICTION_PERCENT: usize = 90;
/// Connections that a user keeps near the connection limit: a device or two, each with a few programs. An address keeps as many
/// that have not logged in yet, as long as a user has more.
pub const PLACES_KEPT: usize = 8;
/// Connections that have asked to become links and have not shown a key yet, each for `LINK_HANDSHAKE` at the most …
pub const HALF_LINKS: usize = 64;
/// … and those of one address: a server needs one, and all on one machine a few.
pub const HALF_LINKS_PER_ADDRESS: usize = 16;
/// The least memory for slow readers that may be configured, in megabytes: some long replies.
pub const OUTBOX_MEGABYTES_MIN: usize = 16;
/// How many bytes one read takes from a socket at the most, and a connection serves before its task lets others run: a
/// pipeline of some hundred sends, some tenths of a millisecond.
pub const READ_BYTES: usize = 16 * 1024;
/// Requests of one connection that wait for the disk; its reading stops there until they are answered. 1,000 pipelined
/// sends share a commit or two.
pub const REQUESTS_IN_FLIGHT: usize = 1_024;
/// Lines of one connection that are served before its task lets others run, blank and rejected ones included: some tenths of
/// a millisecond of sends.
pub const REQUESTS_PER_TURN: usize = 64;
/// How long a connection is served before its task lets others run, however few requests that were: as long as
/// [`REQUESTS_PER_TURN`] sends take. Sixty-four long replies took eight milliseconds.
pub const TURN_TIME: Duration = Duration::from_micros(300);
/// Tasks that a thread runs before it looks what the sockets have received: with turns as long as these that is a few
/// milliseconds. With tokio's own 61 a ping waited for 60 behind pipelines; fewer cost the busy server system calls.
pub const TASKS_BETWEEN_EVENTS: u32 = 8;
/// Lines that a connection is served whenever it has any; for more it needs the turn of its user, so that the threads are
/// shared between users and not between connections. Enough to log in and ask something: an owner whose connections come and
/// go, and many owners together, have that many with each, all before others.
pub const REQUESTS_WITHOUT_TURN: usize = 4;
/// Bytes that one read takes without a turn: if there are as many, the connection has more to do than these requests. A
/// read of 8 KB took 0.1 ms, and hundreds of connections may have one each.
pub const READ_BYTES_WITHOUT_TURN: usize = 2 * 1024;
/// Users and addresses whose turns are remembered although no connection has them: at 150 bytes each, 600 KB.
pub const OWNERS_REMEMBERED: usize = 4_096;
/// Reply bytes that wait for a reader; the connection's requests are not read on until it has taken them.
pub const REPLY_BYTES: usize = 256 * 1024;
/// Pushed bytes that wait for a reader before it is told that it lags: PROTOCOL §7.
pub const PUSH_BYTES: usize = 256 * 1024;
/// Pushes that are collected before they are flushed: those of a large batch to many connections take 6 MB,
/// and each connection still gets dozens of messages with a write.
pub const PUSHES_AT_ONCE: usize = 256 * 1024;
/// Connections that the fan-out looks at before it lets those have the lock of the presence who wait for it, a log-in for
/// example: a fraction of a millisecond.
pub const PUSHES_PER_LOCK: usize = 4 * 1024;
/// Connections to which a message is pushed in turns with the batches: to fewer the pushes take less time than one turn.
pub const LARGE_AUDIENCE: usize = 64;
/// How long such pushes are written before the next batch is stored, or as long as the last one took: then others' changes
/// wait for some milliseconds, and changes that come meanwhile share a commit.
pub const PUSH_TURN: Duration = Duration::from_millis(2);
/// Such pushes of one user's messages that wait; past it the user's connections wait before their next request. A message to
/// a thousand listeners is a thousand of them; so some thirty messages share a write.
pub const PUSHES_PER_AUTHOR: usize = 32 * 1024;
/// In each such period at most one coming and one going of a user are pushed at once to the watchers of presence (PROTOCOL §7):
/// people see at once who is there, and a program that logs in and out in a loop costs each watcher two pushes, not thousands.
pub const PRESENCE_PERIOD: Duration = Duration::from_secs(1);
/// Pushes to watchers of presence in such a period, past which all further ones wait for its end: then several share a write.
/// With a thousand watchers 65 changes are pushed at once.
pub const PRESENCE_PUSHES: usize = 64 * 1024;
/// Pushes to watchers of presence at the end of a period. What is left waits for the end of the next one, so that some thousand
/// users who come back at once, after a restart, cost a fifth of a core, and no watcher more than it takes in a second.
pub const PRESENCE_PUSHES_LATER: usize = 512 * 1024;
/// Pushes of them at the end of the period for which the lock of presence is held once: some milliseconds.
pub const PRESENCE_PUSHES_AT_ONCE: usize = 8 * 1024;
/// Bytes of rendered messages that are kept for the next connections.
pub const FRAME_BYTES: usize = 4 * 1024 * 1024;
/// A send buffer larger than this is freed once it is empty: an idle connection holds next to nothing.
pub const IDLE_BUFFER_BYTES: usize = 512;
/// Silence within a line after which a person at a text listener is told that lines end with Enter (PROTOCOL §1): long
/// enough to think, short enough to wait for.
pub const UNFINISHED_LINE: Duration = Duration::from_secs(2);
/// The longest answer to the telnet sequences of one line: a telnet asks for about ten options, at three bytes each.
pub const TELNET_ANSWER_BYTES: usize = 96;
/// How long a closing connection may take to accept any more of its replies; and all of them if the server ends it. For so
/// long, and no more than half of the time that a stop may take, a server that stops serves what it has received.
pub const LAST_WORDS: Duration = Duration::from_secs(5);
/// Bytes that are still read of a connection that the server ends: what was on its way.
pub const LAST_BYTES: usize = 1024 * 1024;
/// TCP keep-alive: the first probe after this long a silence, then ten seconds between probes.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(120);
/// Between two keep-alive probes.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// A connection ends if sent data is not acknowledged for this long (TCP_USER_TIMEOUT).
pub const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// Pause after a failed accept: the process may have no descriptor left.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Connections that a listener accepts before other tasks run: each is served its first requests at once, and those of a
/// hundred that come together would keep a request of another connection waiting for some ten milliseconds.
pub const ACCEPTED_AT_ONCE: u64 = 4;
/// How long a rejected client may take to read the reason and close: a round trip to the other side of the world …
pub const REJECTED_WAIT: Duration = Duration::from_millis(500);
/// … while so many bytes of its requests are discarded: a head of HTTP that is far too long …
pub const REJECTED_BYTES: u64 = 256 * 1024;
/// … and so many rejected clients of a listener at a time. Further ones are closed at once, which resets the connection of
/// those that have sent something.
pub const REJECTED_AT_ONCE: usize = 16;
/// Bytes of its requests that are discarded then: a few lines, or an HTTP head.
pub const REJECTED_READ: usize = 4 * 1024;
/// New connections the kernel keeps for us between two accepts.
pub const BACKLOG: i32 = 4_096;

// --- the web listener ---

/// The longest head of a request: twice what browsers send with many cookies of other programs on the same host.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;
/// How long a client may take to send the head of a request, and how long a connection may stay unused between two.
pub const HTTP_HEAD: Duration = Duration::from_secs(10);
/// How long a connection may live that does not become a WebSocket: a page is loaded within seconds.
pub const HTTP_LIFETIME: Duration = Duration::from_secs(60);
/// The read buffer of a WebSocket in bytes, kept while it is idle: a request and a half.
pub const WEBSOCKET_READ_BYTES: usize = 512;
/// Between two pings to a WebSocket: proxies end a connection that is silent for a minute.
pub const WEBSOCKET_PING: Duration = Duration::from_secs(45);

// --- the monitoring listener ---

/// Connections of the monitoring listener at a time: a few programs that ask now and then.
pub const MONITORING_CONNECTIONS: usize = 16;
/// A server whose commit takes longer than this counts as stuck: disks that recover answer within half of it.
pub const COMMIT_WITHIN: Duration = Duration::from_secs(60);
/// A probe tries the lock this often.
pub const LOCK_PROBE: Duration = Duration::from_millis(10);
/// How long `kabar health` waits for an answer: longer than [`LOCK_WITHIN`].
pub const HEALTH_WAIT: Duration = Duration::from_secs(8);
/// The longest answer that `kabar health` reads, in bytes: a head and a sentence.
pub const HEALTH_BYTES: u64 = 4 * 1024;
/// How long a probe waits for the lock of the state: the monitoring client gives up soon after.
pub const LOCK_WITHIN: Duration = Duration::from_secs(5);

// --- the hub ---

/// Changes that wait for a commit, over all connections; past it connections wait before their next request.
pub const PENDING_CHANGES: usize = 65_536;
/// Bytes of message bodies that wait for a commit.
pub const PENDING_BYTES: usize = 64 * 1024 * 1024;
/// The cost in bytes of one user's changes in a batch when nobody else has many in it; so many users share it equally.
/// Others' changes wait for such a batch: beside long messages a send took 8 ms (p50), and 20 with 2 MB.
pub const BATCH_COST: u64 = 512 * 1024;
/// The share of a batch that every user has, however full it is: more than a turn's worth of sends.
pub const BATCH_COST_FREE: u64 = 48 * 1024;
/// The cost of a change beside the bytes of its text: its record, index entry and reply take the time of so many bytes
/// …
pub const CHANGE_COST: u64 = 512;
/// … and each receiver that a message to a group or to all may be pushed to, the time of a push.
pub const RECEIVER_COST: u64 = 16;
/// A connection adds to what its user's changes cost after so much: a change alone touches nothing that is shared.
pub const COST_STEP: u64 = 8 * 1024;
/// After a failed commit that left the store whole (a full disk), it is tried again this often.
pub const STORE_RETRY: Duration = Duration::from_secs(1);

// --- TLS and PROXY listeners ---

/// The longest file of a certificate chain or its key, in bytes: a chain of five certificates has some 10 KB.
pub const CERTIFICATE_FILE_BYTES: u64 = 256 * 1024;
/// How long the certificate is valid that a server makes for itself: clients pin it, so its end would only be a surprise.
pub const SELF_SIGNED_YEARS: i32 = 10;
/// A certificate that ends within this time is warned of.
pub const CERTIFICATE_ENDS: Duration = Duration::from_secs(14 * 24 * 3600);
/// How long a client may take for its TLS handshake, and a proxy to name its client: round trips to the other side of the
/// world, over a bad line.
pub const OPENING: Duration = Duration::from_secs(10);
/// TLS handshakes at a time: each has buffers of its own before anybody has logged in. For one more, the oldest of the address with the most is closed.
pub const TLS_HANDSHAKES: usize = 1_024;
/// Bytes that are encrypted at a time: what a socket that is full then holds back, beyond its connection's backlog.
pub const TLS_WRITE_BYTES: usize = 16 * 1024;
/// The longest header of the PROXY protocol, in bytes: version 1 has 107 at the most; version 2 16, and with the extensions
/// that proxies send a few hundred.
pub const PROXY_HEADER_BYTES: usize = 2 * 1024;

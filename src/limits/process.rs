//! The log, the configuration, and the client commands.

use std::time::Duration;

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
/// Connections to the admin socket at a time: one operator, and a script or two.
pub const ADMIN_CONNECTIONS: usize = 8;
/// How long the admin socket waits for a request, and the server for a client that does not read.
pub const ADMIN_REQUEST: Duration = Duration::from_secs(30);
/// The longest reply that `kabar admin` reads: a list of the greatest length, twice.
pub const ADMIN_REPLY_BYTES: u64 = 8 * 1024 * 1024;
/// The longest path of a Unix socket on Linux and the BSDs, in bytes.
pub const SOCKET_PATH_BYTES: usize = 103;
/// Refusals are logged for so many addresses a second: what fail2ban is to see of an attack from many. At 150 bytes a line,
/// 15 KB a second at the worst.
pub const REFUSED_LOG_KEYS: usize = 100;

// --- the clock ---

/// A clock that goes by more than this, or back, while a clock that nobody sets goes on, has jumped.
pub const CLOCK_JUMP: Duration = Duration::from_secs(3600);
/// How long a jump forward must last to be believed: a time server that is asked at the start answers sooner.
pub const CLOCK_TRUST: Duration = Duration::from_secs(600);
/// How long a server may have stood still for the clock to be believed at its start all the same.
pub const CLOCK_GAP: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a server may have stood still for what is old by the clock to be removed at once, without a confirmation.
pub const CLOCK_PAUSE: Duration = Duration::from_secs(24 * 3600);

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
/// The largest inbox page that may be configured: longer ones end at `PAGE_BYTES` anyway.
pub const INBOX_PAGE_MAX: usize = 10_000;
/// The longest age that retention may be configured to, in days: a century.
pub const RETENTION_DAYS_MAX: usize = 36_500;
/// The most messages of a timeline that retention may be configured to: a timeline that long is read back in seconds.
pub const RETENTION_MESSAGES_MAX: usize = 10_000_000;

// --- the client ---

/// Requests of a client that are sent and not answered. All of them may have to be repeated, and the server remembers the
/// last `TAGS_PER_USER` tags of a user: this leaves room for three more clients of the same user.
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
/// A request that was sent longer ago than this is not repeated: the server forgets its tag after `TAG_MEMORY`.
pub const CLIENT_REPEAT: Duration = Duration::from_secs(20 * 3600);
/// A client waits this long by itself before it repeats what was answered `slow_down`; a longer wait is the program's matter.
pub const CLIENT_SLOW_DOWN_MAX: Duration = Duration::from_secs(60);
/// The longest frame that a client reads: an inbox page of `PAGE_BYTES`, told twice, escaped, with one long message more.
pub const CLIENT_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one read of a client.
pub const CLIENT_READ_BYTES: usize = 16 * 1024;
/// Requests and events that wait between a client's connection and its program.
pub const CLIENT_CHANNEL: usize = 256;
/// Messages of a `kabar chat` that the server has not confirmed: twice the largest paste …
pub const CLIENT_UNSENT: usize = 1_000;
/// … and bytes of their texts. With every character escaped, and with the tags, they fit a file of `CLIENT_FILE_BYTES`.
pub const CLIENT_UNSENT_BYTES: usize = 256 * 1024;
/// The largest file in the user's configuration directory that is read: thousands of servers.
pub const CLIENT_FILE_BYTES: u64 = 1024 * 1024;

//! Names, accounts, and what the state may grow to.

use std::time::Duration;

// --- names and accounts (PROTOCOL §2, §3) ---

/// The longest name, in bytes: PROTOCOL §3.
pub const NAME_BYTES: usize = 32;
/// The longest password of a user or group, in bytes: PROTOCOL §3.
pub const PASSWORD_BYTES: usize = 128;
/// The longest full name or country, in bytes: they ride in every message of their owner.
pub const PROFILE_BYTES: usize = 128;
/// The sessions of one user; the one that was not used for longest goes: PROTOCOL §2.
pub const SESSIONS_PER_USER: usize = 32;
/// A session's last use is stored at most this often, so that use costs no disk. The hub knows it to the second.
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
/// Of these, kept for administrators, if there are any: the quotas of some accounts together must not take the last one.
pub const ADMINISTRATORS_REALMS: usize = 64;
/// Servers that were unlinked and must not come back by themselves; the oldest is forgotten. At 200 bytes each, 800 KB.
pub const UNLINKED_REMEMBERED: usize = 4_096;
/// Removed realms that one removal forgets, so that it is quick: more than one, to catch up on a store of an earlier version.
pub const FORGOTTEN_AT_ONCE: usize = 64;
/// Views of realms whose cursor is kept for one user; past it the oldest is forgotten, and shows from the beginning again.
pub const REALM_CURSORS: usize = 1_024;
/// Bans at a time: a list that somebody keeps by hand, and those of a program such as fail2ban. At 200 bytes each, 2 MB; an
/// address is looked up once for each length of a prefix among them, however many there are.
pub const MAX_BANS: usize = 10_000;
/// An address of IPv6 is banned with all that its host can choose from.
pub const BANNED_IPV6_PREFIX: u8 = 64;
/// The longest reason of a ban, in bytes: a sentence.
pub const REASON_BYTES: usize = 256;
/// The longest ban that is not for ever, in seconds: 100 years.
pub const BAN_SECONDS_MAX: u64 = 100 * 365 * 24 * 3600;
/// Invites at a time: each is a line of a list that somebody reads.
pub const MAX_INVITES: usize = 1_000;
/// The most uses of an invite: a school.
pub const INVITE_USES_MAX: u32 = 10_000;
/// Days for which an invite is good if the request states none …
pub const INVITE_DAYS: u32 = 7;
/// … and the most that it may state.
pub const INVITE_DAYS_MAX: u32 = 365;
/// Entries of an administrator's list if the request states no limit: some screens …
pub const ADMIN_LIST: usize = 100;
/// … and the most that it may ask for.
pub const ADMIN_LIST_MAX: usize = 1_000;
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

/// Senders and inboxes whose unread messages are counted; of more, those with the least are forgotten. At 250 bytes each,
/// 16 MB.
pub const INBOX_SHARES: usize = 65_536;
/// Steps in which what was read drops out of such a count: two in a hundred of what may be unread are seen as unread though
/// they were read.
pub const INBOX_SHARE_STEPS: u64 = 64;
/// Bytes of unread messages of an inbox that are counted from the store after a start, the oldest first: some seconds of one
/// reader. That is twice what one sender may leave there unless configured otherwise.
pub const RECOUNTED_BYTES: usize = 512 * 1024 * 1024;
/// That is looked for this often: what a sender sends before is not refused.
pub const RECOUNT: Duration = Duration::from_secs(1);
/// Messages that are read for that at a time.
pub const RECOUNTED_PAGE: usize = 1_000;

// --- passwords ---

/// Argon2id memory in KiB, passes and lanes: the OWASP minimum of 19 MiB, 2, 1.
pub const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);
/// The costliest hash that a configuration may bring along, likewise: about a second and 128 MiB a check. Other tools'
/// defaults (64 MiB, 4, 4) fit.
pub const ARGON2_MAX: (u32, u32, u32) = (128 * 1024, 10, 8);
/// Password checks that wait for a core, served in turn by address; of more the newest of the address with the most is
/// answered `busy`. At 35 ms each on two cores a thousand people who log in at once are all let in within 18 s.
pub const HASHES_WAITING: usize = 4_096;
/// By how much the priority of hashing is lower than that of everything else: requests that take microseconds must not wait
/// for passwords, which take a core for 35 ms each.
#[cfg(target_os = "linux")]
pub const HASHING_NICENESS: i32 = 10;
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
/// than `PUSH_BYTES` while a few pages were read; then the reader is told that it lags.
pub const JOIN_TRIES: usize = 8;
/// Tries to read an inbox page whose cursor another connection of the user keeps moving: each failed try means that
/// the other one got a page.
pub const READ_RETRIES: usize = 16;
/// Names in a list of active users, members or groups: 1 MB of reply at the most.
pub const LIST_NAMES: usize = 20_000;
/// Reading connections to the store: so many pages are read concurrently, other reads wait. Each has its own page cache.
pub const READERS: usize = 4;

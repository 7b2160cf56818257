//! A cluster: its log, its leader, its nodes.

use std::time::Duration;

use crate::limits::{DELIVERY_WAIT, HALF_LINKS, LINK_HANDSHAKES, MAX_REALMS, PENDING_CHANGES};

/// A lease in seconds: etcd grants none that is shorter than one and a half of its elections, and a longer one is a longer
/// silence after the death of a leader.
pub const LEASE_SECONDS_MIN: usize = 2;
pub const LEASE_SECONDS_MAX: usize = 60;
/// How many seconds an append may be tried at most: that long, clients wait.
pub const PATIENCE_SECONDS_MAX: usize = 60;
/// Bodies of messages in a block, beyond which the rest of a batch goes into the next one. The engine keeps some thousand
/// blocks in memory: with 16 KiB each it was flat at a third of a gigabyte (docs/CLUSTER.md has the figures).
pub const BLOCK_BYTES: usize = 16 * 1024;
/// After a block the leader waits for the next commands of the clients that it has just answered: for this part of the time
/// that the block took at most, ...
pub const GATHER_SHARE: u32 = 2;
/// ... and never longer than this, however slow the engine was: nobody knows whether more commands come.
pub const GATHER_MAX: Duration = Duration::from_millis(2);
/// Bytes of blocks that a node reads at once, and commits with one sync.
pub const FOLLOW_BYTES: usize = 1024 * 1024;
/// Between two looks of a follower without a channel at the end of the log, and at whether a node leads. A part of the time
/// that a cluster has no leader.
pub const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);
/// Between two tries of an append that was not answered.
pub const APPEND_RETRY: Duration = Duration::from_millis(50);
/// A node syncs its own store this often at most: what it has not synced, the log must still have.
pub const REPLICA_SYNC: Duration = Duration::from_secs(1);
/// A leader that could not renew its lease ends this long before it runs out: its clock and the engine's run on at
/// different rates, and stopping takes a moment.
pub const LEASE_MARGIN: Duration = Duration::from_millis(500);
/// Renewals during a lease. An election of the engine's own, one to two seconds, may pass between two of them without the end
/// of a lease of three.
pub const LEASE_RENEWALS: u32 = 6;
/// Between two reports of a node, and two looks whether the log can be cut.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A node that has missed so many reports is called silent.
pub const SILENT_REPORTS: u64 = 3;
/// How long an operator waits for another leader: the old one hears of it with its next report, and appends what it has
/// decided.
pub const STEP_DOWN: Duration = Duration::from_secs(LEASE_SECONDS_MAX as u64);
/// The engine's database beyond which the log is cut behind what a majority of the nodes has synced, though a node that is
/// away needs it: that one takes a snapshot. Half of the 2 GiB that etcd allows itself by default.
pub const LOG_BYTES: u64 = 1024 * 1024 * 1024;
/// The engine's database up to which nothing is cut: a node that was away for a short time, or is new, finds what it needs.
pub const LOG_KEEP_BYTES: u64 = 64 * 1024 * 1024;
/// A log that is larger is cut at least this often, also if little can go: the reports of nodes fill the engine, too.
pub const CUT_INTERVAL: Duration = Duration::from_secs(600);
/// Cut only when so many entries can go: each cut is a write of the engine.
pub const TRUNCATE_ENTRIES: u64 = 1_000;

/// Blocks that a leader keeps for followers that are slower than it. One that is further behind reads the log.
pub const CHANNEL_BLOCKS: usize = 256;
/// After how many seconds a request may be tried again that the cluster could not take: most takeovers are over by then.
pub const UNAVAILABLE: u32 = 2;
/// Commands of one node that wait for the leader. As many as may wait for a commit; connections wait beyond it.
pub const FORWARDS: usize = PENDING_CHANGES;
/// How long a command may wait for a leader. Longer than a takeover, shorter than clients wait.
pub const FORWARD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a node goes on serving without word from the cluster: beyond, it would honour sessions that were ended.
pub const FOLLOWER_CURRENT: Duration = Duration::from_secs(3);
/// A session that should end with its connection is closed when no node has said for so long that it is in use: its node died.
/// A multiple of the rounds in which nodes say so.
pub const EPHEMERAL_IDLE: Duration = Duration::from_secs(4 * 3600);
/// How long the users of a node that is gone stay online: they are connecting to another one.
pub const PRESENCE_GRACE: Duration = Duration::from_secs(10);
/// Users whose presence one frame tells: some kilobytes.
pub const PRESENCE_FRAME: usize = 1024;
/// Outcomes of messages to other realms that one frame tells: some kilobytes.
pub const DELIVERIES_FRAME: usize = 1024;
/// Links of which one frame tells: each has a sentence of some hundred bytes.
pub const LINKS_FRAME: usize = 256;
/// How long a follower waits for the leader's word on a message to another realm. By then the leader has given it, and if that
/// is lost, a follower that has contact has read what the log had when the leader gave up waiting.
pub const FORWARD_DELIVERY_WAIT: Duration =
    Duration::from_secs(DELIVERY_WAIT.as_secs() + FOLLOWER_CURRENT.as_secs() + 1);

// --- channels between nodes ---

/// Between two looks of a follower at the log while the leader sends it. A block that was left out is read then.
pub const FOLLOW_INTERVAL_WITH_CHANNEL: Duration = Duration::from_millis(500);
/// Between two looks at the log of a follower that the engine does not answer, while the leader sends it: each takes
/// [`ETCD_CALL`], and the leader's blocks wait meanwhile.
pub const FOLLOW_INTERVAL_WITHOUT_ENGINE: Duration = Duration::from_secs(5);
/// Connections of nodes that a node serves at a time, channels and snapshots; handshakes are not among them.
pub const CHANNELS: usize = 64;
/// Connections that have not shown the realm's key yet, in all and from one address: more than a node opens at a time, and few
/// enough that one address leaves most of them to the others.
pub const CHANNEL_HANDSHAKES: usize = 256;
pub const CHANNEL_HANDSHAKES_OF_ADDRESS: usize = 16;
/// Links that a node offers to the leader at the same time, each of them by a handshake.
pub const CARRIED_OFFERS: usize = 8;
/// Before a channel is opened again. A part of the time that a cluster has no leader.
pub const CHANNEL_RETRY: Duration = Duration::from_millis(100);
/// Between two signs of life of a leader.
pub const CHANNEL_ALIVE: Duration = Duration::from_millis(500);
/// How long a leader may be silent before a follower gives the channel up.
pub const CHANNEL_SILENCE: Duration = Duration::from_secs(2);
/// Links to other servers that a node carries to the leader, and that a leader has carried to it: all that may be made, and as
/// many that are not made yet as a listener has.
pub const CARRIED_LINKS: usize = MAX_REALMS + HALF_LINKS + LINK_HANDSHAKES;
/// How long nothing may pass on a link that is carried: twice what its ends allow each other, who notice it first.
pub const CARRIED_IDLE: Duration = Duration::from_secs(30);
/// What a carried link holds of each direction: two TLS records.
pub const CARRIED_BUFFER: usize = 32 * 1024;
/// Answers that wait for being sent to one follower. It stops deciding what that one forwards until they are.
pub const CHANNEL_ANSWERS: usize = 1024;
/// Commands that are sent at once: some tens of kilobytes.
pub const CHANNEL_FORWARDS: usize = 128;
/// Events that wait for a node's thread. Blocks beyond are read from the log.
pub const CHANNEL_EVENTS: usize = 1024;

/// How long looking up and connecting to another node may take. The machines are some milliseconds apart: a packet that was
/// lost may be sent again, twice by the system's timers.
pub const CHANNEL_CONNECT: Duration = Duration::from_secs(3);
/// How long the handshake may take after that, on either side: two round trips, and two signatures on a busy machine.
pub const CHANNEL_HANDSHAKE: Duration = Duration::from_secs(3);
/// The longest frame. A block of one command has 1.5 MiB at most, which is what etcd takes ([`ETCD_ANSWER_BYTES`]); the rest
/// is for what a frame has beside it.
pub const CHANNEL_FRAME_BYTES: usize = 2 * 1024 * 1024;
/// The least room of a read: two TLS records.
pub const CHANNEL_READ_BYTES: usize = 32 * 1024;
/// How long a node may read nothing of what waits for it, before the channel is given up. It is longer than a lease, so that
/// a short pause of a machine costs no channel; what waits meanwhile is in memory.
pub const CHANNEL_WRITE: Duration = Duration::from_secs(5);

// --- etcd ---

/// How long a call may take with all its attempts. An election of etcd's own takes one to two seconds by its default
/// settings, and a call outlasts one.
pub const ETCD_CALL: Duration = Duration::from_secs(3);
/// How long one member may take before the next one is asked too. A call takes a few milliseconds, a slow sync a hundred.
pub const ETCD_SLOW: Duration = Duration::from_millis(500);
/// How long a member that was slow or away is not asked first: an attempt on one that hangs costs [`ETCD_SLOW`].
pub const ETCD_REST: Duration = Duration::from_secs(30);
/// The pause before all members are asked once more, after each of them failed: for example while they elect a leader.
pub const ETCD_ROUND_PAUSE: Duration = Duration::from_millis(100);
/// How long connecting may take, TLS included. After that a new connection is begun, by the next call.
pub const ETCD_CONNECT: Duration = Duration::from_secs(1);
/// How long a connection with an open call may be silent before a ping is sent. Less would be harmful: etcd closes a
/// connection after the fourth ping within five seconds of one another (`--grpc-keepalive-min-time`), if it has sent no
/// answer in between. So a call, which ends after [`ETCD_CALL`], sends three of them at most.
pub const ETCD_PING: Duration = Duration::from_secs(1);
/// How long a ping may take before the connection is closed, and with it the calls on it fail. Without this a connection
/// that a network failure cut would be found dead by TCP only, after minutes.
pub const ETCD_PING_ANSWER: Duration = Duration::from_secs(1);

/// The most that one page of `SharedLog::read` may hold, as bytes on the wire: etcd's own limit of a request, 1.5 MiB, for
/// each of its blocks. Blocks are far smaller, this only refuses nonsense.
pub const ETCD_ANSWER_BYTES: usize = ETCD_PAGE_BLOCKS * 1536 * 1024;
/// Blocks that are read at once, at most: about 1 MiB, where a round trip costs less than the bytes do.
pub const ETCD_PAGE_BLOCKS: usize = 64;
/// How often a report is tried when its key was changed meanwhile: by an earlier report that arrived late, or a removal.
pub const ETCD_REPORT_TRIES: usize = 3;

// --- snapshots of a node's store, and nodes that join ---

/// Snapshots that a node sends at a time. Each copies the whole store on its disk.
pub const SNAPSHOTS: usize = 1;
/// Bytes of a snapshot in one frame. Two of them are in memory on each side: one that is read or written, and one in the
/// buffers of TLS and the system.
pub const SNAPSHOT_CHUNK_BYTES: usize = 256 * 1024;
/// Between two words of a node that is copying its store.
pub const SNAPSHOT_ALIVE: Duration = Duration::from_secs(1);
/// How long a node that sends a snapshot may be silent: it reads from a disk that others use.
pub const SNAPSHOT_SILENCE: Duration = Duration::from_secs(15);
/// Bytes after which what was received is synced. Otherwise the system writes gigabytes at once, and nothing is read for
/// longer than the sender waits ([`CHANNEL_WRITE`]).
pub const SNAPSHOT_SYNC_BYTES: usize = 8 * 1024 * 1024;
/// Before all nodes are asked for a snapshot again, after each of them has refused: one that is sending one has finished in
/// some seconds or minutes.
pub const SNAPSHOT_RETRY: Duration = Duration::from_secs(5);
/// The longest such pause, to which it grows: a node without room for a snapshot has others copy their stores for nothing.
pub const SNAPSHOT_RETRY_MAX: Duration = Duration::from_secs(60);
/// Between two lines of the log about a snapshot that is received.
pub const SNAPSHOT_SHOWN: Duration = Duration::from_secs(3);
/// The newest entries of a store that are compared with the snapshot that is to replace it: a store that was written to
/// beside the cluster's log differs in the newest ones.
pub const SNAPSHOT_COMPARED: u64 = 1_000;
/// Join tokens that are good at a time: as many machines as somebody sets up at once.
pub const JOIN_TOKENS: usize = 16;
/// How long a join token is good: long enough to log in to another machine, too short to be forgotten in a file.
pub const JOIN_TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// Wrong join tokens of one address that are logged in [`JOIN_TOKEN_LIFE`]: a person who copies one wrongly needs two or three
/// tries. More are refused as the first ones are, without a line. A right one is taken all the same: a secret has 122 bits, so
/// that guessing does not help, and nobody must keep others from joining.
pub const JOIN_GUESSES: u32 = 5;
/// Addresses whose wrong join tokens are counted. Those of further ones are not logged until an hour has passed: only an attack
/// comes to so many.
pub const JOIN_GUESSERS: usize = 1024;
/// How long a node that joins may take to say what it wants, and to read the answer.
pub const JOIN_REQUEST: Duration = Duration::from_secs(10);
/// The longest frame of a machine that joins: the secret, and a name.
pub const JOIN_FRAME_BYTES: usize = 1024;
/// Machines that are being answered at a time. More would take the places of nodes ([`CHANNELS`]).
pub const JOIN_GUESTS: usize = 4;
/// How long a node that begins anew waits for what is left of the one before: connections that are being closed.
pub const NODE_REOPEN: Duration = Duration::from_secs(10);
/// The longest join token: with the longest realm and host names, in base64.
pub const JOIN_TOKEN_BYTES: usize = 1024;

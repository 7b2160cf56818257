//! Realms and the links to other servers.

use std::time::Duration;

// --- realms (PROTOCOL §6) ---

/// Messages that wait for another server; more are refused to their senders. In memory 40 bytes each, 2.6 MB a server.
pub const OUTBOX_MESSAGES: usize = 65_536;
/// Of these, messages of one user: so that one user cannot fill the outbox for all.
pub const OUTBOX_MESSAGES_PER_USER: usize = 16_384;
/// The bytes of their bodies, on the disk alone.
pub const OUTBOX_BYTES: usize = 64 * 1024 * 1024;
/// Of these, bytes of one user.
pub const OUTBOX_BYTES_PER_USER: usize = 16 * 1024 * 1024;
/// Messages beyond the bound, kept for senders with little in the outbox: several users together must not fill it for all …
pub const OUTBOX_RESERVED_MESSAGES: usize = 16_384;
/// … and the bytes of their bodies.
pub const OUTBOX_RESERVED_BYTES: usize = 16 * 1024 * 1024;
/// Little are so many messages: what a person writes while a link is down. A thousand such people have room …
pub const OUTBOX_KEPT_MESSAGES: usize = 16;
/// … and so many bytes of their bodies.
pub const OUTBOX_KEPT_BYTES: usize = 64 * 1024;
/// Epochs of another server whose numbers are remembered, the newest: a server that goes back to a backup older
/// than so many of its starts may send what waited then a second time. At 16 bytes each, 16 KB of the hello.
pub const EPOCHS_PER_PEER: usize = 1_024;
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
/// Epochs of this server that are remembered, one a start: what waits in an outbox from before so many starts may
/// arrive twice. At 16 bytes each, 256 KB.
pub const EPOCHS: usize = 16_384;
/// Refusals that another server has not confirmed, above which no more messages are received from it.
pub const REFUSED_UNCONFIRMED: usize = 4_096;

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

//! Users, a group, and a committer with random delays.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::chat::{Command, Context, PasswordHash};
use crate::hub::{Committer, Executed, Hub, Origin, SendQueue, SocketWriter};
use crate::id::UserId;
use crate::name::{Address, Name};
use crate::time::Time;
use crate::wire::ReplyFormat;

/// The users of every server; each is a member of the group `tim`.
pub(in crate::federation) const USERS: [&str; 2] = ["messi", "paff"];
/// The open group of every server.
pub(in crate::federation) const GROUP: &str = "tim";

/// Discards the replies: tests read the delivery status instead.
struct DiscardWriter;

impl SocketWriter for DiscardWriter {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

pub(in crate::federation) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Registers [`USERS`] and makes them members of [`GROUP`].
pub(in crate::federation) fn create_users(hub: &Hub) {
    for user in USERS {
        let password = PasswordHash("$hash".into());
        let (full_name, country) = ("".into(), "".into());
        let register =
            Command::Register { name: name(user), full_name, country, password, session: None, invite: None };
        hub.execute_as_server(&register).result.unwrap();
    }
    let now = Time::now();
    let create = Command::CreateGroup { name: name(GROUP), password: None };
    hub.execute(&Context::on_behalf_of(UserId(0), now), &create).result.unwrap();
    let join = Command::JoinGroup { group: name(GROUP), verified: None };
    hub.execute(&Context::on_behalf_of(UserId(1), now), &join).result.unwrap();
}

pub(in crate::federation) fn send(hub: &Hub, from: UserId, to: Address, to_group: bool, text: &str) -> Executed {
    let send_queue = Arc::new(SendQueue::new(Arc::new(DiscardWriter), ReplyFormat::Json));
    let text = text.into();
    let command = if to_group { Command::SendGroup { to, text } } else { Command::SendDirect { to, text } };
    let origin = Origin::new(Some(&send_queue), None);
    hub.execute_for(&Context::on_behalf_of(from, Time::now()), &command, origin)
}

/// Commits again and again, after a random delay each time.
pub(in crate::federation) async fn commit(mut committer: Committer, mut random: fastrand::Rng) {
    loop {
        sleep(Duration::from_millis(random.u64(1..30))).await;
        committer.step();
    }
}

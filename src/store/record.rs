//! The encoding of events: a format byte, then the event in postcard's format. A message's body has its own column.

use crate::chat::Event;
use crate::store::error::StoreError;

/// The format byte. A new format gets another one, and this one stays readable.
const POSTCARD: u8 = 1;

/// Replaces the contents of `out` by an encoded event.
pub(super) fn encode(event: &Event, out: &mut Vec<u8>) -> Result<(), StoreError> {
    out.clear();
    out.push(POSTCARD);
    *out = postcard::to_extend(event, std::mem::take(out)).map_err(|error| damaged(&error.to_string()))?;
    Ok(())
}

/// Decodes an event; a message without its body.
pub(super) fn decode(bytes: &[u8]) -> Result<Event, StoreError> {
    match bytes.split_first() {
        Some((&POSTCARD, event)) => postcard::from_bytes(event).map_err(|error| damaged(&error.to_string())),
        Some((format, _)) => Err(damaged(&format!("unknown format {format}"))),
        None => Err(damaged("no bytes")),
    }
}

/// The value of the body column.
pub(super) fn body(event: &Event) -> Option<&[u8]> {
    match event {
        Event::MessageSent(message) => Some(&message.body.0),
        _ => None,
    }
}

fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(format!("an event in the log: {why}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{
        Author, BounceReason, ConversationId, Destination, IdempotencyKey, Message, MessageBody, PasswordHash,
        PeerAddress, PeerInfo, RemoteName,
    };
    use crate::id::{GroupId, Hash64, Incarnation, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
    use crate::name::Name;
    use crate::store::testing::kinds;
    use data_encoding::HEXLOWER;
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    kinds!(EventKind of Event:
        UserRegistered, SessionOpened, SessionUsed, SessionClosed, MessageSent, InboxRead, PushedRead, RealmInboxRead,
        GroupCreated, GroupJoined, RealmAdded, RequestDone, GroupLeft, GroupHandedOver, GroupDeleted,
        GroupPasswordChanged, UserBlocked, UserUnblocked, PasswordChanged, UserUnregistered, IncarnationBegun, PeerAdded,
        PeerChanged, AliasAdded, RealmRemoved, PeerReceived, PeerConfirmed, OutboxAcknowledged, UserRenamed, ReadMarked,
    );

    fn message(to: Destination, realm: Option<RealmId>) -> Event {
        Event::MessageSent(Message { from: Author::Local(UserId(300)), to, realm, body: MessageBody::default() })
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn marked(conversation: ConversationId) -> Event {
        Event::ReadMarked { user: UserId(300), conversation, upto: Seq(7) }
    }

    /// Events with the bytes that released servers wrote. A line here never changes.
    fn frozen() -> Vec<(Event, &'static str)> {
        let (user, group, realm) = (UserId(300), GroupId(2), RealmId(3));
        let registered = Event::UserRegistered {
            user,
            name: name("messi"),
            full_name: "Lionel".into(),
            country: "".into(),
            password: PasswordHash("$a$".into()),
        };
        let created = Event::GroupCreated { group, name: name("tim"), owner: user, password: None };
        let (session, origin) = (SessionId(4), IpAddr::from([127, 0, 0, 1]));
        let blocked = Author::Local(UserId(1));
        let once = IdempotencyKey { user, tag: Hash64(5), request: Hash64(6) };
        vec![
            (registered, "0100ac02056d65737369064c696f6e656c0003246124"),
            (
                Event::SessionOpened { user, token: TokenHash([7; 32]), ephemeral: true, origin },
                "0101ac02070707070707070707070707070707070707070707070707070707070707070701007f000001",
            ),
            (Event::SessionUsed { session }, "010204"),
            (Event::SessionClosed { session }, "010304"),
            (message(Destination::User(UserId(1)), None), "010400ac02000100"),
            (message(Destination::Group(group), Some(realm)), "010400ac0201020103"),
            (message(Destination::Everyone, None), "010400ac020200"),
            (Event::InboxRead { user, upto: Seq(5) }, "0105ac0205"),
            (Event::PushedRead { user, after: Seq(5), upto: Seq(6) }, "0106ac020506"),
            (Event::RealmInboxRead { user, realm, upto: Seq(7) }, "0107ac020307"),
            (created, "0108020374696dac0200"),
            (Event::GroupJoined { group, user }, "010902ac02"),
            (Event::RealmAdded { realm, name: name("barat"), by: Some(user) }, "010a0305626172617401ac02"),
            (Event::RequestDone { key: once, first: Seq(8), page: None }, "010bac0205060800"),
            (Event::GroupLeft { group, user, by: UserId(1) }, "010c02ac0201"),
            (Event::GroupHandedOver { group, owner: user }, "010d02ac02"),
            (Event::GroupDeleted { group }, "010e02"),
            (Event::GroupPasswordChanged { group, password: None }, "010f0200"),
            (Event::UserBlocked { user, blocked: blocked.clone() }, "0110ac020001"),
            (Event::UserUnblocked { user, blocked }, "0111ac020001"),
            (Event::PasswordChanged { user, password: PasswordHash("$b$".into()) }, "0112ac0203246224"),
            (Event::UserUnregistered { user }, "0113ac02"),
            (Event::UserRenamed { user, full_name: "Leo".into() }, "011cac02034c656f"),
            (marked(ConversationId::User(user)), "011dac0200ac0207"),
            (marked(ConversationId::Group(group)), "011dac02010207"),
            (marked(ConversationId::RemoteUser(realm, name("Bob").folded())), "011dac02020303626f6207"),
            (marked(ConversationId::RemoteGroup(realm, name("fans").folded())), "011dac0203030466616e7307"),
            (marked(ConversationId::Broadcast), "011dac020407"),
            (marked(ConversationId::Server), "011dac020507"),
        ]
    }

    /// Events of other servers.
    fn frozen_of_peers() -> Vec<(Event, &'static str)> {
        let (user, realm, incarnation) = (UserId(300), RealmId(3), Incarnation(u64::MAX));
        let far = || RemoteName { realm, name: name("far") };
        let crossed =
            |from, to| Event::MessageSent(Message { from, to, realm: Some(realm), body: MessageBody::default() });
        let address = PeerAddress { host: "timur.example".into(), port: 8889 };
        let info =
            PeerInfo { key: Some(PeerKey([7; 32])), address: Some(address), self_named: true, our_alias: Some(realm) };
        let refused = vec![(Seq(8), BounceReason::UserNotFound), (Seq(9), BounceReason::Malformed)];
        let returned = vec![(Seq(8), user, BounceReason::GroupNotFound), (Seq(9), user, BounceReason::Blocked)];
        vec![
            (crossed(Author::Local(user), Destination::RemoteUser(far())), "010400ac020303036661720103"),
            (crossed(Author::Local(user), Destination::RemoteGroup(far())), "010400ac020403036661720103"),
            (crossed(Author::Remote(far()), Destination::User(user)), "010401030366617200ac020103"),
            (crossed(Author::Server, Destination::User(user)), "01040200ac020103"),
            (Event::UserBlocked { user, blocked: Author::Remote(far()) }, "0110ac02010303666172"),
            (Event::IncarnationBegun { incarnation }, "0114ffffffffffffffffff01"),
            (
                Event::PeerAdded { realm, name: name("timur"), by: Some(user), info },
                "0115030574696d757201ac02010707070707070707070707070707070707070707070707070707070707070707010d74696d75722e6578616d706c65b945010103",
            ),
            (
                Event::PeerChanged { realm, name: name("timur"), info: PeerInfo::default() },
                "0116030574696d757200000000",
            ),
            (Event::AliasAdded { realm, name: name("barat") }, "011703056261726174"),
            (Event::RealmRemoved { realm }, "011803"),
            (
                Event::PeerReceived { realm, incarnation, upto: Seq(9), refused, forgotten: Some(Incarnation(7)) },
                "011903ffffffffffffffffff010902080009040107",
            ),
            (Event::PeerConfirmed { realm, incarnation, upto: Seq(9) }, "011a03ffffffffffffffffff0109"),
            (Event::OutboxAcknowledged { realm, upto: Seq(9), refused: returned }, "011b03090208ac020109ac0203"),
        ]
    }

    #[test]
    fn the_encoding_of_the_first_release_is_unchanged() {
        let mut bytes = Vec::new();
        for (event, frozen) in frozen().into_iter().chain(frozen_of_peers()) {
            encode(&event, &mut bytes).unwrap();
            assert_eq!(HEXLOWER.encode(&bytes), frozen, "{event:?}");
            assert_eq!(decode(&bytes).unwrap(), event);
        }
    }

    #[test]
    fn every_event_is_frozen() {
        let kinds: BTreeSet<_> =
            frozen().iter().chain(&frozen_of_peers()).map(|(event, _)| EventKind::of(event)).collect();
        assert!(kinds.iter().eq(EventKind::ALL));
    }

    #[test]
    fn unknown_encodings_are_reported_as_damage() {
        for bytes in [&[][..], &[0], &[2, 4], &[1], &[1, 99]] {
            assert!(matches!(decode(bytes), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }
}

//! The encoding of a record in its segment: its time after the segment's base time, its event in postcard's format, and
//! the body of a message up to the end.

use bytes::Bytes;

use crate::chat::{Event, MessageBody};
use crate::store::error::StoreError;
use crate::varint;

/// Replaces the contents of `out` by an encoded event with its body.
pub(super) fn encode(event: &Event, out: &mut Vec<u8>) -> Result<(), StoreError> {
    out.clear();
    *out = postcard::to_extend(event, std::mem::take(out)).map_err(|error| damaged(&error.to_string()))?;
    if let Event::MessageSent(message) = event {
        out.extend_from_slice(message.body.packed());
    }
    Ok(())
}

/// Appends the time after the base time, in milliseconds.
pub(super) fn append_delay(delay: u64, out: &mut Vec<u8>) {
    varint::append(delay, |byte| out.push(byte));
}

/// Decodes the time after the base time, and the event with its body.
pub(super) fn decode(bytes: &Bytes) -> Result<(u64, Event), StoreError> {
    let read = |error: postcard::Error| damaged(&error.to_string());
    let (delay, rest) = postcard::take_from_bytes(bytes).map_err(read)?;
    let (mut event, rest) = postcard::take_from_bytes(rest).map_err(read)?;
    match &mut event {
        Event::MessageSent(message) => message.body = MessageBody::from_packed(bytes.slice_ref(rest)),
        _ if rest.is_empty() => {}
        _ => return Err(damaged("bytes behind it")),
    }
    Ok((delay, event))
}

fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(format!("an event in the log: {why}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{
        Author, BanTarget, BounceReason, ConversationId, Destination, IdempotencyKey, Message, MessageBody, Network,
        PasswordHash, PeerAddress, PeerInfo, RemoteName,
    };
    use crate::id::{Epoch, GroupId, Hash64, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
    use crate::name::Name;
    use crate::store::testing::kinds;
    use crate::time::Time;
    use data_encoding::HEXLOWER;
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    kinds!(EventKind of Event:
        UserRegistered, SessionOpened, SessionUsed, SessionClosed, MessageSent, InboxRead, PushedRead, RealmInboxRead,
        GroupCreated, GroupJoined, RealmAdded, RequestDone, GroupLeft, GroupHandedOver, GroupDeleted,
        GroupPasswordChanged, UserBlocked, UserUnblocked, PasswordChanged, UserUnregistered, EpochBegun, PeerAdded,
        PeerChanged, AliasAdded, RealmRemoved, PeerReceived, PeerConfirmed, OutboxAcknowledged, UserRenamed,
        MembershipForgotten, GroupForgotten, RealmForgotten, ReadMarked, Banned, Unbanned, UserLocked, UserUnlocked, InviteMade,
        InviteUsed, InviteRevoked,
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

    /// Events and their bytes. A line here never changes.
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
            (registered, "00ac02056d65737369064c696f6e656c0003246124"),
            (
                Event::SessionOpened { user, token: TokenHash([7; 32]), ephemeral: true, origin },
                "01ac02070707070707070707070707070707070707070707070707070707070707070701007f000001",
            ),
            (Event::SessionUsed { session }, "0204"),
            (Event::SessionClosed { session }, "0304"),
            (message(Destination::User(UserId(1)), None), "0400ac02000100"),
            (message(Destination::Group(group), Some(realm)), "0400ac0201020103"),
            (message(Destination::Everyone, None), "0400ac020200"),
            (Event::InboxRead { user, upto: Seq(5) }, "05ac0205"),
            (Event::PushedRead { user, after: Seq(5), upto: Seq(6) }, "06ac020506"),
            (Event::RealmInboxRead { user, realm, upto: Seq(7) }, "07ac020307"),
            (created, "08020374696dac0200"),
            (Event::GroupJoined { group, user }, "0902ac02"),
            (Event::RealmAdded { realm, name: name("barat"), by: Some(user) }, "0a0305626172617401ac02"),
            (Event::RequestDone { key: once, first: Seq(8), page: None }, "0bac0205060800"),
            (Event::GroupLeft { group, user, by: UserId(1) }, "0c02ac0201"),
            (Event::GroupHandedOver { group, owner: user }, "0d02ac02"),
            (Event::GroupDeleted { group }, "0e02"),
            (Event::GroupPasswordChanged { group, password: None }, "0f0200"),
            (Event::UserBlocked { user, blocked: blocked.clone() }, "10ac020001"),
            (Event::UserUnblocked { user, blocked }, "11ac020001"),
            (Event::PasswordChanged { user, password: PasswordHash("$b$".into()) }, "12ac0203246224"),
            (Event::UserUnregistered { user }, "13ac02"),
            (Event::UserRenamed { user, full_name: "Leo".into() }, "1cac02034c656f"),
            (Event::MembershipForgotten { user, group, joined: Seq(5) }, "1dac020205"),
            (Event::GroupForgotten { group }, "1e02"),
            (Event::RealmForgotten { realm }, "1f03"),
            (marked(ConversationId::User(user)), "20ac0200ac0207"),
            (marked(ConversationId::Group(group)), "20ac02010207"),
            (marked(ConversationId::RemoteUser(realm, name("Bob").folded())), "20ac02020303626f6207"),
            (marked(ConversationId::RemoteGroup(realm, name("fans").folded())), "20ac0203030466616e7307"),
            (marked(ConversationId::Broadcast), "20ac020407"),
            (marked(ConversationId::Server), "20ac020507"),
        ]
    }

    /// Events of other servers.
    fn frozen_of_peers() -> Vec<(Event, &'static str)> {
        let (user, realm, epoch) = (UserId(300), RealmId(3), Epoch(u64::MAX));
        let far = || RemoteName { realm, name: name("far") };
        let crossed =
            |from, to| Event::MessageSent(Message { from, to, realm: Some(realm), body: MessageBody::default() });
        let address = PeerAddress { host: "timur.example".into(), port: 8889 };
        let info =
            PeerInfo { key: Some(PeerKey([7; 32])), address: Some(address), self_named: true, our_alias: Some(realm) };
        let refused = vec![(Seq(8), BounceReason::UserNotFound), (Seq(9), BounceReason::Malformed)];
        let returned = vec![(Seq(8), user, BounceReason::GroupNotFound), (Seq(9), user, BounceReason::Blocked)];
        vec![
            (crossed(Author::Local(user), Destination::RemoteUser(far())), "0400ac020303036661720103"),
            (crossed(Author::Local(user), Destination::RemoteGroup(far())), "0400ac020403036661720103"),
            (crossed(Author::Remote(far()), Destination::User(user)), "0401030366617200ac020103"),
            (crossed(Author::Server, Destination::User(user)), "040200ac020103"),
            (Event::UserBlocked { user, blocked: Author::Remote(far()) }, "10ac02010303666172"),
            (Event::EpochBegun { epoch }, "14ffffffffffffffffff01"),
            (
                Event::PeerAdded { realm, name: name("timur"), by: Some(user), info },
                "15030574696d757201ac02010707070707070707070707070707070707070707070707070707070707070707010d74696d75722e6578616d706c65b945010103",
            ),
            (Event::PeerChanged { realm, name: name("timur"), info: PeerInfo::default() }, "16030574696d757200000000"),
            (Event::AliasAdded { realm, name: name("barat") }, "1703056261726174"),
            (Event::RealmRemoved { realm }, "1803"),
            (
                Event::PeerReceived { realm, epoch, upto: Seq(9), refused, forgotten: Some(Epoch(7)) },
                "1903ffffffffffffffffff010902080009040107",
            ),
            (Event::PeerConfirmed { realm, epoch, upto: Seq(9) }, "1a03ffffffffffffffffff0109"),
            (Event::OutboxAcknowledged { realm, upto: Seq(9), refused: returned }, "1b03090208ac020109ac0203"),
        ]
    }

    /// Events of administrators.
    fn frozen_of_administrators() -> Vec<(Event, &'static str)> {
        let (user, realm) = (UserId(300), RealmId(3));
        let banned = |target, until| Event::Banned { target, by: Some(user), until, reason: "spam".into() };
        let network = |text| BanTarget::Network(Network::parse(text).unwrap());
        let invite = Seq(7);
        vec![
            (banned(BanTarget::User(UserId(1)), Some(Time(9))), "21000101ac020109047370616d"),
            (banned(BanTarget::RemoteUser(realm, name("Bob").folded()), None), "21010303626f6201ac0200047370616d"),
            (banned(network("10.0.0.0/8"), None), "2102000a0000000801ac0200047370616d"),
            (banned(network("2001:db8::7"), None), "21020120010db80000000000000000000000004001ac0200047370616d"),
            (banned(BanTarget::Realm(realm), None), "21030301ac0200047370616d"),
            (Event::Unbanned { target: BanTarget::User(user) }, "2200ac02"),
            (Event::UserLocked { user, by: None }, "23ac0200"),
            (Event::UserUnlocked { user }, "24ac02"),
            (
                Event::InviteMade { code: TokenHash([7; 32]), by: Some(user), uses: 5, until: Time(9) },
                "25070707070707070707070707070707070707070707070707070707070707070701ac020509",
            ),
            (Event::InviteUsed { invite, user }, "2607ac02"),
            (Event::InviteRevoked { invite }, "2707"),
        ]
    }

    fn all_frozen() -> impl Iterator<Item = (Event, &'static str)> {
        frozen().into_iter().chain(frozen_of_peers()).chain(frozen_of_administrators())
    }

    #[test]
    fn the_encoding_is_unchanged() {
        let mut bytes = Vec::new();
        for (event, frozen) in all_frozen() {
            encode(&event, &mut bytes).unwrap();
            assert_eq!(HEXLOWER.encode(&bytes), frozen, "{event:?}");
            assert_eq!(decode(&Bytes::from([&[5], &bytes[..]].concat())).unwrap(), (5, event));
        }
    }

    #[test]
    fn every_event_is_frozen() {
        let kinds: BTreeSet<_> = all_frozen().map(|(event, _)| EventKind::of(&event)).collect();
        assert!(kinds.iter().eq(EventKind::ALL));
    }

    #[test]
    fn unknown_encodings_are_reported_as_damage() {
        for bytes in [&[][..], &[0], &[0, 99], &[0, 2, 4, 0], &[0xff; 11]] {
            assert!(matches!(decode(&Bytes::from_static(bytes)), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }
}

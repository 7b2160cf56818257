//! Commands for the property tests: every kind, among few users, groups and realms, so that they meet.

mod links;

use proptest::prelude::*;

use crate::chat::{Command, NewSession, PasswordHash, State};
use crate::id::{RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};
use crate::store::testing::HASH;

/// A command in the rough, to be made out against the state of its moment.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) kind: u8,
    pub(super) who: u32,
    pub(super) whom: u32,
    pub(super) place: u64,
}

/// How many kinds of wishes there are.
const KINDS: u8 = 35;

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let numbers = (0..KINDS, 0..4_u32, 0..4_u32, 0..1_000_000_u64);
    numbers.prop_map(|(kind, who, whom, place)| Wish { kind, who, whom, place })
}

/// One of the hashes that passwords have here.
fn hash(number: u64) -> PasswordHash {
    PasswordHash(HASH.replace("c29t", &format!("c2{:02}", number % 100)).into())
}

pub(super) fn name(kind: &str, number: u32) -> Name {
    Name::parse(&format!("{kind}{number}")).unwrap()
}

fn nth_session(state: &State, n: u64) -> SessionId {
    let mut open: Vec<_> = state.sessions().map(|(id, _)| id).collect();
    open.sort();
    open.get(n as usize % open.len().max(1)).copied().unwrap_or_default()
}

pub(super) fn command(state: &State, wish: &Wish) -> Command {
    let Wish { kind, who, whom, place } = wish;
    let user = UserId(*who);
    let (password, text) = (hash(place % 2), format!("halo {place}").into());
    let within = Seq(place % (state.head().0 + 1));
    let realm = RealmId(*whom % state.realms().len() as u32);
    let crossing = (place % 2 == 0).then(|| state.realms()[realm.0 as usize].name.clone());
    match kind {
        0 => Command::Register {
            name: name("user", *who),
            full_name: "Full Náme".into(),
            country: "".into(),
            password,
            session: (place % 2 == 0).then(|| session(state, *place)),
        },
        1 => Command::OpenSession { user, verified: password_of(state, user), session: session(state, *place) },
        2 => Command::TouchSession { session: nth_session(state, *place) },
        3 => Command::CloseSession { session: nth_session(state, *place) },
        4..=6 => {
            let to = Address { name: name("user", *whom), realm: crossing };
            Command::SendDirect { from: user, to, text, online: None }
        }
        7..=8 => {
            Command::SendGroup { from: user, to: Address { name: name("group", *whom % 2), realm: crossing }, text }
        }
        9 => Command::Broadcast { from: user, text },
        10 => {
            let from = state.user(user).map_or(Seq(0), |user| user.cursor);
            Command::ReadInbox { user, from, upto: within }
        }
        11 => Command::ReadPushed { user, after: within, upto: Seq(within.0 + 1 + u64::from(*whom)) },
        12 => {
            let from = state.user(user).map_or(Seq(0), |user| user.realm_cursor(realm));
            Command::ReadRealmInbox { user, realm, from, upto: within }
        }
        13 => Command::AddRealm { by: user, name: name("realm", *whom) },
        14..=18 => about_groups(state, wish),
        19..=22 => about_people(state, wish, crossing),
        _ => links::command(state, wish),
    }
}

fn about_groups(state: &State, Wish { kind, who, whom, place }: &Wish) -> Command {
    let (user, group) = (UserId(*who), name("group", *whom % 2));
    match kind {
        14 => {
            let password = (place % 2 == 0).then(|| hash(0));
            Command::CreateGroup { owner: user, name: group, password }
        }
        15 => {
            let verified = state.group_named(&group).and_then(|(_, group)| group.password.clone());
            Command::JoinGroup { user, group, verified }
        }
        16 => Command::LeaveGroup { user, group },
        17 if place % 4 == 0 => Command::DeleteGroup { owner: user, group },
        17 => Command::Kick { owner: user, group, user: name("user", (place % 4) as u32) },
        _ => {
            let password = (place % 3 == 0).then(|| hash(*place));
            Command::ChangeGroupPassword { owner: user, group, password }
        }
    }
}

fn about_people(state: &State, Wish { kind, who, whom, place }: &Wish, crossing: Option<Name>) -> Command {
    let user = UserId(*who);
    let whom = Address { name: name("user", *whom), realm: crossing };
    let (session, verified) = (nth_session(state, *place), password_of(state, user));
    match kind {
        19 => Command::Block { user, whom },
        20 => Command::Unblock { user, whom },
        21 => Command::RevokeSession { user, session },
        22 if place % 8 == 0 => Command::Unregister { user, verified },
        _ => Command::ChangePassword { user, session, verified, password: hash(*place) },
    }
}

fn session(state: &State, place: u64) -> NewSession {
    let token = TokenHash(std::array::from_fn(|i| (state.head().0 >> (8 * (i % 8))) as u8));
    let origin = if place.is_multiple_of(5) { [192, 0, 2, 7].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into() };
    NewSession { token, ephemeral: place.is_multiple_of(3), origin }
}

fn password_of(state: &State, user: UserId) -> PasswordHash {
    state.user(user).map_or_else(|| PasswordHash("".into()), |user| user.password.clone())
}

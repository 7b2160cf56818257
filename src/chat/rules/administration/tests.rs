use super::*;
use crate::chat::command::Command;
use crate::chat::error::BounceReason;
use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, hash, key, name};
use crate::chat::model::ban::Network;
use crate::chat::model::remote_message::PeerHello;
use crate::chat::model::remote_message::RemoteMessage;
use crate::chat::response::Response;
use crate::chat::rules::context::Policy;
use crate::chat::views::administration::{bans, invites};
use crate::id::Epoch;

/// Under a policy by which messi and neko are administrators.
fn decide(fixture: &Fixture, user: Option<UserId>, command: &Command) -> Result<Vec<Event>, CommandError> {
    let policy = Policy { administrators: vec![name("messi").folded(), name("neko").folded()], ..Policy::default() };
    let context = Context { user, policy: &policy, ..Context::server(Time(1_000)) };
    fixture.decide_in(&context, command)
}

fn does(fixture: &mut Fixture, user: Option<UserId>, command: &Command) -> Vec<Event> {
    let events = decide(fixture, user, command).unwrap();
    events.iter().for_each(|event| fixture.happens(event));
    events
}

fn ban_user(user: &str) -> Command {
    Command::Ban { subject: BanSubject::User(address(user)), lifetime: None, reason: "spam".into() }
}

fn ban_realm(realm: &str) -> Command {
    Command::Ban { subject: BanSubject::Realm(name(realm)), lifetime: None, reason: "".into() }
}

fn ban_network(network: &str, lifetime: Option<Duration>) -> Command {
    let subject = BanSubject::Network(Network::parse(network).unwrap());
    Command::Ban { subject, lifetime, reason: "".into() }
}

fn all_commands() -> Vec<Command> {
    let user = || name("paff");
    vec![
        Command::KickUser { user: user() },
        ban_user("paff"),
        Command::Unban { subject: BanSubject::User(address("paff")) },
        Command::LockUser { user: user() },
        Command::UnlockUser { user: user() },
        Command::SetPassword { user: user(), password: hash("new") },
        Command::Wall { text: "halo".into() },
        Command::MakeInvite { code: TokenHash([7; 32]), uses: 1, lifetime: Duration::from_secs(1) },
        Command::RevokeInvite { invite: Seq(1) },
    ]
}

#[test]
fn only_administrators_and_the_operator_may() {
    let fixture = Fixture::new();
    for command in all_commands() {
        assert_eq!(decide(&fixture, Some(PAFF), &command), Err(CommandError::Forbidden), "{command:?}");
        for user in [Some(MESSI), None] {
            assert_ne!(decide(&fixture, user, &command), Err(CommandError::Forbidden), "{command:?} by {user:?}");
        }
    }
}

#[test]
fn nobody_has_power_over_oneself_and_only_the_operator_over_administrators() {
    let fixture = Fixture::new();
    let commands = |user: &str| {
        let password = hash("new");
        let name = name(user);
        [
            Command::KickUser { user: name.clone() },
            ban_user(user),
            Command::LockUser { user: name.clone() },
            Command::SetPassword { user: name, password },
        ]
    };
    for (user, error) in [("messi", CommandError::Oneself), ("neko", CommandError::OtherAdministrator)] {
        for command in commands(user) {
            assert_eq!(decide(&fixture, Some(MESSI), &command), Err(error), "{command:?}");
            assert!(decide(&fixture, None, &command).is_ok(), "{command:?}");
        }
    }
}

fn logs_in() -> Command {
    let session = crate::chat::model::session::NewSession {
        token: TokenHash([9; 32]),
        ephemeral: false,
        origin: [127, 0, 0, 1].into(),
    };
    Command::OpenSession { user: PAFF, verified: hash("old"), session, uses: Vec::new() }
}

fn registers(user: &str, code: TokenHash) -> Command {
    let (full_name, country) = ("".into(), "".into());
    let (password, session, invite) = (hash("x"), None, Some(code));
    Command::Register { name: name(user), full_name, country, password, session, invite }
}

#[test]
fn a_ban_or_a_lock_ends_all_sessions_and_refuses_logins_until_it_is_lifted() {
    let open = |fixture: &Fixture| decide(fixture, None, &logs_in()).map(drop);
    for (command, undo, error) in [
        (ban_user("paff"), Command::Unban { subject: BanSubject::User(address("paff")) }, CommandError::Banned),
        (Command::LockUser { user: name("paff") }, Command::UnlockUser { user: name("paff") }, CommandError::Locked),
    ] {
        let mut fixture = Fixture::new();
        let sessions = [(); 2].map(|()| fixture.logs_in(PAFF));
        let events = does(&mut fixture, Some(MESSI), &command);
        assert_eq!(events[1..], sessions.map(|session| Event::SessionClosed { session }));
        assert_eq!(open(&fixture), Err(error));
        assert_eq!(decide(&fixture, Some(NEKO), &command), Ok(vec![]), "twice changes nothing");
        does(&mut fixture, Some(NEKO), &undo);
        assert_eq!(open(&fixture), Ok(()));
    }
}

#[test]
fn a_ban_of_a_network_is_over_in_time_and_one_of_everybody_leaves_out_this_machine() {
    let mut fixture = Fixture::new();
    does(&mut fixture, Some(MESSI), &ban_network("10.0.0.0/8", Some(Duration::from_millis(500))));
    let is_banned =
        |fixture: &Fixture, address: &str, now| fixture.state.is_address_banned(address.parse().unwrap(), Time(now));
    assert!(is_banned(&fixture, "10.1.2.3", 1_499) && is_banned(&fixture, "::ffff:10.1.2.3", 1_499));
    assert!(!is_banned(&fixture, "10.1.2.3", 1_500) && !is_banned(&fixture, "11.1.2.3", 1_000));
    for everybody in ["0.0.0.0/0", "::/0"] {
        does(&mut fixture, None, &ban_network(everybody, None));
    }
    assert!(is_banned(&fixture, "192.0.2.1", 9_000) && is_banned(&fixture, "2001:db8::1", 9_000));
    let here = ["127.0.0.9", "::1", "::ffff:127.0.0.9"];
    for address in here {
        assert!(!is_banned(&fixture, address, 9_000), "{address}");
    }
    for network in ["127.0.0.9", "::1"] {
        does(&mut fixture, Some(MESSI), &ban_network(network, None));
    }
    for address in here {
        assert!(is_banned(&fixture, address, 9_000), "{address}");
    }
    assert!(!is_banned(&fixture, "127.0.0.1", 9_000));
}

#[test]
fn the_number_of_bans_is_bounded() {
    let mut fixture = Fixture::new();
    for number in 0..MAX_BANS as u32 {
        let network = Network::of(std::net::Ipv4Addr::from(0x0A00_0000 + number).into(), 32);
        let (target, reason) = (BanTarget::Network(network), "".into());
        fixture.happens(&Event::Banned { target, by: None, until: None, reason });
    }
    assert_eq!(decide(&fixture, None, &ban_network("192.0.2.1", None)), Err(CommandError::BanLimit));
    assert!(
        decide(&fixture, None, &ban_network("10.0.0.1", Some(Duration::from_secs(1)))).is_ok(),
        "one that is known"
    );
    does(&mut fixture, None, &Command::Unban { subject: BanSubject::Network(Network::parse("10.0.0.1").unwrap()) });
    assert!(decide(&fixture, None, &ban_network("192.0.2.1", None)).is_ok());
}

#[test]
fn who_is_not_here_can_be_banned_too() {
    let mut fixture = Fixture::new();
    let timur = fixture.links("timur", 2);
    does(&mut fixture, Some(MESSI), &ban_user("Bob@timur"));
    let message = |from: &str| RemoteMessage {
        from: name(from),
        full_name: "".into(),
        to: name("messi"),
        to_group: false,
        text: "halo".into(),
    };
    let events = fixture.receives(timur, [(Seq(1), Ok(message("bob"))), (Seq(2), Ok(message("eve")))]);
    let [Event::MessageSent(_), Event::PeerReceived { refused, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(refused, &[(Seq(1), BounceReason::Blocked)]);
    does(&mut fixture, Some(MESSI), &ban_user("paff"));
    fixture.does(NEKO, &Command::LeaveGroup { group: name("fans") });
    does(&mut fixture, Some(MESSI), &Command::Unban { subject: BanSubject::User(address("bob@timur")) });
    let refused = fixture.decide(PAFF, &Command::SendDirect { to: address("bob@utara"), text: "x".into() });
    assert_eq!(refused, Err(CommandError::RealmNotFound));
}

#[test]
fn a_banned_realm_cannot_link_nor_be_sent_to_nor_come_back_under_another_name() {
    let mut fixture = Fixture::new();
    let timur = fixture.links("timur", 2);
    does(&mut fixture, Some(MESSI), &ban_realm("timur"));
    let hello = PeerHello {
        key: key(2),
        home: name("timur"),
        calls_us: None,
        address: None,
        dialled: None,
        welcome: true,
        counts: (Epoch(5), Seq(0)),
    };
    let comes = |fixture: &Fixture| decide(fixture, None, &Command::RegisterPeer(Box::new(hello.clone()))).map(drop);
    assert_eq!(comes(&fixture), Err(CommandError::RealmRefused));
    let send = Command::SendDirect { to: address("bob@timur"), text: "halo".into() };
    fixture.refuses(PAFF, &send, CommandError::RealmRefused);
    fixture.does(MESSI, &Command::RemoveRealm { name: name("timur"), lost: "hilang".into() });
    for number in 0..3 {
        let other = name(&format!("r{number}"));
        fixture.does(PAFF, &Command::AddRealm { name: other.clone() });
        fixture.does(PAFF, &Command::RemoveRealm { name: other, lost: "hilang".into() });
    }
    let add = Command::AddPeer { name: name("lain"), key: Some(key(2)), address: crate::chat::fixture::at(2) };
    fixture.refuses(PAFF, &add, CommandError::RealmRefused);
    assert_eq!(comes(&fixture), Err(CommandError::RealmRefused));
    fixture.server_does(&Command::LiftBan { target: BanTarget::Realm(timur) });
    assert!(fixture.decide(PAFF, &add).is_ok());
    for (realm, error) in [("local", CommandError::RealmIsThisServer), ("utara", CommandError::RealmNotFound)] {
        assert_eq!(decide(&fixture, None, &ban_realm(realm)), Err(error));
    }
}

#[test]
fn an_invite_is_good_for_so_many_users_and_so_long() {
    let mut fixture = Fixture::new();
    let code = TokenHash([7; 32]);
    does(&mut fixture, Some(MESSI), &Command::MakeInvite { code, uses: 2, lifetime: Duration::from_millis(500) });
    let register = |user: &str| registers(user, code);
    let at =
        |fixture: &Fixture, now, command: &Command| fixture.decide_in(&Context::server(Time(now)), command).map(drop);
    assert_eq!(at(&fixture, 1_500, &register("a")), Err(CommandError::InviteNotFound), "it is over");
    for user in ["a", "b"] {
        let events = does(&mut fixture, None, &register(user));
        assert!(matches!(events[1], Event::InviteUsed { .. }));
    }
    assert_eq!(at(&fixture, 1_000, &register("c")), Err(CommandError::InviteNotFound), "it is used up");
    does(&mut fixture, None, &Command::MakeInvite { code, uses: 9, lifetime: Duration::from_secs(9) });
    let invite = fixture.state.head();
    does(&mut fixture, Some(NEKO), &Command::RevokeInvite { invite });
    assert_eq!(at(&fixture, 1_000, &register("c")), Err(CommandError::InviteNotFound), "it is revoked");
}

#[test]
fn a_clock_that_is_years_ahead_lifts_no_ban_and_ends_no_invite() {
    let mut fixture = Fixture::new();
    let (code, lifetime) = (TokenHash([7; 32]), Duration::from_millis(500));
    let subject = BanSubject::User(address("paff"));
    let ban = Command::Ban { subject, lifetime: Some(lifetime), reason: "".into() };
    does(&mut fixture, Some(MESSI), &ban);
    does(&mut fixture, Some(MESSI), &Command::MakeInvite { code, uses: 2, lifetime });
    let ahead = Context { now: Time(1 << 40), ..Context::server(Time(1_499)) };
    assert_eq!(fixture.decide_in(&ahead, &logs_in()), Err(CommandError::Banned));
    assert!(fixture.decide_in(&ahead, &registers("a", code)).is_ok());
    let again = fixture.decide_in(&ahead, &ban).unwrap();
    assert!(matches!(again[0], Event::Banned { until: Some(Time(1_999)), .. }), "it lasts as long as it says");
    let later = Context { paced: Time(1_500), ..ahead };
    assert!(fixture.decide_in(&later, &logs_in()).is_ok());
    assert_eq!(fixture.decide_in(&later, &registers("a", code)), Err(CommandError::InviteNotFound));
}

#[test]
fn the_end_of_a_ban_and_of_an_invite_is_shown_by_the_clock_also_while_it_is_ahead() {
    let mut fixture = Fixture::new();
    let lifetime = Duration::from_millis(500);
    does(&mut fixture, Some(MESSI), &ban_network("192.0.2.7", Some(lifetime)));
    does(&mut fixture, Some(MESSI), &Command::MakeInvite { code: TokenHash([7; 32]), uses: 2, lifetime });
    for (now, paced, shown) in [(1_000, 1_000, 1_500), (1_200, 1_200, 1_500), (9_000, 1_200, 9_300)] {
        let context = Context { now: Time(now), ..Context::server(Time(paced)) };
        let Ok(Response::Bans { bans, .. }) = bans(&fixture.state, &context, None, 9) else { panic!("no bans") };
        let Ok(Response::Invites(invites)) = invites(&fixture.state, &context) else { panic!("no invites") };
        assert_eq!((bans[0].until, invites[0].until), (Some(Time(shown)), Time(shown)), "{now} {paced}");
    }
}

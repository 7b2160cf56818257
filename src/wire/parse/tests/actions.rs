//! The action of each command.

use super::*;

#[test]
fn account_commands_are_parsed() {
    for line in ["auth messi surabaya", "login messi surabaya"] {
        assert_asks(line, SessionRequest::LogIn { user: name("messi"), password: secret() });
    }
    assert_asks(
        "register messi x",
        SessionRequest::Register { user: name("messi"), password: secret(), profile: None, invite: None },
    );
    let vano = NewProfile { full_name: "vano orangganteng".into(), country: "Sri Lanka".into() };
    assert_asks(
        "register vano x vano_orangganteng Sri_Lanka",
        SessionRequest::Register { user: name("vano"), password: secret(), profile: Some(vano), invite: None },
    );
    assert_changes("logout", Command::LogOut);
    assert_asks("exit", SessionRequest::Exit);
    assert_asks("quit", SessionRequest::Exit);
    assert_reads("whoami", Query::Whoami);
}

#[test]
fn messages_are_parsed() {
    for line in ["send henderson gol dari messi", "chat henderson gol dari messi"] {
        assert_changes(line, Command::SendDirect { to: address("henderson"), text: "gol dari messi".into() });
    }
    assert_changes("send bob@timur hi", Command::SendDirect { to: address("bob@timur"), text: "hi".into() });
    assert_changes("broadcast hi all", Command::Broadcast { text: "hi all".into() });
    for line in ["sendgroup informatika21 hi", "chatgroup informatika21 hi"] {
        assert_changes(line, Command::SendGroup { to: address("informatika21"), text: "hi".into() });
    }
    assert_asks("inbox", SessionRequest::Inbox);
    assert_asks("kotakmasuk", SessionRequest::Inbox);
}

#[test]
fn lists_are_parsed() {
    for line in ["showuseractive", "list", "user_on", "online"] {
        assert_reads(line, Query::Online);
    }
    assert_reads("info", Query::Online);
    assert_reads("info {}", Query::Online);
    assert_reads("info messi", Query::Info { user: name("messi") });
    assert_reads("groups", Query::Groups);
    assert_reads("members g1", Query::Members { group: name("g1") });
    assert_reads("realms", Query::Realms);
}

#[test]
fn group_commands_are_parsed() {
    assert_changes("addgroup g1", Command::CreateGroup { name: name("g1"), password: None });
    assert_asks("addgroup g1 x", SessionRequest::CreateGroup { group: name("g1"), password: secret() });
    assert_asks("creategroup g1 x", SessionRequest::CreateGroup { group: name("g1"), password: secret() });
    assert_changes("joingroup g1", Command::JoinGroup { group: name("g1"), verified: None });
    assert_asks("joingroup g1 x", SessionRequest::JoinGroup { group: name("g1"), password: secret() });
}

#[test]
fn commands_of_group_life_are_parsed() {
    assert_changes("leavegroup g1", Command::LeaveGroup { group: name("g1") });
    assert_changes("kick g1 messi", Command::Kick { group: name("g1"), user: name("messi") });
    assert_changes("delgroup g1", Command::DeleteGroup { group: name("g1") });
    assert_changes("grouppasswd g1", Command::ChangeGroupPassword { group: name("g1"), password: None });
    assert_asks("grouppasswd g1 x", SessionRequest::ChangeGroupPassword { group: name("g1"), password: secret() });
}

#[test]
fn commands_about_people_are_parsed() {
    assert_changes("block messi", Command::Block { whom: address("messi") });
    assert_changes("unblock bob@timur", Command::Unblock { whom: address("bob@timur") });
    assert_reads("blocks", Query::Blocks);
    assert_asks("passwd old new", SessionRequest::ChangePassword { old: secret(), new: secret() });
    assert_reads("sessions", Query::Sessions);
    assert_changes("revoke 42", Command::RevokeSession { session: SessionId(42) });
    assert_asks("unregister x", SessionRequest::Unregister { password: secret() });
}

#[test]
fn history_is_parsed_with_its_options_in_any_order() {
    use Conversation::{Broadcast, Group, Server, User};
    for (line, conversation, before, limit) in [
        ("history", None, None, None),
        ("history before 42", None, Some(42), None),
        ("history LIMIT 5 before 42", None, Some(42), Some(5)),
        ("history messi", Some(User(address("messi"))), None, None),
        ("history bob@timur before 42 limit 5", Some(User(address("bob@timur"))), Some(42), Some(5)),
        ("history group:g1@timur limit 5", Some(Group(address("g1@timur"))), None, Some(5)),
        ("history limit", Some(User(address("limit"))), None, None),
        ("history * limit 5", Some(Broadcast), None, Some(5)),
        ("history REALM@local", Some(Server), None, None),
        ("history before before 42", Some(User(address("before"))), Some(42), None),
    ] {
        assert_asks(line, SessionRequest::History { conversation, before: before.map(Seq), limit });
    }
}

#[test]
fn commands_about_conversations_are_parsed() {
    assert_asks("conversations", SessionRequest::Conversations { limit: None });
    assert_asks("conversations Limit 5", SessionRequest::Conversations { limit: Some(5) });
    for (word, conversation) in [
        ("messi", Conversation::User(address("messi"))),
        ("bob@timur", Conversation::User(address("bob@timur"))),
        ("group:g1", Conversation::Group(address("g1"))),
        ("*", Conversation::Broadcast),
        ("realm@local", Conversation::Server),
    ] {
        let line = format!("markread {word} 42");
        assert_asks(&line, SessionRequest::MarkRead { conversation, upto: Seq(42).into() });
    }
}

#[test]
fn realm_commands_are_parsed() {
    assert_changes("addrealm timur", Command::AddRealm { name: name("timur") });
    let link = SessionRequest::LinkRealm { realm: name("timur"), host: "127.0.0.1".into(), port: 8889 };
    assert_asks("addrealm timur 127.0.0.1 8889", link);
    let lost = crate::wire::catalog::lost(&name("timur")).into();
    assert_changes("delrealm timur", Command::RemoveRealm { name: name("timur"), lost });
    assert_asks("link 1", SessionRequest::Link { version: 1 });
    let to_user = Command::SendDirect { to: address("bob@timur"), text: "hi there".into() };
    assert_changes("sendprivaterealm timur bob hi there", to_user);
    for line in ["sendgrouprealm timur g1 hi there", "sendgrouprealm timur group:g1 hi there"] {
        assert_changes(line, Command::SendGroup { to: address("g1@timur"), text: "hi there".into() });
    }
    assert_asks("getrealminbox timur", SessionRequest::RealmInbox { realm: name("timur") });
}

#[test]
fn commands_about_the_server_are_parsed() {
    assert_asks("help", SessionRequest::Help(None));
    assert_asks("help SEND", SessionRequest::Help(Some("send")));
    assert_asks("ping", SessionRequest::Ping);
    assert_asks("version", SessionRequest::Version);
}

use super::*;
use crate::wire::fixtures::languages;

/// The lines of themes.
fn themes(language: Language) -> impl Iterator<Item = String> {
    overview(language).skip(FIRST_STEPS.len() + 1)
}

#[test]
fn help_fits_a_terminal_in_every_language() {
    for language in languages() {
        let overview: Vec<String> = overview(language).chain([format!("[OK] {}", sentence(None, language))]).collect();
        assert!(overview.len() <= 23);
        let commands = COMMANDS.iter().map(|spec| format!("[OK] {}", sentence(Some(spec.word), language)));
        for line in overview.into_iter().chain(commands) {
            assert!(line.len() <= 80, "{line}");
        }
    }
    for line in lines(None) {
        assert!(line.len() <= 78, "{line}");
    }
}

#[test]
fn every_word_stands_once_in_the_overview() {
    for language in languages() {
        let shown =
            themes(language).flat_map(|line| line[13..].split([' ', '/']).map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(shown.count(), COMMANDS.len());
    }
}

#[test]
fn the_first_steps_are_commands() {
    for (usage, _) in FIRST_STEPS {
        for language in languages() {
            let usage = usage.text(language);
            let spec = CommandSpec::find(usage.split(' ').next().unwrap()).unwrap();
            assert!(spec.usage(language).starts_with(usage), "{usage}");
        }
    }
}

#[test]
fn titles_and_first_steps_stand_in_columns() {
    for language in languages() {
        for line in themes(language) {
            assert!(line.as_bytes()[12] == b' ' && line.as_bytes()[13] != b' ', "{line}");
        }
        for line in overview(language).take(FIRST_STEPS.len()) {
            assert!(line.as_bytes()[STEP_COLUMNS - 1] == b' ' && line.as_bytes()[STEP_COLUMNS] != b' ', "{line}");
        }
    }
}

#[test]
fn the_overview_has_the_words_of_a_theme_in_order() {
    let expected = [
        "come and go  auth/login register whoami logout exit/quit",
        "talk         send/chat sendgroup/chatgroup broadcast",
        "read         inbox/kotakmasuk peek ack history",
        "keep up      subscribe unsubscribe conversations markread",
        "groups       addgroup creategroup joingroup leavegroup groups members",
        "own a group  kick grouppasswd delgroup",
        "people       showuseractive/list/user_on/online info block unblock blocks",
        "realms       addrealm delrealm realms link",
        "talk to them sendprivaterealm sendgrouprealm getrealminbox",
        "other        passwd setname sessions revoke unregister help ping version",
        "keep out     kickuser ban unban bans lock unlock",
        "administer   adduser setpass wall stats users invite invites uninvite",
    ];
    assert_eq!(themes(Language::Documents).collect::<Vec<_>>(), expected);
}

#[test]
fn usages_and_summaries_stand_in_columns() {
    for line in lines(None) {
        assert!(line.as_bytes()[USAGE_COLUMNS - 1] == b' ' && line.as_bytes()[USAGE_COLUMNS] != b' ', "{line}");
    }
}

#[test]
fn one_word_has_a_line_and_a_sentence() {
    assert_eq!(lines(Some("chat")), [format!("{:<USAGE_COLUMNS$}tell a user", "chat USER TEXT")]);
    for (word, expected, indonesian) in [
        ("chat", "chat USER TEXT: tell a user", "chat PENGGUNA PESAN: kirim pesan ke pengguna"),
        (
            "addrealm",
            "addrealm REALM [HOST PORT]: link a server, or add a name",
            "addrealm REALM [HOST PORT]: sambungkan server, atau tambah nama",
        ),
        ("link", "link VERSION: how another server links", "link VERSI: cara server lain menyambung"),
    ] {
        assert_eq!(sentence(Some(word), Language::Documents), expected);
        assert_eq!(sentence(Some(word), Language::English), expected);
        assert_eq!(sentence(Some(word), Language::Indonesian), indonesian);
    }
}

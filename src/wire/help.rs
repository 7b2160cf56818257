//! Help for the person at netcat: an overview that fits a terminal, or one command.

use crate::wire::command_spec::{CommandSpec, Theme};
use crate::wire::commands::COMMANDS;

/// The columns of the usage, before the summary.
const USAGE_COLUMNS: usize = 49;

const THEMES: [(Theme, &str); 12] = [
    (Theme::ComeAndGo, "come and go"),
    (Theme::Talk, "talk"),
    (Theme::Read, "read"),
    (Theme::KeepUp, "keep up"),
    (Theme::Groups, "groups"),
    (Theme::OwnAGroup, "own a group"),
    (Theme::People, "people"),
    (Theme::Realms, "realms"),
    (Theme::TalkToRealms, "talk to them"),
    (Theme::Other, "other"),
    (Theme::KeepOut, "keep out"),
    (Theme::Administer, "administer"),
];

/// The commands that a newcomer needs first.
const FIRST_STEPS: [(&str, &str); 5] = [
    ("register USER PASSWORD", "make an account, log in (later: login USER PASSWORD)"),
    ("online", "who is here"),
    ("send USER TEXT", "tell somebody; what they say appears by itself"),
    ("inbox", "what came while you were away"),
    ("quit", "leave"),
];

/// The columns of the first steps, before what they do.
const STEP_COLUMNS: usize = 24;

/// The first steps, then all commands, a theme a line. Words with a `/` between them are the same.
pub(super) fn overview() -> impl Iterator<Item = String> {
    let steps = FIRST_STEPS.iter().map(|(usage, summary)| format!("{usage:<STEP_COLUMNS$}{summary}"));
    let heading = "All commands (words with a / between them do the same):".to_owned();
    steps.chain([heading]).chain(THEMES.iter().map(|(theme, title)| format!("{title:<13}{}", words_of(*theme))))
}

fn words_of(theme: Theme) -> String {
    let mut specs: Vec<_> = COMMANDS.iter().filter(|spec| spec.theme == theme).collect();
    specs.sort_by_key(|spec| spec.is_last_in_overview);
    let synonyms = specs.chunk_by(|one, other| are_synonyms(one, other));
    let words = synonyms.map(|specs| specs.iter().map(|spec| spec.word).collect::<Vec<_>>().join("/"));
    words.collect::<Vec<_>>().join(" ")
}

/// One line for each command, synonyms sharing one, or the line of one command.
pub(super) fn lines(command: Option<&str>) -> Vec<String> {
    match command.and_then(CommandSpec::find) {
        Some(spec) => vec![line(std::slice::from_ref(spec))],
        None => COMMANDS.chunk_by(are_synonyms).map(line).collect(),
    }
}

/// The usage and summary of a command; without one, what `help` can do.
pub(super) fn sentence(command: Option<&str>) -> String {
    match command.and_then(CommandSpec::find) {
        Some(spec) => format!("{}: {}", spec.usage(), spec.summary),
        None => "help COMMAND tells more; a TOKEN may stand before the parameters".to_owned(),
    }
}

fn are_synonyms(one: &CommandSpec, other: &CommandSpec) -> bool {
    (one.parameters, one.summary) == (other.parameters, other.summary)
}

fn line(synonyms: &[CommandSpec]) -> String {
    let words: Vec<_> = synonyms.iter().map(|spec| spec.word).collect();
    let (parameters, summary) = synonyms.first().map_or(("", ""), |spec| (spec.parameters, spec.summary));
    let usage = format!("{} {parameters}", words.join(" | "));
    format!("{usage:<USAGE_COLUMNS$}{summary}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_a_terminal() {
        let overview: Vec<String> = overview().chain([format!("[OK] {}", sentence(None))]).collect();
        assert!(overview.len() <= 23);
        for line in overview.into_iter().chain(lines(None)) {
            assert!(line.len() <= 78, "{line}");
        }
    }

    #[test]
    fn every_word_stands_once_in_the_overview() {
        let overview: Vec<String> = overview().collect();
        let themes = overview.iter().skip(FIRST_STEPS.len() + 1);
        let shown = themes.flat_map(|line| line[13..].split([' ', '/'])).count();
        assert_eq!(shown, COMMANDS.len());
    }

    #[test]
    fn the_first_steps_are_commands() {
        for (usage, _) in FIRST_STEPS {
            let spec = CommandSpec::find(usage.split(' ').next().unwrap()).unwrap();
            assert!(spec.usage().starts_with(usage), "{usage}");
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
        assert_eq!(overview().skip(FIRST_STEPS.len() + 1).collect::<Vec<_>>(), expected);
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
        for (word, expected) in [
            ("chat", "chat USER TEXT: tell a user"),
            ("addrealm", "addrealm REALM [HOST PORT]: link a server, or add a name"),
            ("link", "link VERSION: how another server links"),
        ] {
            assert_eq!(sentence(Some(word)), expected);
        }
    }
}

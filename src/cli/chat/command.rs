//! Parses a line of input: a text, or a command after a slash, in this program's words, those of the server, and
//! those of the five documented systems.

use kabar::client::Target;
use kabar::wire::COMMANDS;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Nothing,
    /// For the open conversation.
    Text(String),
    Message {
        to: Target,
        text: String,
    },
    Open(Target),
    Join {
        group: String,
        password: String,
    },
    /// The named group, or the open one.
    Leave(Option<String>),
    Who,
    Realms,
    OlderMessages,
    NextUnread,
    Close,
    Help,
    Quit,
    /// A request of the server's, as it is.
    Request(String),
    /// No command; what is wrong.
    Wrong(String),
}

/// The words of this program with what they do, for help and completion.
pub(super) const WORDS: [(&str, &str); 12] = [
    ("/to NAME", "talk to a user, group:GROUP, or * for everyone"),
    ("/msg NAME TEXT", "say something to somebody"),
    ("/join GROUP [PASSWORD]", "join a group; /addgroup makes one"),
    ("/part [GROUP]", "leave a group"),
    ("/who", "who is online, or in this group"),
    ("/realms", "other servers: talk to NAME@REALM"),
    ("/history", "older messages; PgUp does so too"),
    ("/inbox, /kotakmasuk", "the next conversation with something new"),
    ("/close", "take this conversation off the list"),
    ("/help", "this"),
    ("/quit", "leave; what is new then waits for you"),
    ("/COMMAND …", "any other command of the server"),
];

/// Those of them whose words have other words in the documents.
const SYNONYMS: [(&str, &[&str]); 10] = [
    ("to", &["query", "open"]),
    ("msg", &["send", "chat"]),
    ("groupmsg", &["sendgroup", "chatgroup"]),
    ("join", &["joingroup"]),
    ("part", &["leave", "leavegroup"]),
    ("who", &["online", "list", "user_on", "showuseractive"]),
    ("inbox", &["kotakmasuk", "peek", "next"]),
    ("quit", &["exit", "q"]),
    ("help", &["?"]),
    ("everyone", &["broadcast"]),
];

/// These would change the session under the client.
const NOT_HERE: [&str; 6] = ["auth", "login", "register", "subscribe", "unsubscribe", "link"];

/// All words that may follow a slash.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    let own = ["to", "msg", "join", "part", "who", "realms", "history", "inbox", "close", "help", "quit"];
    let server = COMMANDS.iter().map(|command| command.word);
    own.into_iter().chain(server.filter(|word| !NOT_HERE.contains(word)))
}

pub(super) fn parse(line: &str) -> Input {
    let line = line.trim();
    if line.is_empty() {
        return Input::Nothing;
    }
    let Some(command) = line.strip_prefix('/') else { return Input::Text(line.to_owned()) };
    if command.starts_with('/') {
        return Input::Text(command.to_owned());
    }
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    match canonical(&word.to_ascii_lowercase()) {
        "to" => target(rest, "").map_or_else(Input::Wrong, Input::Open),
        "msg" => message(rest, ""),
        "groupmsg" => message(rest, "group:"),
        "everyone" if rest.is_empty() => Input::Open(Target::Everyone),
        "everyone" => Input::Message { to: Target::Everyone, text: rest.to_owned() },
        "join" => join(rest),
        "part" => Input::Leave((!rest.is_empty()).then(|| rest.trim_start_matches("group:").to_owned())),
        "who" => Input::Who,
        "realms" => Input::Realms,
        "history" => Input::OlderMessages,
        "inbox" => Input::NextUnread,
        "close" => Input::Close,
        "help" if rest.is_empty() => Input::Help,
        "quit" => Input::Quit,
        word if NOT_HERE.contains(&word) => {
            Input::Wrong(format!("/{word} is not for here: leave, and kabar chat --user NAME"))
        }
        word if COMMANDS.iter().any(|command| command.word == word) => Input::Request(format!("{word} {rest}")),
        word => Input::Wrong(format!("there is no /{word}: /help lists the commands, and // begins a text with /")),
    }
}

fn canonical(word: &str) -> &str {
    SYNONYMS.iter().find(|(_, others)| others.contains(&word)).map_or(word, |(word, _)| word)
}

fn target(text: &str, prefix: &str) -> Result<Target, String> {
    Target::parse(&format!("{prefix}{text}")).map_err(|error| error.to_string())
}

fn message(rest: &str, prefix: &str) -> Input {
    let (to, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match (target(to, prefix), text.trim()) {
        (Err(error), _) => Input::Wrong(error),
        (Ok(to), "") => Input::Open(to),
        (Ok(to), text) => Input::Message { to, text: text.to_owned() },
    }
}

fn join(rest: &str) -> Input {
    let (group, password) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let group = group.trim_start_matches("group:").to_owned();
    match target(&group, "group:") {
        Err(error) => Input::Wrong(error),
        Ok(_) => Input::Join { group, password: password.trim().to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(name: &str) -> Target {
        Target::parse(name).unwrap()
    }

    #[test]
    fn a_text_may_begin_with_a_slash_by_doubling_it() {
        assert_eq!(parse("  halo semua "), Input::Text("halo semua".into()));
        assert_eq!(parse("//roll 2d6"), Input::Text("/roll 2d6".into()));
        assert_eq!(parse("   "), Input::Nothing);
    }

    #[test]
    fn the_words_of_the_documents_work() {
        let halo = |name| Input::Message { to: to(name), text: "halo semua".into() };
        for (line, input) in [
            ("/msg neko halo semua", halo("neko")),
            ("/send neko@timur halo semua", halo("neko@timur")),
            ("/chat neko halo semua", halo("neko")),
            ("/sendgroup fans halo semua", halo("group:fans")),
            ("/chatgroup fans halo semua", halo("group:fans")),
            ("/broadcast halo semua", halo("*")),
            ("/KotakMasuk", Input::NextUnread),
            ("/user_on", Input::Who),
            ("/joingroup fans rahasia", Input::Join { group: "fans".into(), password: "rahasia".into() }),
            ("/exit", Input::Quit),
            ("/addgroup fans", Input::Request("addgroup fans".into())),
        ] {
            assert_eq!(parse(line), input, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_or_not_for_here_says_so() {
        for line in ["/helo", "/auth messi x", "/to", "/to a b", "/msg _ x", "/join"] {
            assert!(matches!(parse(line), Input::Wrong(_)), "{line}");
        }
    }
}

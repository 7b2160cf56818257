//! Help for the person at netcat: an overview that fits a terminal, or one command.

#[cfg(test)]
mod tests;

use crate::settings::Language;
use crate::wire::command_spec::{CommandSpec, Theme};
use crate::wire::commands::COMMANDS;
use crate::wire::phrase::{Phrase, ours};

/// The columns of the usage, before the summary.
const USAGE_COLUMNS: usize = 49;

const THEMES: [(Theme, Phrase); 12] = [
    (Theme::ComeAndGo, ours("come and go", "masuk keluar")),
    (Theme::Talk, ours("talk", "berbicara")),
    (Theme::Read, ours("read", "membaca")),
    (Theme::KeepUp, ours("keep up", "mengikuti")),
    (Theme::Groups, ours("groups", "grup")),
    (Theme::OwnAGroup, ours("own a group", "pemilik grup")),
    (Theme::People, ours("people", "orang")),
    (Theme::Realms, ours("realms", "realm")),
    (Theme::TalkToRealms, ours("talk to them", "antar-realm")),
    (Theme::Other, ours("other", "lain-lain")),
    (Theme::KeepOut, ours("keep out", "mencekal")),
    (Theme::Administer, ours("administer", "mengelola")),
];

/// The commands that a newcomer needs first.
const FIRST_STEPS: [(Phrase, Phrase); 5] = [
    (
        ours("register USER PASSWORD", "register PENGGUNA SANDI"),
        ours(
            "make an account, log in (later: login USER PASSWORD)",
            "buat akun dan masuk (lain kali: login PENGGUNA SANDI)",
        ),
    ),
    (ours("online", "online"), ours("who is here", "siapa yang ada di sini")),
    (
        ours("send USER TEXT", "send PENGGUNA PESAN"),
        ours("tell somebody; what they say appears by itself", "kirim pesan; balasannya muncul sendiri"),
    ),
    (ours("inbox", "inbox"), ours("what came while you were away", "yang datang selagi Anda pergi")),
    (ours("quit", "quit"), ours("leave", "keluar")),
];

/// The columns of the first steps, before what they do.
const STEP_COLUMNS: usize = 24;

const HEADING: Phrase = ours(
    "All commands (words with a / between them do the same):",
    "Semua perintah (kata yang dipisahkan / sama gunanya):",
);

/// The first steps, then all commands, a theme a line. Words with a `/` between them are the same.
pub(super) fn overview(language: Language) -> impl Iterator<Item = String> {
    let steps = FIRST_STEPS
        .iter()
        .map(move |(usage, summary)| format!("{:<STEP_COLUMNS$}{}", usage.text(language), summary.text(language)));
    let themes = THEMES.iter().map(move |(theme, title)| format!("{:<13}{}", title.text(language), words_of(*theme)));
    steps.chain([HEADING.text(language).to_owned()]).chain(themes)
}

fn words_of(theme: Theme) -> String {
    let mut specs: Vec<_> = COMMANDS.iter().filter(|spec| spec.theme == theme).collect();
    specs.sort_by_key(|spec| spec.is_last_in_overview);
    let synonyms = specs.chunk_by(|one, other| are_synonyms(one, other));
    let words = synonyms.map(|specs| specs.iter().map(|spec| spec.word).collect::<Vec<_>>().join("/"));
    words.collect::<Vec<_>>().join(" ")
}

/// One line for each command, synonyms sharing one, or the line of one command: for programs.
pub(super) fn lines(command: Option<&str>) -> Vec<String> {
    match command.and_then(CommandSpec::find) {
        Some(spec) => vec![line(std::slice::from_ref(spec))],
        None => COMMANDS.chunk_by(are_synonyms).map(line).collect(),
    }
}

/// The usage and summary of a command; without one, what `help` can do.
pub(super) fn sentence(command: Option<&str>, language: Language) -> String {
    const HELP: Phrase = ours(
        "help COMMAND tells more; a TOKEN may stand before the parameters",
        "help PERINTAH menjelaskan perintah itu; TOKEN boleh mendahului parameter",
    );
    match command.and_then(CommandSpec::find) {
        Some(spec) => format!("{}: {}", spec.usage(language), spec.summary.text(language)),
        None => HELP.text(language).to_owned(),
    }
}

fn are_synonyms(one: &CommandSpec, other: &CommandSpec) -> bool {
    (one.parameters, one.summary) == (other.parameters, other.summary)
}

fn line(synonyms: &[CommandSpec]) -> String {
    let words: Vec<_> = synonyms.iter().map(|spec| spec.word).collect();
    let Some(spec) = synonyms.first() else { return String::new() };
    let parameters = spec.parameters.iter().map(|parameter| parameter.documents());
    let usage = std::iter::once(words.join(" | ").as_str()).chain(parameters).collect::<Vec<_>>().join(" ");
    format!("{usage:<USAGE_COLUMNS$}{}", spec.summary.documents())
}

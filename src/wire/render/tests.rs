use serde_json::Value;

use super::*;
use crate::wire::COMMANDS;
use crate::wire::command_spec::Success;
use crate::wire::fixtures::{context, dialects, frame, languages, notifications, responses, text};
use crate::wire::phrase::Phrase;

#[test]
fn every_response_has_a_sentence_in_every_format() {
    for (line, response) in responses() {
        let context = context(line);
        let frame = frame(|out| ReplyFormat::Json.reply(out, &context, Ok(&response)));
        let object: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(object["status"], "OK");
        assert!(object["message"].as_str().is_some_and(|message| !message.trim().is_empty()), "{line:?}: {frame}");
        for language in languages() {
            let lines = text(|out| ReplyFormat::Text(language).reply(out, &context, Ok(&response)));
            let (last, items) = lines
                .strip_suffix("\r\n")
                .unwrap()
                .rsplit_once("\r\n")
                .map_or_else(|| (lines.trim_end(), ""), |(items, last)| (last, items));
            assert!(
                last.strip_prefix("[OK] ").is_some_and(|sentence| !sentence.trim().is_empty()),
                "{line:?}: {lines}"
            );
            assert!(!items.contains("[OK]") && !items.contains("[ERR]"), "{line:?}: {lines}");
        }
    }
}

fn is_complete(phrase: Phrase) -> bool {
    languages().all(|language| !phrase.text(language).is_empty())
}

#[test]
fn every_row_of_the_table_has_a_sentence_of_success() {
    let formats = || languages().map(ReplyFormat::Text).chain([ReplyFormat::Json]);
    for spec in COMMANDS.iter().filter(|spec| spec.word != "help") {
        match spec.success {
            Success::Sentence { json, text } => assert!(!json.is_empty() && is_complete(text), "{spec:?}"),
            Success::ByDialect { draft, others } => assert!(!draft.is_empty() && is_complete(others), "{spec:?}"),
            Success::Of(sentence) => {
                for (dialect, format) in dialects().flat_map(|dialect| formats().map(move |format| (dialect, format))) {
                    let mut sentences = responses().map(|(_, response)| sentence(dialect, format, &response));
                    assert!(sentences.any(|sentence| !sentence.is_empty()), "{spec:?}");
                }
            }
        }
    }
}

#[test]
fn every_notification_is_one_frame_and_one_line() {
    for notification in notifications() {
        let frame = frame(|out| ReplyFormat::Json.notify(out, &notification));
        let object: Value = serde_json::from_str(&frame).unwrap();
        assert!(object["event"].is_string() && object["data"].is_object(), "{frame}");
        for language in languages() {
            let line = text(|out| ReplyFormat::Text(language).notify(out, &notification));
            assert!(line.ends_with("\r\n") && line.lines().count() == 1, "{line:?}");
        }
    }
}

use serde_json::Value;

use super::*;
use crate::settings::Language;
use crate::wire::COMMANDS;
use crate::wire::command_spec::Success;
use crate::wire::fixtures::{context, dialects, frame, notifications, responses, text};

#[test]
fn every_response_has_a_sentence_in_both_formats() {
    for (line, response) in responses() {
        let context = context(line);
        let frame = frame(|out| ReplyFormat::Json.reply(out, &context, Ok(&response)));
        let object: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(object["status"], "OK");
        assert!(object["message"].as_str().is_some_and(|message| !message.trim().is_empty()), "{line:?}: {frame}");
        let lines = text(|out| ReplyFormat::Text(Language::Documents).reply(out, &context, Ok(&response)));
        let (last, items) = lines
            .strip_suffix("\r\n")
            .unwrap()
            .rsplit_once("\r\n")
            .map_or_else(|| (lines.trim_end(), ""), |(items, last)| (last, items));
        assert!(last.strip_prefix("[OK] ").is_some_and(|sentence| !sentence.trim().is_empty()), "{line:?}: {lines}");
        assert!(!items.contains("[OK]") && !items.contains("[ERR]"), "{line:?}: {lines}");
    }
}

#[test]
fn every_row_of_the_table_has_a_sentence_of_success() {
    for spec in COMMANDS.iter().filter(|spec| spec.word != "help") {
        match spec.success {
            Success::Sentence { json, text } => assert!(!json.is_empty() && !text.is_empty(), "{spec:?}"),
            Success::ByDialect { draft, others } => assert!(!draft.is_empty() && !others.is_empty(), "{spec:?}"),
            Success::Of(sentence) => {
                for (dialect, format) in
                    dialects().flat_map(|d| [(d, ReplyFormat::Json), (d, ReplyFormat::Text(Language::Documents))])
                {
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
        let line = text(|out| ReplyFormat::Text(Language::Documents).notify(out, &notification));
        assert!(line.ends_with("\r\n") && line.lines().count() == 1, "{line:?}");
    }
}

//! Validates frames by `docs/protocol.schema.json`: those keywords of JSON Schema that it uses, and no other.

use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../docs/protocol.schema.json")).unwrap());

/// Panics if a frame is not as the schema says.
#[track_caller]
pub(crate) fn check(place: &str, frame: &str) {
    let value: Value = serde_json::from_str(frame).unwrap_or_else(|error| panic!("{place}: {error}: {frame}"));
    assert!(is_valid(&SCHEMA, &value), "{place}: not as docs/protocol.schema.json says: {frame}");
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    let keywords = schema.as_object().expect("a schema is an object");
    keywords.iter().all(|(keyword, wanted)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => is_valid(SCHEMA.pointer(&wanted.as_str().unwrap()[1..]).expect("a definition"), value),
        "anyOf" => wanted.as_array().unwrap().iter().any(|schema| is_valid(schema, value)),
        "const" => value == wanted,
        "enum" => wanted.as_array().unwrap().contains(value),
        "type" => has_type(wanted.as_str().unwrap(), value),
        "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| has_form(wanted.as_str().unwrap(), text)),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(wanted, item))),
        "required" => wanted.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
        "properties" => wanted
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, schema)| value.get(key).is_none_or(|value| is_valid(schema, value))),
        "additionalProperties" => others(keywords.get("properties"), value).all(|other| match wanted {
            Value::Bool(is_allowed) => *is_allowed,
            schema => is_valid(schema, other),
        }),
        other => panic!("{other} is not known here"),
    })
}

/// The values of an object whose keys the schema does not name.
fn others<'a>(named: Option<&'a Value>, value: &'a Value) -> impl Iterator<Item = &'a Value> {
    let members = value.as_object().into_iter().flatten();
    members.filter(move |(key, _)| named.is_none_or(|named| named.get(key.as_str()).is_none())).map(|(_, value)| value)
}

fn has_type(wanted: &str, value: &Value) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

/// The four patterns of the schema.
fn has_form(pattern: &str, text: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match pattern {
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$" => {
            let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            form == "0000-00-00T00:00:00.000Z"
        }
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" => {
            text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && is_hex(&text.replace('-', ""))
        }
        "^[0-9a-f]{16}$" => text.len() == 16 && is_hex(text),
        "^[A-Za-z0-9_-]{1,64}$" => {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        }
        other => panic!("{other} is not known here"),
    }
}

#[test]
fn a_frame_that_is_not_of_the_protocol_is_found() {
    let is_frame = |frame: &str| is_valid(&SCHEMA, &serde_json::from_str(frame).unwrap());
    assert!(is_frame(r#"{"status":"OK","message":"pong","tag":"t-1"}"#));
    for frame in [
        r#"{"status":"OK"}"#,
        r#"{"status":"OK","message":"pong","tag":"no tag"}"#,
        r#"{"status":"OK","message":"pong","token":1}"#,
        r#"{"status":"OK","message":"Message sent","data":{"id":1,"time":"today"}}"#,
        r#"{"status":"ERROR","message":"x","code":"no_such_code","data":"x"}"#,
        r#"{"event":"lagged","after":-1}"#,
        r#"{"event":"read","data":{"conversation":"messi"}}"#,
    ] {
        assert!(!is_frame(frame), "{frame}");
    }
}

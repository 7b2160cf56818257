use super::*;
use proptest::prelude::*;

fn goal(msg: &EscapedText) -> BodyFields<'_> {
    BodyFields {
        msg_from: "Lionel Messi",
        msg_to: "Jordan Henderson",
        msg,
        from: "messi",
        to: "henderson",
        kind: Kind::Direct,
        realm: None,
    }
}

fn object(fields: &BodyFields<'_>) -> String {
    String::from_utf8(MessageBody::compose(fields).object(Seq(42), Time(1_795_244_400_123))).unwrap()
}

#[test]
fn the_object_has_the_documents_keys_first_and_the_number_and_time_last() {
    assert_eq!(
        object(&goal(&"gól \"!\"".into())),
        r#"{"msg_from":"Lionel Messi","msg_to":"Jordan Henderson","msg":"g\u00f3l \"!\"","from":"messi","#.to_owned()
            + r#""to":"henderson","kind":"direct","id":42,"time":"2026-11-21T07:00:00.123Z"}"#
    );
}

#[test]
fn the_object_of_a_group_message_names_the_group_and_that_of_a_crossing_one_the_realm() {
    let text = "halo".into();
    let fields = BodyFields { msg_to: "tim", to: "tim@timur", kind: Kind::Group, realm: Some("timur"), ..goal(&text) };
    let end = r#""from":"messi","to":"tim@timur","kind":"group","group":"tim","realm":"timur","id":42,"#;
    assert!(object(&fields).contains(end), "{}", object(&fields));
}

#[test]
fn the_packed_form_is_unchanged() {
    let text = "halo".into();
    let packed = |fields: &BodyFields<'_>| MessageBody::compose(fields).packed().to_vec();
    assert_eq!(packed(&goal(&text)), b"\x0c\x05messi\x09henderson\x0cLionel Messi\x10Jordan Hendersonhalo");
    let short = BodyFields { msg_from: "messi", msg_to: "*", to: "*", kind: Kind::Broadcast, ..goal(&text) };
    assert_eq!(packed(&short), b"\x02\x05messi\x01*halo");
    let crossed = BodyFields { msg_from: "messi", msg_to: "henderson", realm: Some("barat"), ..goal(&text) };
    assert_eq!(packed(&crossed), b"\x10\x05messi\x09henderson\x05barathalo");
}

#[test]
fn bytes_that_are_no_body_are_no_message() {
    for bytes in [&b""[..], b"\x0c", b"\x0c\x05mess", b"\x04\x01a\x01b"] {
        let body = MessageBody::from_packed(Bytes::from_static(bytes));
        assert!(body.fields().is_none(), "{bytes:?}");
        assert_eq!(body.object(Seq(1), Time(0)), br#"{"id":1,"time":"1970-01-01T00:00:00.000Z"}"#);
    }
}

#[test]
fn a_mark_of_damage_has_a_kind_of_its_own() {
    let text = "halo".into();
    assert!(MessageBody::damaged().is_damaged() && !MessageBody::compose(&goal(&text)).is_damaged());
    assert_eq!(MessageBody::damaged().fields().unwrap().msg, DAMAGED);
}

proptest! {
    #[test]
    fn fields_and_object_read_back_whatever_the_texts_are(
        msg_from in ".{0,200}", msg_to in ".{0,20}", msg in ".{0,300}", from in "[a-z@.]{1,65}", to in "[a-z*]{1,32}",
        realm in proptest::option::of("[a-z]{1,32}"),
    ) {
        let escaped = EscapedText::new(&msg);
        let (kind, realm) = (Kind::Direct, realm.as_deref());
        let composed = BodyFields { msg_from: &msg_from, msg_to: &msg_to, msg: &escaped, from: &from, to: &to, kind, realm };
        let body = MessageBody::compose(&composed);
        prop_assert_eq!(body.sender(), Some(&*from));
        let fields = body.fields().unwrap();
        prop_assert_eq!((&*fields.msg_from, &*fields.msg_to, &*fields.msg), (&*msg_from, &*msg_to, &*msg));
        prop_assert_eq!((&*fields.from, &*fields.to, fields.realm.as_deref()), (&*from, &*to, realm));
        let object: serde_json::Value = serde_json::from_slice(&body.object(Seq(1), Time(0))).unwrap();
        prop_assert_eq!(object["msg"].as_str(), Some(&*msg));
        prop_assert_eq!(object["msg_from"].as_str(), Some(&*msg_from));
    }
}

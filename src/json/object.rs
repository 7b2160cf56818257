//! JSON objects, written field by field in the order of the wire.

use serde::Serialize;

use crate::json::ascii;

/// An object that is being appended. Dropping it closes it, so that none is left open.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of `out`.
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Appends a key, which needs no escape. One value must be appended to what this returns.
    pub fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn separate(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
    }

    /// Appends a key and a value that [`ascii::append`] can write; for a text [`Object::text`] is faster.
    pub fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> &mut Self {
        ascii::append(self.key(key), value);
        self
    }

    /// Appends a key and a text.
    pub fn text(&mut self, key: &'static str, value: &str) -> &mut Self {
        ascii::append_text(self.key(key), value);
        self
    }

    /// An object inside this one.
    pub fn object(&mut self, key: &'static str) -> Object<'_> {
        Object::open(self.key(key))
    }

    /// An array of objects that are JSON already, under any key.
    pub fn array<'b>(&mut self, key: &str, objects: impl IntoIterator<Item = &'b Vec<u8>>) -> &mut Self {
        self.separate();
        ascii::append_text(self.out, key);
        let out = &mut *self.out;
        out.extend_from_slice(b":[");
        for (place, object) in objects.into_iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(object);
        }
        out.push(b']');
        self
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

//! JSON objects, written field by field in the order of the wire.

use serde::Serialize;

use crate::json;

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

    /// Appends a key. One value must be appended to what this returns.
    pub fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        json::append_text(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Appends a key and a value that [`json::append`] can write; for a text [`Object::text`] is faster.
    pub fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        json::append(self.key(key), value);
        self
    }

    /// Appends a key and a text.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        json::append_text(self.key(key), value);
        self
    }

    /// An object inside this one.
    pub fn object(&mut self, key: &str) -> Object<'_> {
        Object::open(self.key(key))
    }

    /// An array of objects that are JSON already.
    pub fn array<'b>(&mut self, key: &str, objects: impl IntoIterator<Item = &'b Vec<u8>>) -> &mut Self {
        let out = self.key(key);
        out.push(b'[');
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

//! Numbers of variable length (LEB128), as postcard writes them.

/// Appends a number. Postcard's own function moves the buffer in and out of each call, and every message comes here
/// several times.
pub(crate) fn append(mut number: u64, mut append: impl FnMut(u8)) {
    while number >= 0x80 {
        append(number as u8 | 0x80);
        number >>= 7;
    }
    append(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_postcard_does(number: u64) {
            let mut bytes = Vec::new();
            append(number, |byte| bytes.push(byte));
            prop_assert_eq!(bytes, postcard::to_stdvec(&number).unwrap());
        }
    }
}

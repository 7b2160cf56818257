//! Checksums: CRC32C, little-endian, behind the bytes that it covers. CRC32C finds every flipped bit, and few
//! instructions make it.

/// Its length in bytes.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// Appends the checksum of all bytes of `out`.
pub(super) fn append(out: &mut Vec<u8>) {
    let checksum = crc32c::crc32c(out);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// The bytes before the checksum; `None` if it is not theirs.
pub(super) fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (covered, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    (crc32c::crc32c(covered).to_le_bytes() == *checksum).then_some(covered)
}

/// The bytes of a row with a checksum of its key and of them.
pub(super) fn sealed(key: &[u64], bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(bytes.len() + CHECKSUM_BYTES);
    sealed.extend_from_slice(bytes);
    sealed.extend_from_slice(&of_row(key, bytes).to_le_bytes());
    sealed
}

/// The bytes of a row; `None` if the checksum is not that of its key and of them.
pub(super) fn opened<'a>(key: &[u64], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, checksum) = sealed.split_last_chunk::<CHECKSUM_BYTES>()?;
    (of_row(key, bytes).to_le_bytes() == *checksum).then_some(bytes)
}

fn of_row(key: &[u64], bytes: &[u8]) -> u32 {
    let of_key = key.iter().fold(0, |checksum, part| crc32c::crc32c_append(checksum, &part.to_le_bytes()));
    crc32c::crc32c_append(of_key, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc32c() {
        let mut bytes = b"123456789".to_vec();
        append(&mut bytes);
        assert_eq!(bytes.split_off(9), 0xe306_9283_u32.to_le_bytes());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let mut bytes = b"halo".to_vec();
        append(&mut bytes);
        assert_eq!(verified(&bytes), Some(&b"halo"[..]));
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verified(&bytes), None, "{bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(verified(b"123"), None);
    }

    #[test]
    fn a_row_under_another_key_is_found() {
        let row = sealed(&[1, 2], b"halo");
        assert_eq!(opened(&[1, 2], &row), Some(&b"halo"[..]));
        assert_eq!((opened(&[1, 3], &row), opened(&[1], &row), opened(&[1, 2], b"1")), (None, None, None));
    }
}

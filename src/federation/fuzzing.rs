//! Fuzz targets: what other servers send (`fuzz/README.md`).

use bytes::BytesMut;

use crate::federation::frame;

/// What was read is the same after it was written. The first byte tells whether the hello is expected.
pub fn link_frame(bytes: &[u8]) {
    let [first, stream @ ..] = bytes else { return };
    let (mut input, mut expects_hello) = (BytesMut::from(stream), first % 2 == 1);
    while let Ok(Some(frame)) = frame::read(&mut input, expects_hello) {
        let mut written = BytesMut::new();
        frame::write(&mut written, &frame).unwrap();
        assert_eq!(frame::read(&mut written, expects_hello), Ok(Some(frame)));
        assert!(written.is_empty());
        expects_hello = false;
    }
}

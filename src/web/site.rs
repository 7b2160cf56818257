//! What the web listeners serve.

use crate::web::files::Files;

/// What all connections of the web listeners share.
pub(crate) struct Web {
    pub(super) files: Files,
}

impl Web {
    pub(crate) fn new() -> Self {
        Self { files: Files::new() }
    }
}

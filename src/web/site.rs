//! The site that web listeners serve.

use crate::web::files::Files;

/// State shared by all connections of the web listeners.
pub(crate) struct Web {
    pub(super) files: Files,
}

impl Web {
    pub(crate) fn new() -> Self {
        Self { files: Files::new() }
    }
}

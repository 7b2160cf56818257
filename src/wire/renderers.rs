//! The renderer of each format.

use std::ops::Deref;

use crate::wire::format::ReplyFormat;
use crate::wire::render::Render;
use crate::wire::{json, text, websocket};

/// A format is used through its renderer.
impl Deref for ReplyFormat {
    type Target = dyn Render;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Json => &json::Json,
            Self::Text(_) => &text::Text,
            Self::WebSocket => &websocket::WebSocket,
        }
    }
}

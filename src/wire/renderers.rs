//! The renderer of each format.

use std::ops::Deref;

use crate::settings::Language;
use crate::wire::format::ReplyFormat;
use crate::wire::render::Render;
use crate::wire::{json, text, websocket};

/// A format is used through its renderer.
impl Deref for ReplyFormat {
    type Target = dyn Render;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Json => &json::Json,
            Self::Text(Language::Documents) => &text::Text(Language::Documents),
            Self::Text(Language::English) => &text::Text(Language::English),
            Self::Text(Language::Indonesian) => &text::Text(Language::Indonesian),
            Self::WebSocket => &websocket::WebSocket,
        }
    }
}

//! The colour of a name: always the same, readable on dark and on light.

use ratatui::style::{Color, Modifier, Style};

/// Colours of the 256 of a terminal in the middle between black and white.
const COLOURS: [u8; 12] = [33, 35, 37, 98, 133, 136, 161, 166, 70, 63, 167, 31];

pub(super) fn of(name: &str, has_colour: bool) -> Style {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    if !has_colour {
        return bold;
    }
    let folded = name.bytes().map(|byte| byte.to_ascii_lowercase());
    // FNV-1a: short, and the same in every version of this program.
    let hash = folded.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    bold.fg(Color::Indexed(COLOURS[hash as usize % COLOURS.len()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_colour_and_none_without_colours() {
        assert_eq!(of("Messi", true), of("messi", true));
        assert_ne!(of("messi", true), of("neko", true));
        assert_eq!(of("messi", false), of("neko", false));
    }
}

//! The colour of a name: always the same, readable on dark and on light.

use ratatui::style::{Color, Modifier, Style};

/// Colours of the 256 of a terminal, of middle luminance: readable on black and on white.
const COLOURS: [u8; 12] = [33, 28, 30, 98, 133, 130, 161, 166, 64, 63, 168, 31];

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

    /// Of the colour cube of xterm: the relative luminance that WCAG 2 defines.
    fn luminance(colour: u8) -> f64 {
        let level = |step: u8| if step == 0 { 0.0 } else { f64::from(55 + 40 * step) / 255.0 };
        let linear = |level: f64| if level <= 0.040_45 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) };
        let cube = colour - 16;
        let [red, green, blue] = [cube / 36, cube / 6 % 6, cube % 6].map(|step| linear(level(step)));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn every_colour_is_readable_on_black_and_on_white() {
        for colour in COLOURS {
            let (on_black, on_white) = ((luminance(colour) + 0.05) / 0.05, 1.05 / (luminance(colour) + 0.05));
            assert!(on_black >= 3.5 && on_white >= 3.5, "{colour}: {on_black:.1} on black, {on_white:.1} on white");
        }
    }

    #[test]
    fn a_name_has_one_colour_and_none_without_colours() {
        assert_eq!(of("Messi", true), of("messi", true));
        assert_ne!(of("messi", true), of("neko", true));
        assert_eq!(of("messi", false), of("neko", false));
    }
}

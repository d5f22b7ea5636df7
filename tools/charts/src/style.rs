//! How the lines of a chart are told apart: by colour, and without colour by dash, width and mark.
//!
//! The page behind a chart is white or dark, as the reader has it. So nothing fills it, and each
//! colour stands out on both.

/// One line's look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub(crate) colour: &'static str,
    /// The lengths of strokes and gaps; empty for a line without gaps.
    pub(crate) dashes: &'static str,
    pub(crate) width: u32,
    pub(crate) mark: Mark,
}

/// The shape at the points of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Cross,
    Ring,
}

/// Of texts and axes.
pub(crate) const TEXT: &str = "#757575";

const fn style(colour: &'static str, dashes: &'static str, width: u32, mark: Mark) -> Style {
    Style { colour, dashes, width, mark }
}

/// Ours: blues that nobody else has, and thick lines.
pub(crate) const OWN: [Style; 3] = [
    style("#1f77d4", "", 4, Mark::Circle),
    style("#1398b8", "12 5", 4, Mark::Square),
    style("#6a5fd8", "3 4", 4, Mark::Diamond),
];

/// Everybody else's.
pub(crate) const OTHERS: [Style; 6] = [
    style("#d55e00", "", 2, Mark::Square),
    style("#0a8f66", "8 4", 2, Mark::Triangle),
    style("#b5548f", "2 3", 2, Mark::Diamond),
    style("#9a7a00", "10 3 2 3", 2, Mark::TriangleDown),
    style("#757575", "14 4", 2, Mark::Cross),
    style("#a0522d", "6 2 2 2 2 2", 2, Mark::Ring),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0)
    }

    /// The contrast of two colours by WCAG 2: 1 to 21.
    fn contrast(one: &str, other: &str) -> f64 {
        let luminance = |colour| {
            let linear = rgb(colour).map(|c| {
                if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055_f64).powf(2.4) }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        f64::max(one, other) / f64::min(one, other)
    }

    /// WCAG asks for 3 from lines and large texts. The backgrounds are GitHub's.
    #[test]
    fn colours_are_seen_on_white_and_on_dark() {
        assert!(contrast("#ffffff", "#000000") > 20.9 && contrast("#ffffff", "#dddddd") < 3.0);
        let colours = OWN.iter().chain(&OTHERS).map(|style| style.colour);
        for colour in colours.chain([TEXT]) {
            for background in ["#ffffff", "#0d1117"] {
                let contrast = contrast(colour, background);
                assert!(contrast >= 3.2, "{colour} on {background}: {contrast}");
            }
        }
    }

    #[test]
    fn no_two_lines_look_alike() {
        let all = [&OWN[..], &OTHERS].concat();
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(one.colour, other.colour);
                // In grey: by the dashes or the width, and at the points by the mark.
                assert_ne!((one.dashes, one.width), (other.dashes, other.width));
                assert_ne!((one.mark, one.width), (other.mark, other.width));
            }
        }
    }

    /// In ours blue is the strongest part, in others never.
    #[test]
    fn blue_is_ours() {
        let blue =
            |style: &Style| rgb(style.colour)[2] > rgb(style.colour)[0].max(rgb(style.colour)[1]);
        assert!(OWN.iter().all(blue) && !OTHERS.iter().any(blue));
    }
}

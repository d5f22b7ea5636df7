//! A picture as SVG, and the room that its texts take.
//!
//! Nothing lies behind the picture. The file names a font family and embeds none.

use crate::style::{Mark, Style, TEXT};
use std::fmt::Write;

/// Where a text stands beside its point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The room that a text takes.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) text: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Room {
    /// True if some of it is the other's, too.
    #[cfg(test)]
    pub(crate) fn overlaps(&self, other: &Room) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// The width of a text. Fonts differ: most have letters that are narrower than this.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.6
}

/// A picture that is being drawn.
pub(crate) struct Picture {
    svg: String,
    size: (f64, f64),
    pub(crate) rooms: Vec<Room>,
}

impl Picture {
    pub(crate) fn new(size: (f64, f64)) -> Picture {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
             font-family=\"sans-serif\" fill=\"{TEXT}\">\n",
            size.0, size.1
        );
        Picture { svg, size, rooms: Vec::new() }
    }

    /// Writes a text whose middle is as high as the point.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, text: &str) {
        let width = width(text, size);
        let (name, left) = match anchor {
            Anchor::Start => ("start", x),
            Anchor::Middle => ("middle", x - width / 2.0),
            Anchor::End => ("end", x - width),
        };
        let (top, bottom) = (y - size * 0.55, y + size * 0.55);
        self.rooms.push(Room { text: text.into(), left, right: left + width, top, bottom });
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.line(&format!(
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"{size}\" text-anchor=\"{name}\">{escaped}</text>",
            y + size * 0.35
        ));
    }

    /// A thin line: of the grid, or from a line to its name.
    pub(crate) fn rule(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, opacity: f64) {
        self.line(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-opacity=\"{opacity}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// The line of a series.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], style: Style) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashes = match style.dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        };
        self.line(&format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}/>",
            points.join(" "),
            style.colour,
            style.width
        ));
    }

    /// The mark of a series.
    pub(crate) fn mark(&mut self, (x, y): (f64, f64), style: Style) {
        let colour = style.colour;
        let r = if style.width > 2 { 6.0 } else { 5.0 };
        let polygon = |points: &[(f64, f64)]| {
            let points: Vec<String> = points
                .iter()
                .map(|(right, down)| format!("{:.1},{:.1}", x + right * r, y + down * r))
                .collect();
            format!("<polygon points=\"{}\" fill=\"{colour}\"/>", points.join(" "))
        };
        let mark = match style.mark {
            Mark::Circle => {
                format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\" fill=\"{colour}\"/>")
            }
            Mark::Ring => format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            ),
            Mark::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Mark::Diamond => polygon(&[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)]),
            Mark::Triangle => polygon(&[(0.0, -1.1), (1.1, 0.8), (-1.1, 0.8)]),
            Mark::TriangleDown => polygon(&[(0.0, 1.1), (1.1, -0.8), (-1.1, -0.8)]),
            Mark::Cross => format!(
                "<path d=\"M{:.1},{:.1}l{d},{d}m0,-{d}l-{d},{d}\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
                x - r * 0.9,
                y - r * 0.9,
                d = r * 1.8
            ),
        };
        self.line(&mark);
    }

    fn line(&mut self, line: &str) {
        writeln!(self.svg, "{line}").expect("a string takes all");
    }

    /// The first text that does not lie within the picture.
    pub(crate) fn text_outside(&self) -> Option<&str> {
        let outside = |room: &&Room| {
            room.left < 0.0
                || room.top < 0.0
                || room.right > self.size.0
                || room.bottom > self.size.1
        };
        self.rooms.iter().find(outside).map(|room| room.text.as_str())
    }

    pub(crate) fn svg(mut self) -> String {
        self.svg += "</svg>\n";
        self.svg
    }
}

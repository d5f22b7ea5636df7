//! Line charts as SVG, in one style for all documents.
//!
//! ```text
//!   title
//!   y ┤      ●────■        ─●─ series, in the order given
//!     ┤  ●──╱  ▲           ─■─ another
//!     └──┴────┴────┴ x
//! ```
//!
//! The same data give the same bytes. The file names a font family and embeds none; the page behind it is white, whatever
//! the reader's theme.

use anyhow::{Result, anyhow, ensure};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;
use std::path::Path;

const SIZE: (u32, u32) = (960, 480);
const LEGEND_WIDTH: u32 = 250;
const FONT: &str = "sans-serif";

/// A line of more points is drawn without marks on them.
const MOST_MARKS: usize = 24;

/// Colours that stay apart in print and for most colour-blind readers (after Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(140, 86, 75),
];

/// One axis of a [`Chart`].
pub struct Axis {
    title: String,
    log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Begins at 0, or below if a value is negative.
    pub fn linear(title: &str) -> Axis {
        Axis { title: title.into(), log: false, ticks: Vec::new() }
    }

    /// Logarithmic; all values must be greater than 0.
    pub fn log(title: &str) -> Axis {
        Axis { title: title.into(), log: true, ticks: Vec::new() }
    }

    /// Ticks at these values with these words, in place of the usual ones.
    pub fn ticks(self, ticks: impl IntoIterator<Item = (f64, String)>) -> Axis {
        Axis { ticks: ticks.into_iter().collect(), ..self }
    }

    /// A value's place on the axis.
    fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// The part of the axis that shows these values.
    fn visible(&self, values: impl Iterator<Item = f64>) -> Result<Visible> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.chain(self.ticks.iter().map(|tick| tick.0)) {
            ensure!(
                value.is_finite() && (!self.log || value > 0.0),
                "{value} cannot be shown on the axis `{}`",
                self.title
            );
            (low, high) = (low.min(value), high.max(value));
        }
        ensure!(low <= high, "nothing to show on the axis `{}`", self.title);
        if !self.log {
            (low, high) = (low.min(0.0), if high > low.min(0.0) { high } else { low + 1.0 });
        } else if low == high {
            (low, high) = (low / 2.0, high * 2.0);
        }
        let margin = (self.place(high) - self.place(low)) * 0.04;
        let end = self.place(high) + margin;
        let begin = self.place(low) - if self.log { margin } else { 0.0 };
        let ticks = match (self.ticks.is_empty(), self.log) {
            (false, _) => self.ticks.clone(),
            (true, true) => log_ticks(low, high),
            (true, false) => linear_ticks(low, high),
        };
        let ticks = ticks.into_iter().map(|(value, words)| (self.place(value), words)).collect();
        Ok(Visible { places: begin..end, ticks })
    }
}

/// An axis as it is drawn: its places, and the words at some of them.
struct Visible {
    places: Range<f64>,
    ticks: Vec<(f64, String)>,
}

impl Ranged for Visible {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (place - self.places.start) / (self.places.end - self.places.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.places.clone()
    }
}

impl ValueFormatter<f64> for Visible {
    fn format_ext(&self, place: &f64) -> String {
        self.ticks
            .iter()
            .find(|tick| tick.0 == *place)
            .map_or_else(String::new, |tick| tick.1.clone())
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, at most about eight.
fn linear_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let rough = (high - low) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= rough)
        .unwrap_or(rough);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let ticks = (low / step).ceil() as i64..=(high / step).floor() as i64;
    ticks.map(|n| n as f64 * step).map(|value| (value, format!("{value:.decimals$}"))).collect()
}

/// Powers of ten, with 2 and 5 between them over short ranges.
fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let factors: &[f64] = if high / low <= 1000.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let values =
        decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)));
    values
        .filter(|&value| value >= low * 0.99 && value <= high * 1.01)
        .map(|value| (value, format!("{value}")))
        .collect()
}

/// Points joined by a line, under one name.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Drawn thicker: what the chart is about.
    pub bold: bool,
}

/// A chart to be written into a document's folder.
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

impl Chart {
    /// Writes the chart as SVG.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.svg()?)?;
        Ok(())
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Result<String> {
        let mut text = String::new();
        {
            let whole = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
            self.draw(&whole)
                .map_err(|error| anyhow!("cannot draw `{}`: {error:#}", self.title))?;
        }
        Ok(text)
    }

    fn draw(&self, whole: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        let x = self.x.visible(self.points().map(|point| point.0))?;
        let y = self.y.visible(self.points().map(|point| point.1))?;
        whole.fill(&WHITE)?;
        let (plot, legend) = whole.split_horizontally(SIZE.0 - LEGEND_WIDTH);
        let mut chart = ChartBuilder::on(&plot)
            .caption(&self.title, (FONT, 22))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(&self.x.title)
            .y_desc(&self.y.title)
            .axis_desc_style((FONT, 17))
            .label_style((FONT, 16))
            .max_light_lines(0)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        for (number, series) in self.series.iter().enumerate() {
            let style = style(number, series.bold);
            let points = || series.points.iter().map(|&(x, y)| (self.x.place(x), self.y.place(y)));
            chart.draw_series(LineSeries::new(points(), style))?;
            for point in points().filter(|_| series.points.len() <= MOST_MARKS) {
                marker(whole, chart.backend_coord(&point), number)?;
            }
            let at = 56 + 24 * number as i32;
            legend.draw(&PathElement::new([(4, at), (36, at)], style))?;
            marker(&legend, (20, at), number)?;
            let text = (FONT, 17).into_text_style(&legend).pos(Pos::new(HPos::Left, VPos::Center));
            legend.draw(&Text::new(series.name.as_str(), (44, at), text))?;
        }
        whole.present()?;
        Ok(())
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(|series| series.points.iter().copied())
    }
}

fn style(number: usize, bold: bool) -> ShapeStyle {
    COLOURS[number % COLOURS.len()].stroke_width(if bold { 4 } else { 2 })
}

/// The mark of a series: when the colours begin anew, the shape changes.
fn marker(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    place: (i32, i32),
    number: usize,
) -> Result<()> {
    let filled = COLOURS[number % COLOURS.len()].filled();
    match number / COLOURS.len() {
        0 => area.draw(&Circle::new(place, 4, filled))?,
        1 => area.draw(&Rectangle::new(
            [(place.0 - 4, place.1 - 4), (place.0 + 4, place.1 + 4)],
            filled,
        ))?,
        _ => area.draw(&TriangleMarker::new(place, 6, filled))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(x: Axis, points: &[(f64, f64)]) -> Chart {
        let series = |name: &str| Series { name: name.into(), points: points.into(), bold: false };
        Chart {
            title: "A chart".into(),
            x,
            y: Axis::log("cost"),
            series: vec![series("one"), series("two")],
        }
    }

    #[test]
    fn a_chart_shows_its_series_and_is_stable() {
        let threads = Axis::log("threads").ticks([1, 2, 4].map(|n| (f64::from(n), n.to_string())));
        let chart = chart(threads, &[(1.0, 3.0), (2.0, 30.0), (4.0, 3000.0)]);
        let svg = chart.svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["A chart", "threads", "cost", "one", "two", "1000"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg, chart.svg().unwrap());
    }

    #[test]
    fn ticks_are_round() {
        let words = |ticks: Vec<(f64, String)>| {
            ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words(linear_ticks(0.0, 10.0)), "0 2 4 6 8 10");
        assert_eq!(words(linear_ticks(0.0, 1.3)), "0.0 0.2 0.4 0.6 0.8 1.0 1.2");
        assert_eq!(words(log_ticks(1.0, 100.0)), "1 2 5 10 20 50 100");
        assert_eq!(words(log_ticks(0.5, 20_000.0)), "1 10 100 1000 10000");
    }

    #[test]
    fn what_cannot_be_shown_is_an_error() {
        let error = chart(Axis::log("threads"), &[(0.0, 1.0)]).svg().unwrap_err();
        assert!(error.to_string().contains("0 cannot be shown on the axis `threads`"), "{error}");
        assert!(chart(Axis::linear("x"), &[]).svg().is_err());
        assert!(chart(Axis::linear("x"), &[(1.0, 1.0)]).svg().is_ok());
    }
}

//! Line charts as SVG, in one style for all documents.
//!
//! ```text
//!   title
//!   title of the y axis
//!   1 000 ┤      ●────■──■ another       each line has its name at its end
//!     100 ┤  ●──╱  ▲───────▲ one
//!         └──┴────┴────┴
//!           title of the x axis
//! ```
//!
//! A chart has one message, so it has few lines. The same data give the same bytes.

use anyhow::{Context, Result, ensure};
use std::path::Path;

use crate::axis::{Axis, Visible};
use crate::picture::{Anchor, Picture, width};
use crate::style::{OTHERS, OWN, Style, TEXT};

/// More lines than these nobody can follow.
const MOST_SERIES: usize = 7;
/// A line of more points is drawn without marks on them.
const MOST_MARKS: usize = 24;

const SIZE: (f64, f64) = (960.0, 500.0);
const TITLE: f64 = 22.0;
const WORDS: f64 = 16.0;
/// The first and last y of the plot.
const PLOT: (f64, f64) = (84.0, 430.0);
/// From the plot to the names, for the lines that lead there.
const LEADER: f64 = 34.0;
/// From the mark of a name to the name.
const MARK: f64 = 12.0;
/// From name to name.
const LINE: f64 = 22.0;

/// Points joined by a line, under one name.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// One of tierpool's: in its colours, and thicker.
    pub own: bool,
}

/// A chart to be written into a document's folder.
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// At most seven, three of them ours and six others; each has a point.
    pub series: Vec<Series>,
}

impl Chart {
    /// Writes the chart as SVG.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.svg()?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Result<String> {
        Ok(self.draw().with_context(|| format!("cannot draw `{}`", self.title))?.svg())
    }

    fn draw(&self) -> Result<Picture> {
        ensure!(self.series.len() <= MOST_SERIES, "{} lines are too many", self.series.len());
        let styles = self.styles()?;
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let x = self.x.visible(points().map(|point| point.0))?;
        let y = self.y.visible(points().map(|point| point.1))?;

        let longest = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| width(text, WORDS)).fold(0.0, f64::max)
        };
        let left = 16.0 + longest(&mut y.ticks.iter().map(|tick| tick.1.as_str()));
        let names = longest(&mut self.series.iter().map(|series| series.name.as_str()));
        let right = SIZE.0 - names - MARK - LEADER - 4.0;
        let at = |point: (f64, f64)| {
            (
                left + x.share(point.0) * (right - left),
                PLOT.1 - y.share(point.1) * (PLOT.1 - PLOT.0),
            )
        };

        let mut picture = Picture::new(SIZE);
        picture.text((4.0, 18.0), TITLE, Anchor::Start, &self.title);
        picture.text((4.0, 52.0), WORDS, Anchor::Start, &self.y.title);
        grid(&mut picture, &x, &y, (left, right));
        let middle = (left + right) / 2.0;
        picture.text((middle, PLOT.1 + 50.0), WORDS, Anchor::Middle, &self.x.title);

        // Ours last, so that it lies above the others.
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.sort_by_key(|&number| self.series[number].own);
        for number in order {
            let points: Vec<_> =
                self.series[number].points.iter().map(|&point| at(point)).collect();
            picture.path(&points, styles[number]);
            for &point in points.iter().filter(|_| points.len() <= MOST_MARKS) {
                picture.mark(point, styles[number]);
            }
        }
        let ends: Vec<(f64, f64)> = self
            .series
            .iter()
            .map(|series| {
                series.points.last().map(|&point| at(point)).context("a line of no point")
            })
            .collect::<Result<_>>()?;
        let heights = apart(&ends.iter().map(|end| end.1).collect::<Vec<_>>());
        for ((series, style), (end, height)) in
            self.series.iter().zip(styles).zip(ends.into_iter().zip(heights))
        {
            let name = (right + LEADER, height);
            picture.rule(end, name, style.colour, 0.6);
            picture.mark(name, style);
            picture.text((name.0 + MARK, height), WORDS, Anchor::Start, &series.name);
        }
        if let Some(text) = picture.text_outside() {
            anyhow::bail!("no room for `{text}`");
        }
        Ok(picture)
    }

    /// A look for each series.
    fn styles(&self) -> Result<Vec<Style>> {
        let (mut own, mut others) = (OWN.into_iter(), OTHERS.into_iter());
        let style = |series: &Series| if series.own { own.next() } else { others.next() };
        let styles: Option<Vec<Style>> = self.series.iter().map(style).collect();
        styles.context("more lines of one kind than there are colours for")
    }
}

/// The ticks with their words, and lines across the plot.
fn grid(picture: &mut Picture, x: &Visible<'_>, y: &Visible<'_>, (left, right): (f64, f64)) {
    for (value, words) in &y.ticks {
        let height = PLOT.1 - y.share(*value) * (PLOT.1 - PLOT.0);
        picture.rule((left, height), (right, height), TEXT, 0.25);
        picture.text((left - 8.0, height), WORDS, Anchor::End, words);
    }
    for (value, words) in &x.ticks {
        let at = left + x.share(*value) * (right - left);
        picture.rule((at, PLOT.0), (at, PLOT.1), TEXT, 0.25);
        picture.text((at, PLOT.1 + 20.0), WORDS, Anchor::Middle, words);
    }
    picture.rule((left, PLOT.1), (right, PLOT.1), TEXT, 1.0);
    picture.rule((left, PLOT.0), (left, PLOT.1), TEXT, 1.0);
}

/// Heights of names that stand at least a line apart: each as near to its line's end as the others
/// leave it.
fn apart(ends: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|&one, &other| ends[one].total_cmp(&ends[other]));
    // Names that would touch form a group, which stands around the mean of its ends: the sum of
    // where its names wish its first one to be, and how many they are.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &number in &order {
        let mut group = (ends[number], 1);
        while let Some(&(sum, count)) = groups.last() {
            if sum / count as f64 + LINE * count as f64 <= group.0 / group.1 as f64 {
                break;
            }
            groups.pop();
            group = (sum + group.0 - LINE * (count * group.1) as f64, count + group.1);
        }
        groups.push(group);
    }
    let mut sorted: Vec<f64> = groups
        .into_iter()
        .flat_map(|(sum, count)| (0..count).map(move |at| sum / count as f64 + LINE * at as f64))
        .collect();
    // Within the plot.
    let (mut least, mut most) = (PLOT.0, PLOT.1);
    for height in &mut sorted {
        *height = height.max(least);
        least = *height + LINE;
    }
    for height in sorted.iter_mut().rev() {
        *height = height.min(most);
        most = *height - LINE;
    }
    let mut heights = vec![0.0; ends.len()];
    order.into_iter().zip(sorted).for_each(|(number, height)| heights[number] = height);
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, own: bool, points: &[(f64, f64)]) -> Series {
        Series { name: name.into(), points: points.into(), own }
    }

    fn chart(x: Axis, series: Vec<Series>) -> Chart {
        Chart { title: "A chart".into(), x, y: Axis::log("cost"), series }
    }

    /// Seven lines that end at nearly one height, at the edge of the plot.
    fn crowded() -> Chart {
        let lines = (0..7).map(|n| {
            let end = if n < 4 { 3_000_000.0 - f64::from(n) } else { 1.0 + f64::from(n) / 100.0 };
            series(&format!("a name as long as they are, {n}"), n < 2, &[(1.0, 3.0), (8.0, end)])
        });
        let threads = Axis::log("threads")
            .ticks([1, 2, 4, 8].map(|n| (f64::from(n), format!("{n} (in turns)"))));
        chart(threads, lines.collect())
    }

    #[test]
    fn a_chart_shows_its_series_and_is_stable() {
        let chart = crowded();
        let svg = chart.svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["A chart", "threads", "cost", "they are, 0", "they are, 6", "1\u{a0}000"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg, chart.svg().unwrap());
    }

    #[test]
    fn no_text_lies_over_another() {
        let picture = crowded().draw().unwrap();
        assert_eq!(picture.rooms.len(), 3 + 6 + 4 + 7, "titles, y ticks, x ticks, names");
        for (at, one) in picture.rooms.iter().enumerate() {
            for other in &picture.rooms[at + 1..] {
                assert!(!one.overlaps(other), "{one:?} over {other:?}");
            }
        }
        assert_eq!(picture.text_outside(), None);
    }

    #[test]
    fn names_stand_near_their_lines() {
        assert_eq!(apart(&[200.0, 100.0]), [200.0, 100.0]);
        assert_eq!(apart(&[200.0, 200.0]), [200.0 - LINE / 2.0, 200.0 + LINE / 2.0]);
        assert_eq!(apart(&[PLOT.0, PLOT.0]), [PLOT.0, PLOT.0 + LINE]);
        assert_eq!(apart(&[PLOT.1, PLOT.1]), [PLOT.1 - LINE, PLOT.1]);
    }

    #[test]
    fn every_line_has_a_colour_of_its_own() {
        let lines = (0..7).map(|n| series(&n.to_string(), n % 3 == 0, &[(1.0, 1.0)])).collect();
        let chart = chart(Axis::linear("x"), lines);
        let styles = chart.styles().unwrap();
        for (at, style) in styles.iter().enumerate() {
            assert!(!styles[at + 1..].iter().any(|other| other.colour == style.colour));
            assert_eq!(OWN.contains(style), chart.series[at].own);
            assert!(chart.svg().unwrap().contains(style.colour));
        }
    }

    #[test]
    fn what_cannot_be_shown_is_an_error() {
        let one = |points| vec![series("one", false, points)];
        let error = |x, series| format!("{:#}", chart(x, series).svg().unwrap_err());
        let text = error(Axis::log("threads"), one(&[(0.0, 1.0)]));
        assert!(text.contains("0 cannot be shown on the axis `threads`"), "{text}");
        assert!(error(Axis::linear("x"), one(&[])).contains("nothing to show"));
        assert!(chart(Axis::linear("x"), one(&[(1.0, 1.0)])).svg().is_ok());
        let many = |count, own| {
            (0..count).map(|n| series(&n.to_string(), own, &[(1.0, 1.0)])).collect::<Vec<_>>()
        };
        assert!(error(Axis::linear("x"), many(8, false)).contains("8 lines are too many"));
        assert!(error(Axis::linear("x"), many(4, true)).contains("than there are colours"));
        let long = vec![series(&"long ".repeat(40), false, &[(1.0, 1.0)])];
        assert!(error(Axis::linear("x"), long).contains("no room for"));
    }
}

//! One axis of a chart: the values that it shows, and the words at its ticks.

use anyhow::{Result, ensure};
use std::ops::Range;

/// One axis of a [`Chart`](crate::Chart).
pub struct Axis {
    pub(crate) title: String,
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
    pub(crate) fn visible(&self, values: impl Iterator<Item = f64>) -> Result<Visible<'_>> {
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
        Ok(Visible { axis: self, places: begin..end, ticks })
    }
}

/// An axis as it is drawn.
pub(crate) struct Visible<'a> {
    axis: &'a Axis,
    places: Range<f64>,
    /// Values, and the words at them.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Visible<'_> {
    /// Where a value lies: 0 at the begin of the axis, 1 at its end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        (self.axis.place(value) - self.places.start) / (self.places.end - self.places.start)
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
    ticks.map(|n| n as f64 * step).map(|value| (value, grouped(value, decimals))).collect()
}

/// Powers of ten, with 2 and 5 between them over short ranges.
fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let factors: &[f64] = if high / low <= 1000.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let values = decades.flat_map(|decade| {
        let decimals = usize::try_from(-decade).unwrap_or(0);
        factors.iter().map(move |factor| (factor * 10f64.powi(decade), decimals))
    });
    values
        .filter(|&(value, _)| value >= low * 0.99 && value <= high * 1.01)
        .map(|(value, decimals)| (value, grouped(value, decimals)))
        .collect()
}

/// `12 345.6`
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", &text[..]), |rest| ("-", rest));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_have_thousands() {
        let words = |ticks: Vec<(f64, String)>| {
            ticks
                .into_iter()
                .map(|tick| tick.1)
                .collect::<Vec<_>>()
                .join("|")
                .replace('\u{a0}', " ")
        };
        assert_eq!(words(linear_ticks(0.0, 10.0)), "0|2|4|6|8|10");
        assert_eq!(words(linear_ticks(0.0, 1.3)), "0.0|0.2|0.4|0.6|0.8|1.0|1.2");
        assert_eq!(
            words(linear_ticks(-4000.0, 4000.0)),
            "-4 000|-3 000|-2 000|-1 000|0|1 000|2 000|3 000|4 000"
        );
        assert_eq!(words(log_ticks(1.0, 100.0)), "1|2|5|10|20|50|100");
        assert_eq!(words(log_ticks(0.02, 1.0)), "0.02|0.05|0.1|0.2|0.5|1");
        assert_eq!(words(log_ticks(0.5, 2e6)), "1|10|100|1 000|10 000|100 000|1 000 000");
    }
}

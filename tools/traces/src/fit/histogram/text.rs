//! The text of a histogram: what it says, and whether it can be true.
//!
//! ```text
//!   tierpool histogram 1
//!   tier BYTES SLOTS PEAK SERVED MISSED     one a tier, sizes do not fall
//!   size BYTES REQUESTS                     rising: so many requests of at most so many bytes, and more than the size before
//!   larger REQUESTS                         the end
//! ```
//!
//! Lines get lost on a serial line, counts wrap, other programs count otherwise. So the totals are
//! checked against each other, tier by tier: *what came to a tier was asked for, and no smaller
//! tier has served it*.

use crate::error::{At, FormatError};
use crate::fit::{MAX_SIZE, MAX_SLOTS, MAX_TIERS};
use crate::log::{Skipped, plain};
use std::borrow::Cow;

/// The first line of a histogram, before its version.
pub const FIRST_LINE: &str = "tierpool histogram ";
const VERSION: &str = "1";

/// One request in so many may be uncounted, and one more: a device goes on while it prints.
const ONE_IN: u128 = 1000;

/// A histogram whose totals agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// By rising size.
    pub tiers: Vec<Tier>,
    /// Sizes in bytes, rising, and how many requests were of each.
    pub asked: Vec<(u64, u64)>,
    /// All requests, those that are larger than any slot included.
    pub requests: u64,
    /// Lines in between that are something else.
    pub(crate) skipped: Skipped,
}

/// A line `tier`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    line: usize,
    /// Bytes of a slot.
    pub size: u64,
    /// How many there are.
    pub slots: u64,
    /// The most that were taken at once.
    pub peak: u64,
    /// Requests that it served.
    pub served: u64,
    /// Requests that found it empty.
    pub missed: u64,
}

/// Reads the last histogram of a log, whatever a logger has put around its lines, and checks it.
///
/// # Errors
/// There is none, it is cut off, or a line contradicts others.
pub fn parse(text: &str) -> Result<Recorded, FormatError> {
    let lines = text.lines().map(plain).zip(1..);
    let first = text.lines().zip(1..).filter(|(line, _)| line.contains(FIRST_LINE)).last();
    let (first, number) = first.ok_or_else(|| error(1, "no line is `tierpool histogram 1`"))?;
    let version = plain(first)
        .rsplit(FIRST_LINE)
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    if version != VERSION {
        return Err(error(
            number,
            format!("a histogram of version `{version}`, but this reads version {VERSION}"),
        ));
    }
    let skipped = Skipped::new("lines in the histogram that are no part of it");
    let mut recorded = Recorded { tiers: Vec::new(), asked: Vec::new(), requests: 0, skipped };
    let mut last = number;
    for (line, number) in lines.skip(number) {
        last = number;
        let read = match record(&line).as_slice() {
            [] => Some(Ok(())),
            // Of a tier with lanes the peak is a sum: an upper bound, so that many slots are enough.
            ["tier", numbers @ .., "lanes", _] => {
                parsed(numbers).map(|numbers| recorded.tier(number, numbers))
            }
            ["tier", numbers @ ..] => parsed(numbers).map(|numbers| recorded.tier(number, numbers)),
            ["size", numbers @ ..] => parsed(numbers).map(|numbers| recorded.size(number, numbers)),
            ["larger", numbers @ ..] => match parsed(numbers) {
                Some([larger]) => return recorded.checked(number, larger),
                None => None,
            },
            _ => None,
        };
        match read {
            Some(read) => read?,
            None => recorded.skipped.add(number),
        }
    }
    Err(error(last, "cut off: the last line is `larger`"))
}

fn error(line: usize, what: impl Into<Cow<'static, str>>) -> FormatError {
    FormatError { at: At::Line(line), what: what.into() }
}

/// A line's words, without what a logger has put before them: a time, a level, a task.
fn record(line: &str) -> Vec<&str> {
    let start =
        ["tier ", "size ", "larger "].iter().filter_map(|word| line.rfind(word)).max().unwrap_or(0);
    line[start..].split_whitespace().collect()
}

/// Words that are `N` numbers.
fn parsed<const N: usize>(words: &[&str]) -> Option<[u64; N]> {
    let words: &[&str; N] = words.try_into().ok()?;
    let numbers = words.map(|word| word.parse().ok());
    numbers.iter().all(Option::is_some).then(|| numbers.map(Option::unwrap_or_default))
}

/// The smallest request that a pool counts under this size: its steps are 4 bytes wide, and above
/// 32 bytes an eighth of the power of two below.
pub(crate) fn smallest_in(size: u64) -> u64 {
    let step = if size <= 32 { 4 } else { 1 << ((size - 1).ilog2() - 3) };
    size.saturating_sub(step) + 1
}

impl Recorded {
    fn tier(
        &mut self,
        line: usize,
        [size, slots, peak, served, missed]: [u64; 5],
    ) -> Result<(), FormatError> {
        let above = self.tiers.last().map_or(1, |tier| tier.size);
        let what = if !self.asked.is_empty() {
            "a tier after the sizes: are these two histograms?"
        } else if self.tiers.len() == MAX_TIERS {
            "more tiers than a pool can have"
        } else if size > MAX_SIZE as u64 {
            "a slot has at most 65536 bytes"
        } else if size < above {
            "tiers do not fall in size"
        } else if slots == 0 || slots > MAX_SLOTS as u64 {
            "a tier has 1 to 1022 slots"
        } else if peak > slots {
            "more slots were in use at once than there are"
        } else if (peak == 0) != (served == 0) {
            "a slot that was in use has served a request, and the other way round"
        } else if missed > 0 && peak < slots {
            "requests missed it, but there were always free slots"
        } else {
            self.tiers.push(Tier { line, size, slots, peak, served, missed });
            return Ok(());
        };
        Err(error(line, what))
    }

    fn size(&mut self, line: usize, [size, requests]: [u64; 2]) -> Result<(), FormatError> {
        let smaller = self.asked.last().map_or(0, |last| last.0);
        if size <= smaller || size > MAX_SIZE as u64 {
            return Err(error(line, "sizes are 1 to 65536 and rise"));
        }
        self.asked.push((size, requests));
        Ok(())
    }

    /// What a tier served or had to turn away was asked for, and no smaller tier has served it. One
    /// who waits is turned away once, and may yet be served.
    fn checked(mut self, line: usize, larger: u64) -> Result<Recorded, FormatError> {
        let mut served = 0_u128;
        for tier in &self.tiers {
            let fitting = self.asked.iter().filter(|asked| smallest_in(asked.0) <= tier.size);
            let asked: u128 = fitting.map(|asked| u128::from(asked.1)).sum();
            served += u128::from(tier.served);
            let missed = u128::from(tier.missed);
            let (size, most) = (tier.size, asked + 1 + asked / ONE_IN);
            let what = if served > most {
                format!(
                    "tiers up to {size} bytes served {served} requests, but only {asked} of such sizes were asked for"
                )
            } else if missed > most {
                format!(
                    "{missed} requests missed the tier of {size} bytes, but only {asked} that fit it were asked for"
                )
            } else {
                continue;
            };
            return Err(error(
                tier.line,
                what + ": lines are lost, a count has wrapped at 2^32, or what was served was not counted",
            ));
        }
        let all = self.asked.iter().try_fold(larger, |sum, asked| sum.checked_add(asked.1));
        self.requests = all.ok_or_else(|| error(line, "more requests than 64 bits can count"))?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why these lines after the first are no histogram.
    fn wrong(lines: &str) -> String {
        parse(&format!("tierpool histogram 1\n{lines}")).unwrap_err().to_string()
    }

    #[test]
    fn a_line_that_cannot_be_is_named() {
        assert_eq!(
            parse("a 0 1\n").unwrap_err().to_string(),
            "line 1: no line is `tierpool histogram 1`"
        );
        let version = parse("boot\ntierpool histogram 12\nlarger 0\n").unwrap_err().to_string();
        assert_eq!(version, "line 2: a histogram of version `12`, but this reads version 1");
        assert_eq!(wrong("size 8 1"), "line 2: cut off: the last line is `larger`");
        assert_eq!(wrong("size 8 1\nsize 8 1\n"), "line 3: sizes are 1 to 65536 and rise");
        assert_eq!(
            wrong("size 8 1\ntier 8 1 1 1 0\n"),
            "line 3: a tier after the sizes: are these two histograms?"
        );
        assert_eq!(
            wrong("tier 512 8 8 5 0\ntier 64 8 8 5 0\n"),
            "line 3: tiers do not fall in size"
        );
        assert_eq!(wrong("tier 0 8 8 5 0\n"), "line 2: tiers do not fall in size");
        assert_eq!(wrong("tier 65537 8 8 5 0\n"), "line 2: a slot has at most 65536 bytes");
        assert_eq!(wrong("tier 64 1023 8 5 0\n"), "line 2: a tier has 1 to 1022 slots");
        assert_eq!(
            wrong("tier 64 8 4000000000 9 0\n"),
            "line 2: more slots were in use at once than there are"
        );
        assert_eq!(
            wrong("tier 64 8 0 9 0\n"),
            "line 2: a slot that was in use has served a request, and the other way round"
        );
        assert_eq!(
            wrong("tier 64 8 7 9 1\n"),
            "line 2: requests missed it, but there were always free slots"
        );
        assert_eq!(
            wrong(&"tier 64 8 8 8 0\n".repeat(17)),
            "line 18: more tiers than a pool can have"
        );
        let many = format!("size 4 {0}\nsize 8 {0}\nlarger 2", u64::MAX / 2);
        assert_eq!(wrong(&many), "line 4: more requests than 64 bits can count");
    }

    #[test]
    fn contradicting_totals_name_their_tier() {
        let wrong = |lines: &str| {
            wrong(lines).split(": lines are lost").next().unwrap_or_default().to_owned()
        };
        let shrunk = "tier 64 64 50 50 0\ntier 256 4 1 50 0\nsize 208 50\nlarger 0";
        assert_eq!(
            wrong(shrunk),
            "line 2: tiers up to 64 bytes served 50 requests, but only 0 of such sizes were asked for"
        );
        assert!(
            wrong("tier 64 8 8 1000 500\nlarger 0")
                .starts_with("line 2: tiers up to 64 bytes served 1000")
        );
        assert!(
            wrong("tier 64 8 8 4294967306 0\nsize 64 10\nlarger 0")
                .starts_with("line 2: tiers up to 64 bytes served 4294967306")
        );
        let from_nowhere = "tier 64 8 8 10 0\ntier 256 4 4 5 0\nsize 64 10\nlarger 0";
        assert!(wrong(from_nowhere).starts_with("line 3: tiers up to 256 bytes served 15"));
        let missed = "tier 64 8 8 8 20\nsize 64 8\nlarger 0";
        assert_eq!(
            wrong(missed),
            "line 2: 20 requests missed the tier of 64 bytes, but only 8 that fit it were asked for"
        );
    }

    /// A wait that ends well has missed and was served; a device goes on while it prints.
    #[test]
    fn what_can_be_is_no_contradiction() {
        let right = |lines: &str| parse(&format!("tierpool histogram 1\n{lines}")).is_ok();
        assert!(right("tier 64 1 1 60 59\nsize 64 60\nlarger 0"));
        assert!(right("tier 64 8 8 9 0 lanes 2\nsize 64 9\nlarger 0"));
        assert!(
            right("tier 64 8 8 1002 0\nsize 64 1000\nlarger 0")
                && !right("tier 64 8 8 1003 0\nsize 64 1000\nlarger 0")
        );
    }

    #[test]
    fn a_step_that_a_tier_divides_may_come_to_either() {
        assert_eq!(
            [4, 32, 36, 64, 72, 128, 208, 65_536].map(smallest_in),
            [1, 29, 33, 61, 65, 121, 193, 61_441]
        );
        assert!(
            parse(
                "tierpool histogram 1\ntier 200 8 8 30 0\ntier 256 8 8 20 0\nsize 208 50\nlarger 0"
            )
            .is_ok()
        );
    }

    #[test]
    fn lines_of_others_are_passed_over() {
        let text = "x: tierpool histogram 1\nx: tier 64 8 8 8 0\nI (44) wifi: connected\nheap: size 5\nx: size 64 8\nx: larger 0";
        let recorded = parse(text).unwrap();
        assert_eq!(recorded.requests, 8);
        assert_eq!(recorded.skipped.count, 2);
        assert_eq!(recorded.skipped.first, 3);
    }
}

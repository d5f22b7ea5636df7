//! The table of `{:#}`.
//!
//! ```text
//! RX
//!  bytes   slots  in use  cached    peak        served        missed
//!    256      16 ~     3       0 <=    5            12             0
//!      +       2       1               1             1
//! requests 13, hits 13 (100.0 %, from caches 0), exhausted 0, oversized 0, from the fallback 0 (now 0)
//!   held     bytes        oldest  held by
//!      1       256         12005  reassembly
//! ```
//!
//! A row that lost a byte does not stand in its columns, and a table that lost a row does not add
//! up: the hits are the sum of what its tiers and caches served.

use crate::watch::snapshot::{Clock, Counts, Holder, Reserve, Snapshot, Sums, Tier, is_use};

/// A table whose last line has not come yet.
#[derive(Debug)]
pub(super) struct Table {
    snapshot: Snapshot,
    /// A row did not stand in its columns.
    damaged: bool,
}

/// What a line was.
pub(super) enum Row {
    Tier,
    Sums,
    Other,
}

/// What stands before the headings of the columns; none if the line is another.
pub(super) fn heading(line: &str) -> Option<&str> {
    const WORDS: [&str; 8] = ["bytes", "slots", "in", "use", "cached", "peak", "served", "missed"];
    let words: Vec<&str> = line.split_whitespace().collect();
    if !words.ends_with(&WORDS) {
        return None;
    }
    line.rfind("bytes").map(|start| line[..start].trim())
}

impl Table {
    pub(super) fn new(name: Option<String>, (seconds, clock): (f64, Clock)) -> Self {
        let snapshot = Snapshot { name, seconds, clock, ..Snapshot::default() };
        Table { snapshot, damaged: false }
    }

    /// Takes a line.
    pub(super) fn line(&mut self, line: &str) -> Row {
        if let Some(tier) = tier(line) {
            self.snapshot.tiers.push(tier);
            return Row::Tier;
        }
        if numbers(line) >= 7 {
            self.damaged = true;
            return Row::Tier;
        }
        if let (Some(reserve), Some(tier)) = (reserve(line), self.snapshot.tiers.last_mut()) {
            tier.reserve = Some(reserve);
            return Row::Tier;
        }
        if line.contains("requests ") && line.contains(", hits ") {
            self.snapshot.sums = self.sums(line);
            return Row::Sums;
        }
        Row::Other
    }

    /// The last line.
    fn sums(&mut self, line: &str) -> Option<Sums> {
        let mut rest = &line[line.rfind("requests ")?..];
        let mut next = |key: &str| {
            let at = rest.find(key)? + key.len();
            let end =
                rest[at..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| at + end);
            let number = rest[at..end].parse().ok()?;
            rest = &rest[end..];
            Some(number)
        };
        self.snapshot.requests = next("requests ")?;
        self.snapshot.hits = next(", hits ")?;
        let from_caches = next("from caches ")?;
        let exhausted = next("exhausted ")?;
        let oversized = next("oversized ")?;
        self.snapshot.fallbacks = next("from the fallback ")?;
        let fallback_live = next("(now ")?;
        self.snapshot.misses = u64::checked_add(exhausted, oversized)?;
        let retries = next(", tries of waiting tasks ").unwrap_or(0);
        let moved = next(", moved down ").unwrap_or(0);
        Some(Sums { from_caches, exhausted, oversized, fallback_live, retries, moved })
    }

    /// The snapshot, if nothing of it is lost.
    pub(super) fn whole(self) -> Option<Snapshot> {
        let Table { snapshot, damaged } = self;
        let sums = snapshot.sums?;
        let served = snapshot.tiers.iter().map(|tier| {
            let of_reserve = tier.reserve.and_then(|reserve| reserve.counts);
            [tier.counts.map_or(0, |counts| counts.served), of_reserve.map_or(0, |counts| counts.1)]
        });
        let served = served.flatten().try_fold(sums.from_caches, u64::checked_add)?;
        let hits = served.saturating_sub(sums.moved);
        let adds_up = !damaged
            && hits == snapshot.hits
            && snapshot.hits.checked_add(snapshot.misses) == Some(snapshot.requests)
            && !snapshot.tiers.is_empty()
            && snapshot.tiers.is_sorted_by_key(|tier| tier.bytes);
        adds_up.then_some(snapshot)
    }
}

/// A word and where it ends.
fn words(line: &str) -> Vec<(&str, usize)> {
    let start = line.as_ptr().addr();
    line.split_whitespace().map(|word| (word, word.as_ptr().addr() - start + word.len())).collect()
}

/// The last `N` numbers of a line, which stand in columns of these widths.
fn columns<const N: usize>(line: &str, widths: &[usize; N]) -> Option<[u64; N]> {
    let words = words(line);
    let logged = words.len() > N;
    let words = &words[words.len().checked_sub(N)?..];
    let mut numbers = [0; N];
    for (place, &(word, end)) in words.iter().enumerate() {
        numbers[place] = word.parse().ok()?;
        let room = match place.checked_sub(1) {
            Some(before) => end - words[before].1 - 1,
            // The first may have a logger's words before it.
            None if logged => continue,
            None => end,
        };
        if room != word.len().max(widths[place]) {
            return None;
        }
    }
    Some(numbers)
}

/// How many numbers end a line.
fn numbers(line: &str) -> usize {
    let number = |word: &&str| word.parse::<u64>().is_ok();
    let line = line.replace(['~', '<', '='], " ");
    line.split_whitespace().rev().take_while(number).count()
}

/// `   256      16 ~     3       0 <=    5            12             0`
fn tier(line: &str) -> Option<Tier> {
    let (exact, at_most) = (!line.contains('~'), line.contains("<="));
    let line = line.replace('~', " ").replace("<=", "  ");
    let [bytes, slots, in_use, cached, peak, served, missed] =
        columns(&line, &[6, 7, 7, 7, 7, 13, 13])?;
    let counts = Some(Counts { cached, peak, at_most, served, missed });
    is_use(in_use, slots).then_some(Tier { bytes, slots, in_use, exact, reserve: None, counts })
}

/// `     +       2       1               1             1`
fn reserve(line: &str) -> Option<Reserve> {
    let (before, line) = line.rsplit_once(" + ")?;
    let _ = before;
    let line = format!("0 {line}");
    // An empty column stands between the slots in use and the peak.
    let [_, slots, in_use, peak, served] = columns(&line, &[1, 7, 7, 15, 13])?;
    is_use(in_use, slots).then_some(Reserve { slots, in_use, counts: Some((peak, served)) })
}

/// `  held     bytes        oldest  held by`
pub(super) fn is_holders_heading(line: &str) -> bool {
    line.split_whitespace()
        .collect::<Vec<_>>()
        .ends_with(&["held", "bytes", "oldest", "held", "by"])
}

/// `     1       256         12005  reassembly`, or `     2                          others`.
pub(super) fn holder(line: &str) -> Option<Holder> {
    // The name begins two spaces behind three columns. What a logger has put before is as wide as
    // it likes, so the columns are looked for from every number on.
    let words = words(line);
    for first in 0..words.len() {
        let start = words[first].1;
        if first == 0 && start != words[0].0.len().max(6) {
            continue;
        }
        let column = |place: usize, width: usize, before: usize| {
            let (word, end) = *words.get(place)?;
            let number: u64 = word.parse().ok()?;
            (end.checked_sub(before)? == 1 + word.len().max(width)).then_some((number, end))
        };
        let Ok(buffers) = words[first].0.parse() else { continue };
        let name = |from: usize| {
            let name = line.get(from..)?.strip_prefix("  ")?;
            (!name.is_empty() && !name.starts_with(' ')).then(|| name.trim_end().to_owned())
        };
        if let Some((bytes, end)) = column(first + 1, 9, start)
            && let Some((age, end)) = column(first + 2, 13, end)
            && let Some(name) = name(end)
        {
            return Some(Holder { buffers, bytes_and_age: Some((bytes, age)), name });
        }
        if name(start + 1 + 9 + 1 + 13).as_deref() == Some("others") {
            return Some(Holder { buffers, bytes_and_age: None, name: "others".into() });
        }
    }
    None
}

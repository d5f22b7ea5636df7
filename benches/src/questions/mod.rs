//! What is asked, a file each.
//!
//! | file | question |
//! |---|---|
//! | [`pair`] | allocate and free 500 bytes, on 1, 2, 4, 8 threads: cost and fairness |
//! | [`packet`] | a user's packet: fill, share, copy on write, drop; with half of the drops on another thread |
//! | [`tail`] | how long one allocation takes at worst, with more threads than cores |
//! | [`growth`] | more tiers, more slots |
//! | [`machine`] | what it was measured on, and what the measuring costs |

pub mod growth;
pub mod machine;
pub mod packet;
pub mod pair;
pub mod tail;

use std::thread::available_parallelism;
use std::time::Duration;

use crate::candidates::Candidate;
use crate::record::{Figure, Output, Record};
use crate::round::{self, Column, Plan};
use crate::spread::Spread;
use crate::team::Team;

/// How thoroughly to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub cores: usize,
    /// With at most as many threads as cores.
    pub parallel: Plan,
    /// With more: long enough that every thread has its turns.
    pub oversubscribed: Plan,
}

impl Effort {
    pub fn new(quick: bool) -> Effort {
        let micros = Duration::from_micros;
        let (rounds, turns, seconds) = if quick { (60, 5, 12) } else { (300, 20, 50) };
        let limit = Duration::from_secs(seconds);
        Effort {
            cores: available_parallelism().map_or(1, usize::from),
            parallel: Plan { rounds, limit, sample: micros(1000), floor: micros(200) },
            oversubscribed: Plan {
                rounds: turns,
                limit,
                sample: micros(40_000),
                floor: micros(10_000),
            },
        }
    }

    /// Enough to see that everything runs.
    #[cfg(test)]
    pub fn least() -> Effort {
        let plan = Plan {
            rounds: 1,
            limit: Duration::ZERO,
            sample: Duration::from_micros(20),
            floor: Duration::from_micros(10),
        };
        Effort { cores: 2, parallel: plan, oversubscribed: plan }
    }

    /// So many threads, and those that prove that they run in parallel.
    fn teams(&self, threads: usize) -> anyhow::Result<(Team, Team)> {
        Ok((Team::new(threads)?, Team::new(threads.min(self.cores))?))
    }

    pub fn plan(&self, threads: usize) -> Plan {
        if threads > self.cores { self.oversubscribed } else { self.parallel }
    }
}

/// Measures all candidates and prints their cost, in times `swaps` uncontended compare-and-swaps.
fn costs(
    output: &mut Output<'_>,
    effort: &Effort,
    question: &str,
    threads: usize,
    candidates: &[Candidate],
    swaps: f64,
) -> anyhow::Result<Vec<Column>> {
    let (team, proof) = effort.teams(threads)?;
    let plan = effort.plan(threads);
    let mut printed = Ok(());
    let columns = round::measure(&team, &proof, plan, candidates, |done| {
        if printed.is_ok() {
            printed = output.progress(format!(
                "{question}, threads {threads}: round {done} of at most {}",
                plan.rounds
            ));
        }
    });
    printed?;
    for (column, candidate) in columns.iter().zip(candidates) {
        let (used, discarded) = column.rounds();
        let figure = |measure, spread| Figure {
            question,
            candidate: column.name,
            kind: candidate.kind,
            threads,
            oversubscribed: threads > effort.cores,
            setting: String::new(),
            measure,
            spread,
            used,
            discarded,
        };
        output.line(&Record::Figure(figure(
            "cost",
            Spread::of(column.costs().map(|cost| cost / swaps)),
        )))?;
        if threads > 1 {
            output.line(&Record::Figure(figure("fairness", column.fairness())))?;
        }
    }
    Ok(columns)
}

/// The column of a candidate.
fn column<'a>(columns: &'a [Column], name: &str) -> &'a Column {
    columns
        .iter()
        .find(|column| column.name == name)
        .unwrap_or_else(|| panic!("`{name}` was not measured"))
}

/// One column over another, by their names.
fn over(columns: &[Column], name: &str, other: &str) -> Option<Spread> {
    column(columns, name).over(column(columns, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a question prints with the least effort.
    fn lines(ask: impl Fn(&mut Output<'_>, &Effort) -> anyhow::Result<()>) -> String {
        let mut bytes = Vec::new();
        ask(&mut Output(&mut bytes), &Effort::least()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_question_has_every_candidate() {
        for (lines, candidates) in [
            (lines(pair::ask), pair::candidates()),
            (lines(packet::ask), packet::one_thread()),
            (lines(packet::ask), packet::two_threads()),
            (lines(growth::ask), growth::candidates()),
        ] {
            for candidate in candidates {
                assert!(
                    lines.contains(&format!(r#""candidate":"{}""#, candidate.name)),
                    "{}",
                    candidate.name
                );
            }
        }
        let tail = lines(tail::ask);
        assert!(
            tail::candidates()
                .iter()
                .all(|it| tail.contains(&format!(r#""candidate":"{}""#, it.name)))
        );
        assert!(lines(machine::ask).contains(r#""record":"machine""#));
    }
}

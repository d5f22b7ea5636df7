//! Rounds: every candidate for a moment, one after the other, again and again; the order moves on
//! by one each round.
//!
//! ```text
//!   round 0   floor a floor b floor c floor        a figure of a round is a candidate's cost over the mean of the
//!   round 1   floor b floor c floor a floor        floors beside it; if either was not parallel, it is discarded
//! ```
//!
//! Of no more threads than cores, a figure is also discarded if they were not all at work all the
//! time.
//!
//! So a machine that is slow for a while is slow for all, and what it does in between falls out
//! with the median.

use std::time::{Duration, Instant};

use crate::candidates::Candidate;
use crate::floor::Floor;
use crate::spread::Spread;
use crate::team::{self, Done, Team};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// At most.
    pub rounds: usize,
    /// No round begins later than this, but the first: a busy machine gives fewer rounds, it does
    /// not take longer.
    pub limit: Duration,
    /// Of a candidate in a round.
    pub sample: Duration,
    /// Of the floor beside it.
    pub floor: Duration,
}

/// A candidate in one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// In uncontended compare-and-swaps.
    pub cost: f64,
    pub fairness: f64,
}

/// A candidate in all rounds; None for those that were discarded.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub samples: Vec<Option<Sample>>,
}

impl Column {
    /// Rounds that count, and those that were discarded.
    pub fn rounds(&self) -> (usize, usize) {
        let used = self.samples.iter().flatten().count();
        (used, self.samples.len() - used)
    }

    pub fn costs(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().flatten().map(|sample| sample.cost)
    }

    pub fn fairness(&self) -> Option<Spread> {
        Spread::of(self.samples.iter().flatten().map(|sample| sample.fairness))
    }

    /// This candidate's cost over the other's, of the rounds that have both.
    pub fn over(&self, other: &Column) -> Option<Spread> {
        let both = self
            .samples
            .iter()
            .zip(&other.samples)
            .filter_map(|(a, b)| Some(a.as_ref()?.cost / b.as_ref()?.cost));
        Spread::of(both)
    }
}

/// Measures all candidates on a team of threads; `proof` is as for [`Floor::measure`]. `progress`
/// is told how many rounds are done.
pub fn measure(
    team: &Team,
    proof: &Team,
    plan: Plan,
    candidates: &[Candidate],
    mut progress: impl FnMut(usize),
) -> Vec<Column> {
    let mut columns: Vec<Column> =
        candidates.iter().map(|it| Column { name: it.name, samples: Vec::new() }).collect();
    let oversubscribed = team.threads() > proof.threads();
    for candidate in candidates {
        candidate.run(team, plan.floor); // to warm up
    }
    let begin = Instant::now();
    for round in 0..plan.rounds {
        if round > 0 && begin.elapsed() > plan.limit {
            break;
        }
        let mut before = Floor::measure(team, proof, plan.floor);
        for turn in 0..candidates.len() {
            let number = (turn + round) % candidates.len();
            let done = candidates[number].run(team, plan.sample);
            let after = Floor::measure(team, proof, plan.floor);
            let candidate = &candidates[number];
            let whole = oversubscribed
                || if candidate.yields { team::overlap(&done) } else { team::at_once(&done) };
            columns[number].samples.push(whole.then(|| sample(&done, before, after)).flatten());
            before = after;
        }
        progress(round + 1);
    }
    columns
}

fn sample(done: &[Done], before: Floor, after: Floor) -> Option<Sample> {
    let parallel = before.is_parallel() && after.is_parallel();
    let swap = f64::midpoint(before.swap, after.swap);
    parallel.then(|| Sample { cost: team::cost(done) / swap, fairness: team::fairness(done) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(costs: &[Option<f64>]) -> Column {
        Column {
            name: "",
            samples: costs
                .iter()
                .map(|cost| cost.map(|cost| Sample { cost, fairness: 1.0 }))
                .collect(),
        }
    }

    #[test]
    fn candidates_are_compared_round_by_round() {
        let (a, b) = (
            column(&[Some(1.0), None, Some(9.0), Some(4.0)]),
            column(&[Some(2.0), Some(1.0), Some(3.0), None]),
        );
        assert_eq!(a.over(&b), Some(Spread { median: 1.75, min: 0.5, max: 3.0 }));
        assert_eq!(a.rounds(), (3, 1));
        assert_eq!(a.costs().sum::<f64>(), 14.0);
        assert_eq!(column(&[None]).over(&a), None);
    }

    #[test]
    fn a_sample_counts_between_parallel_floors() {
        let done = [Done {
            operations: 10,
            begin: Instant::now(),
            elapsed: Duration::from_nanos(1200),
            suspended: false,
        }];
        let floor = |swap, shared| Floor { swap, shared, at_once: true };
        let kept = sample(&done, floor(10.0, 2.0), floor(20.0, 8.0)).unwrap();
        assert_eq!(kept.cost, 8.0);
        assert_eq!(kept.fairness, 1.0);
        assert!(sample(&done, floor(10.0, 1.9), floor(10.0, 8.0)).is_none());
        assert!(sample(&done, floor(10.0, 8.0), floor(10.0, 1.9)).is_none());
    }
}

//! One function a table. Each line is `TABLE`, then fields, between tabs.

use crate::MOST;
use crate::parallel::two_threads_run_in_parallel;
use crate::questions::{Candidate, Replayed, Sample, least};
use crate::run::Threads;
use tierpool_traces::{Event, Trace};

/// Moments at which the heap is looked at.
const SAMPLES: usize = 200;

fn percent_of_requests(hits: f64, trace: &Trace) -> f64 {
    let requests = trace.events().filter(|event| matches!(event, Event::Alloc { .. })).count();
    100.0 * hits / requests as f64
}

/// `memory`: heap, front, bytes of the pool, least memory in which the trace completes; `tiers`
/// with the tiers of fitted pools.
pub fn memory(candidates: &[Box<dyn Candidate>], trace: &Trace) {
    for candidate in candidates {
        eprintln!("least memory: {}, {}", candidate.heap(), candidate.front());
        let least =
            least(&**candidate, trace, MOST).map_or("more".into(), |bytes| bytes.to_string());
        println!(
            "memory\t{}\t{}\t{}\t{least}",
            candidate.heap(),
            candidate.front(),
            candidate.pool_bytes()
        );
        println!("tiers\t{}\t{}\t{}", candidate.heap(), candidate.front(), candidate.tiers());
    }
}

/// `equal`: KiB, heap, front, hit rate, failed allocations, largest free block at the end and the
/// least it was, fragmentation on average and at most; `sample`: KiB, heap, front, event,
/// fragmentation.
pub fn equal(candidates: &[Box<dyn Candidate>], trace: &Trace, bytes: usize) {
    for candidate in candidates {
        let kib = bytes >> 10;
        eprintln!("in {kib} KiB: {}, {}", candidate.heap(), candidate.front());
        let name = format!("{kib}\t{}\t{}", candidate.heap(), candidate.front());
        let (Some(Replayed { outcome, hits }), Some(samples)) =
            (candidate.run(bytes, trace, Threads::One), candidate.sampled(bytes, trace, SAMPLES))
        else {
            println!("equal\t{name}\tthe pool takes more\t\t\t\t\t");
            continue;
        };
        let fragmentation = || samples.iter().map(Sample::fragmentation);
        let mean = fragmentation().sum::<f64>() / samples.len() as f64;
        let most = fragmentation().fold(0.0, f64::max);
        let at_end = samples.last().map_or(0, |sample| sample.largest);
        let least = samples.iter().map(|sample| sample.largest).min().unwrap_or(0);
        let hits = percent_of_requests(hits as f64, trace);
        println!(
            "equal\t{name}\t{hits:.1} %\t{}\t{at_end}\t{least}\t{mean:.1} %\t{most:.1} %",
            outcome.failed
        );
        for sample in &samples {
            println!("sample\t{name}\t{}\t{:.2}", sample.event, sample.fragmentation());
        }
    }
}

/// `time`: threads, heap, front, median, minimum and maximum of the ratio to the heap alone,
/// milliseconds of the heap alone, rounds; then, on average over all rounds, hit rate and failed
/// allocations. All candidates run in every round. Before a round of two threads it is measured
/// whether they run in parallel; if not, its times do not count.
pub fn time(candidates: &[Box<dyn Candidate>], trace: &Trace, bytes: usize, rounds: usize) {
    let modes = [
        ("one", Threads::One),
        ("two", Threads::Two),
        ("two, half handed over", Threads::TwoHandedOver),
    ];
    for (name, threads) in modes {
        let (mut all, mut timed): (Vec<Vec<Replayed>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        while timed.len() < rounds && all.len() < 3 * rounds {
            eprintln!(
                "time, {name}: round {}, {} of {rounds} in parallel",
                all.len() + 1,
                timed.len()
            );
            let parallel = threads == Threads::One || two_threads_run_in_parallel();
            let round: Vec<Replayed> = candidates
                .iter()
                .filter_map(|candidate| candidate.run(bytes, trace, threads))
                .collect();
            if parallel {
                timed.push(
                    round
                        .iter()
                        .map(|replayed| replayed.outcome.time.as_secs_f64() * 1e3)
                        .collect(),
                );
            }
            all.push(round);
        }
        for (index, candidate) in candidates.iter().enumerate() {
            let alone = candidates
                .iter()
                .position(|other| other.heap() == candidate.heap())
                .unwrap_or(index);
            let times = match spread(timed.iter().map(|round| round[index] / round[alone])) {
                Some([median, min, max]) => {
                    let [ms, ..] =
                        spread(timed.iter().map(|round| round[alone])).unwrap_or_default();
                    format!("{median:.2}\t{min:.2}\t{max:.2}\t{ms:.1}")
                }
                None => "not parallel\t\t\t".into(),
            };
            let sum = |count: fn(&Replayed) -> u64| {
                all.iter().map(|round| count(&round[index])).sum::<u64>() as f64 / all.len() as f64
            };
            let hits = percent_of_requests(sum(|replayed| replayed.hits), trace);
            let failed = sum(|replayed| replayed.outcome.failed);
            let name = format!("{name}\t{}\t{}", candidate.heap(), candidate.front());
            println!("time\t{name}\t{times}\t{}\t{hits:.1} %\t{failed:.0}", timed.len());
        }
    }
}

/// Median, minimum, maximum.
fn spread(values: impl Iterator<Item = f64>) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some([last / 2, 0, last].map(|index| values[index]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn spread() {
        assert_eq!(super::spread([3.0, 1.0, 2.0].into_iter()), Some([2.0, 1.0, 3.0]));
        assert_eq!(super::spread(std::iter::empty()), None);
    }
}

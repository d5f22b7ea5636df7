//! The sizes that a running pool is asked for: the feature `histogram`.
//!
//! ```text
//!   bytes    1 ─ 4 ─ 8 ─ … ─ 32 ─ 36 ─ 40 ─ … ─ 64 ─ 72 ─ 80 ─ … ─ 128 ─ 144 ─ … ─ 65 536 ─ larger
//!            └ steps of 4 ────┘  └ eight steps to each doubling: none wider than an eighth ┘
//!   counts   [ · ][ · ] … one 32-bit word each, 97 in all
//! ```
//!
//! It does not record how long buffers live, because a free does not know the size that was asked
//! for. But each tier knows how many of its slots were off the list at once (its peak). From the
//! sizes and the peaks, `tierpool fit` finds tiers that fit better.

use core::fmt;

use crate::pool::stats::Stats;
use crate::protocol::atomics::{AtomicU32, Relaxed};

/// Sizes up to this many bytes are counted in steps of [`FINE_STEP`] bytes.
const FINE: usize = 32;
/// The width of a bucket up to [`FINE`], in bytes.
const FINE_STEP: usize = 4;
/// Above it, every doubling has this many steps.
const STEPS: usize = 8;
/// The number of doublings from [`FINE`] to the largest size of a slot.
const DOUBLINGS: usize = (crate::limits::MAX_SIZE / FINE).ilog2() as usize;
/// The number of buckets. The last one is for requests larger than any slot.
const BUCKETS: usize = FINE / FINE_STEP + DOUBLINGS * STEPS + 1;

/// The bucket of a request for `size` bytes.
#[inline(always)]
fn bucket(size: usize) -> usize {
    // Sizes are counted from 0 here, so that a bucket ends with its round size.
    let last = size.saturating_sub(1);
    if last < FINE {
        return last / FINE_STEP;
    }
    let doubling = last.ilog2() - FINE.ilog2();
    let step = (last >> (doubling + FINE.ilog2() - STEPS.ilog2())) % STEPS;
    (FINE / FINE_STEP + doubling as usize * STEPS + step).min(BUCKETS - 1)
}

/// The largest size in a bucket. None for the last one.
fn largest_in(bucket: usize) -> Option<usize> {
    let Some(coarse) = bucket.checked_sub(FINE / FINE_STEP) else {
        return Some((bucket + 1) * FINE_STEP);
    };
    let width = FINE << (coarse / STEPS);
    (bucket < BUCKETS - 1).then(|| width + (coarse % STEPS + 1) * width / STEPS)
}

/// The counts of a pool by size. All are zero at start.
#[derive(Debug)]
pub(crate) struct SizeCounts([AtomicU32; BUCKETS]);

impl SizeCounts {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        SizeCounts([const { AtomicU32::new(0) }; BUCKETS])
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        SizeCounts(core::array::from_fn(|_| AtomicU32::new(0)))
    }

    /// Counts one request.
    #[inline(always)]
    pub(crate) fn count(&self, size: usize) {
        if let Some(count) = self.0.get(bucket(size)) {
            // Relaxed: a count publishes nothing.
            count.fetch_add(1, Relaxed);
        }
    }

    /// Reads all counts. Each is possible, but they are not of the same moment.
    pub(crate) fn read(&self) -> [u32; BUCKETS] {
        // Relaxed: each value is only a count, see above.
        core::array::from_fn(|bucket| self.0[bucket].load(Relaxed))
    }
}

/// The sizes that a pool was asked for, with its statistics, from
/// [`Pool::histogram`](crate::Pool::histogram).
///
/// `{}` prints lines that the command `tierpool fit` reads (`cargo install tierpool-cli`). Save them
/// from the log of a running device. The command then prints the `pool!` line that serves the same
/// requests best.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 4, 512 x 2]; }
/// let held = [POOL.alloc(20)?, POOL.alloc(24)?, POOL.alloc(500)?];
///
/// let histogram = POOL.histogram();
/// assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(20, 1), (24, 1), (512, 1)]);
/// let lines = [
///     "tierpool histogram 1",
///     "tier 64 4 2 2 0",   // bytes, slots, peak, served, missed
///     "tier 512 2 1 1 0",
///     "size 20 1",         // at most so many bytes, requests
///     "size 24 1",
///     "size 512 1",
///     "larger 0",          // requests for more than 65 536 bytes
/// ];
/// assert_eq!(histogram.to_string(), lines.join("\n"));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Histogram {
    /// Requests per bucket, modulo 2^32.
    counts: [u32; BUCKETS],
    /// The statistics of the pool, taken right before the counts.
    stats: Stats,
}

impl Histogram {
    pub(crate) fn new(counts: [u32; BUCKETS], stats: Stats) -> Self {
        Histogram { counts, stats }
    }

    /// The sizes that were asked for, in rising order: the largest size of each bucket in bytes,
    /// and the requests of the bucket, modulo 2^32. Buckets without a request are left out.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let all = self.counts.iter().enumerate();
        all.filter(|(_, count)| **count > 0)
            .filter_map(|(bucket, count)| Some((largest_in(bucket)?, *count)))
    }

    /// The requests for more than 65 536 bytes, modulo 2^32.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn larger(&self) -> u32 {
        self.counts[BUCKETS - 1]
    }

    /// The statistics of the pool, taken right before the counts.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tierpool histogram 1")?;
        for tier in self.stats.tiers() {
            write!(
                f,
                "tier {} {} {} {} {}",
                tier.size, tier.slots, tier.peak, tier.served, tier.missed
            )?;
            if tier.lanes > 1 {
                write!(f, " lanes {}", tier.lanes)?; // so that nobody takes the peak for one
            }
            writeln!(f)?;
        }
        for (size, requests) in self.buckets() {
            writeln!(f, "size {size} {requests}")?;
        }
        write!(f, "larger {}", self.larger())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "numbers without a pointer")]
    fn every_size_lies_in_its_bucket() {
        let mut first = 0;
        for bucket in 0..BUCKETS - 1 {
            let largest = largest_in(bucket).unwrap();
            let mut sizes =
                (first..=largest).step_by(if cfg!(miri) { 500 } else { 1 }).chain([largest]);
            assert!(sizes.all(|size| super::bucket(size) == bucket), "{bucket}");
            assert!(
                largest + 1 - first.max(1) <= FINE_STEP.max(first / STEPS),
                "{first}..={largest}"
            );
            first = largest + 1;
        }
        assert_eq!(first, 65_537);
        assert_eq!(bucket(first), BUCKETS - 1);
        assert_eq!(bucket(usize::MAX), BUCKETS - 1);
        assert_eq!(BUCKETS, 97);
        assert_eq!(largest_in(BUCKETS - 1), None);
    }
}

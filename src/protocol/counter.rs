//! A 64-bit count from two 32-bit words, for events off the hot path.
//!
//! ```text
//!   low    b x x x … x     the count modulo 2^32; its top bit is b
//!   flips  n               how often b has changed
//! ```
//!
//! Whoever flips `b` bumps `flips`, so the two agree (`flips` is odd exactly while `b` is set) except between
//! the two additions; a reader that finds them in disagreement adds the missing one. A tier's head counts its
//! pops in the same way, with the tag for `low` ([`extend`]), so served requests cost the hot path nothing.
//!
//! The disagreement must have this one cause. So the low word may be younger than `flips`, by one flip, but
//! never older: who sees a flip counted sees the word that flipped (Release in the one, Acquire in the other).
//! A low word that is younger by two flips is a matter of time alone: half a turn has passed, and an updater was
//! suspended between its additions, or the reader between its loads, which then finds `flips` changed.

use crate::protocol::atomics::{Acquire, AtomicU32, Relaxed, Release, const_unless_loom};

/// Joins a counter of `width` bits with the number of times its top bit has flipped.
///
/// Off by 2^width only while an updater has been suspended between its two additions for a whole half turn.
pub(crate) fn extend(low: u64, width: u32, flips: u32) -> u64 {
    let half = 1u64 << (width - 1);
    let top = u32::from(low & half != 0);
    let flips = u64::from(flips) + u64::from(flips & 1 != top);
    flips.wrapping_mul(half).wrapping_add(low & (half - 1))
}

/// See the module.
#[derive(Debug)]
pub struct Counter {
    low: AtomicU32,
    flips: AtomicU32,
}

impl Counter {
    const_unless_loom! {
        /// Zero.
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self {
            Counter { low: AtomicU32::new(0), flips: AtomicU32::new(0) }
        }
    }

    /// Counts one event.
    pub fn bump(&self) {
        self.add(1);
    }

    /// Counts fewer than 2^31 events.
    #[cold]
    #[inline(never)]
    pub fn add(&self, events: u32) {
        // Relaxed: a count publishes nothing, and the Release below is enough for what a reader makes of it.
        let old = self.low.fetch_add(events, Relaxed);
        if (old ^ old.wrapping_add(events)) >> 31 != 0 {
            // Release: pairs with the Acquire of `get`: whoever sees the flip counted sees the word that has flipped. The
            // reader mends the moment in between by parity.
            self.flips.fetch_add(1, Release);
        }
    }

    /// The events so far.
    pub fn get(&self) -> u64 {
        loop {
            // Acquire: pairs with the Release of `add`: the low word is not older than the last flip that is counted here.
            let flips = self.flips.load(Acquire);
            // Relaxed: it may be younger by one flip, which the parity tells.
            let low = self.low.load(Relaxed);
            // Relaxed: only compared; it finds that half a turn has passed since the first load, and needs no order for that.
            if self.flips.load(Relaxed) == flips {
                return extend(low.into(), 32, flips);
            }
        }
    }
}

/// For models: the low word and the flips of a counter of `width` bits whose top bit has flipped `flips` times, and does so again
/// after `left` events.
#[cfg(loom)]
pub(crate) fn before_flip(width: u32, flips: u32, left: u32) -> (u64, u32) {
    let half = 1u64 << (width - 1);
    (half.wrapping_mul(u64::from(flips) + 1).wrapping_sub(left.into()) & (half | half - 1), flips)
}

#[cfg(loom)]
impl Counter {
    /// For models: as if so much had been counted, see [`before_flip`].
    pub fn begin_before_flip(&self, flips: u32, left: u32) {
        let (low, flips) = before_flip(32, flips, left);
        // Relaxed, both: before the threads of the model begin.
        self.low.store(low as u32, Relaxed);
        self.flips.store(flips, Relaxed);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn counts_past_the_low_word() {
        let counter = Counter { low: AtomicU32::new(u32::MAX - 1), flips: AtomicU32::new(1) };
        let before = counter.get();
        assert_eq!(before, u64::from(u32::MAX) - 1);
        for n in 1..=4 {
            counter.bump();
            assert_eq!(counter.get(), before + n);
        }
    }

    #[test]
    fn counts_many_at_once() {
        let counter = Counter { low: AtomicU32::new(0), flips: AtomicU32::new(0) };
        for n in 1..=5 {
            counter.add(0x7FFF_FFFF);
            assert_eq!(counter.get(), n * 0x7FFF_FFFF);
        }
    }

    #[test]
    fn a_reader_between_additions_sees_the_count() {
        assert_eq!(extend(1 << 31, 32, 0), 1 << 31);
        assert_eq!(extend(0, 32, 1), 1 << 32);
        assert_eq!(extend(5, 4, 2), 16 + 5);
    }
}

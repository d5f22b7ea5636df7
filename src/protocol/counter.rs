//! A 64-bit count made of two 32-bit words, for events off the hot path.
//!
//! ```text
//!   low    b x x x … x     the count modulo 2^32; its top bit is b
//!   flips  n               how often b has changed
//! ```
//!
//! An updater that flips `b` also adds one to `flips`. So the two words agree: `flips` is odd
//! exactly while `b` is set. They disagree only between the two additions. A reader that finds them
//! in disagreement adds the missing flip. The head of a tier counts its pops in the same way, with
//! the tag as `low` (see [`extend`]). So counting the served requests costs the hot path nothing.
//!
//! The disagreement must have this one cause. So the low word may be newer than `flips` by one
//! flip, but it is never older. A reader that sees a counted flip also sees the word that flipped:
//! the addition is Release, the load is Acquire.
//!
//! The low word can be newer by two flips only if half a turn has passed meanwhile. Then an updater
//! was suspended between its two additions, or the reader was suspended between its loads. In the
//! second case the reader finds that `flips` has changed, and reads again.

use crate::protocol::atomics::{Acquire, AtomicU32, Relaxed, Release, const_unless_loom};

/// Joins a counter of `width` bits with the number of times that its top bit has flipped.
///
/// The result is off by 2^width only while an updater has been suspended between its two additions
/// for a whole half turn.
pub(crate) fn extend(low: u64, width: u32, flips: u32) -> u64 {
    let half = 1u64 << (width - 1);
    let top = u32::from(low & half != 0);
    let flips = u64::from(flips) + u64::from(flips & 1 != top);
    flips.wrapping_mul(half).wrapping_add(low & (half - 1))
}

/// A 64-bit count. The module describes how it works.
#[derive(Debug)]
pub struct Counter {
    /// The count modulo 2^32.
    low: AtomicU32,
    /// How often the top bit of `low` has flipped, modulo 2^32.
    flips: AtomicU32,
}

impl Counter {
    const_unless_loom! {
        /// A count of zero.
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self {
            Counter { low: AtomicU32::new(0), flips: AtomicU32::new(0) }
        }
    }

    /// Counts one event.
    pub fn bump(&self) {
        self.add(1);
    }

    /// Counts `events` events, fewer than 2^31.
    #[cold]
    #[inline(never)]
    pub fn add(&self, events: u32) {
        // Relaxed: a count publishes nothing. The Release below is enough for the reader.
        let old = self.low.fetch_add(events, Relaxed);
        if (old ^ old.wrapping_add(events)) >> 31 != 0 {
            // Release: pairs with the Acquire of `get`. A reader that sees the flip counted also
            // sees the word that has flipped. Between the two additions the reader corrects the
            // count by parity.
            self.flips.fetch_add(1, Release);
        }
    }

    /// The number of events so far.
    pub fn get(&self) -> u64 {
        loop {
            // Acquire: pairs with the Release of `add`. The low word is not older than the last
            // flip that is counted here.
            let flips = self.flips.load(Acquire);
            // Relaxed: the word may be newer by one flip. The parity shows that.
            let low = self.low.load(Relaxed);
            // Relaxed: the value is only compared. It shows whether half a turn has passed since
            // the first load. That needs no order.
            if self.flips.load(Relaxed) == flips {
                return extend(low.into(), 32, flips);
            }
        }
    }
}

/// For models: the low word and the flips of a counter of `width` bits. Its top bit has flipped
/// `flips` times, and flips again after `left` events.
#[cfg(loom)]
pub(crate) fn before_flip(width: u32, flips: u32, left: u32) -> (u64, u32) {
    let half = 1u64 << (width - 1);
    (half.wrapping_mul(u64::from(flips) + 1).wrapping_sub(left.into()) & (half | half - 1), flips)
}

#[cfg(loom)]
impl Counter {
    /// For models: sets the count as if so many events had been counted, see [`before_flip`].
    pub fn begin_before_flip(&self, flips: u32, left: u32) {
        let (low, flips) = before_flip(32, flips, left);
        // Relaxed, both: the threads of the model have not started yet.
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

//! Lanes: several free lists for one tier, so that cores do not share a head.
//!
//! ```text
//!   tier of 512 bytes   lane 0: head ─► free ─► …     core 0 begins here    ┐ an empty lane: the request goes on
//!                       lane 1: head ─► free ─► …     core 1 begins here    ┘ to the other one
//!
//!   descriptors         [256, lane 0][256, lane 1][512, lane 0][512, lane 1] …
//! ```
//!
//! A lane has a descriptor of its own, and a handle's owner is that descriptor. So a free goes back
//! to the lane that the slot came from, in the same way as in a pool of one lane.

use core::num::NonZeroUsize;

use crate::pool::Pool;
use crate::pool::stats::TierStats;
use crate::pool::tier::Tier;
use crate::protocol::atomics::HeadWord;
use crate::protocol::free_list::FreeList;
use crate::protocol::slot_state::StateWord;

/// Who says where a request begins. Without `c-hooks` it is a Rust function, and nothing is asked.
#[derive(Clone, Copy, Debug)]
// Without padding, for `build_in_zeros`.
#[cfg_attr(feature = "c-hooks", repr(usize))]
pub(super) enum LaneFunction {
    Rust(fn() -> usize),
    #[cfg(feature = "c-hooks")]
    C(extern "C" fn() -> usize),
}

/// How many lanes a pool has, and who says where a request begins.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    count: NonZeroUsize,
    lane: LaneFunction,
}

impl Lanes {
    /// `count` is 1 to 64. With one lane, `lane` is not asked.
    pub(super) const fn new(count: usize, lane: Option<LaneFunction>) -> Self {
        const fn first() -> usize {
            0
        }
        let count = match NonZeroUsize::new(count) {
            Some(count) => count,
            None => NonZeroUsize::MIN,
        };
        let lane = match lane {
            Some(lane) => lane,
            None => LaneFunction::Rust(first),
        };
        Lanes { count, lane }
    }

    #[inline(always)]
    pub(super) const fn count(&self) -> NonZeroUsize {
        self.count
    }

    #[inline(always)]
    pub(super) fn home(&self) -> usize {
        if self.count.get() == 1 {
            return 0;
        }
        let lane = match self.lane {
            LaneFunction::Rust(lane) => lane(),
            #[cfg(feature = "c-hooks")]
            LaneFunction::C(lane) => lane(),
        };
        lane % self.count
    }
}

/// The lane of this thread: threads are numbered in the order in which they first ask. For
/// [`Config::lane`](crate::Config::lane).
///
/// Interrupt handler: it is for hosts. Cost: a look at thread-local memory.
///
/// ```
/// tierpool::pool! { static POOL = default, lanes = 2, lane = tierpool::thread_lane; }
/// assert!(POOL.alloc(500).is_ok());
/// assert_eq!(tierpool::thread_lane(), tierpool::thread_lane());
/// ```
#[cfg(feature = "std")]
pub fn thread_lane() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        // Relaxed: only the number matters.
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that ends has no number any more: any lane will do.
    LANE.try_with(|lane| *lane).unwrap_or(0)
}

/// All lanes of a tier: from the one in which a request begins to the last, then from the first on.
pub(crate) fn all_around<T>(lanes: &[T], home: usize) -> impl Iterator<Item = &T> {
    let (wrapped, first) = lanes.split_at_checked(home).unwrap_or((&[], lanes));
    first.iter().chain(wrapped)
}

/// A slot of the list, or the head with which it was empty.
#[inline(always)]
pub(crate) fn take_or_empty<S>(
    list: &FreeList<'_>,
    take: impl Fn() -> Option<S>,
) -> Result<S, HeadWord> {
    loop {
        if let Some(slot) = take() {
            return Ok(slot);
        }
        // If not, a slot has just come back.
        if let Some(head) = list.empty_now() {
            return Err(head);
        }
    }
}

impl Pool {
    /// The tiers, each as its lanes.
    pub(super) fn lanes_of_tiers(
        &self,
        tiers: &'static [Tier],
    ) -> impl Iterator<Item = &'static [Tier]> {
        let (mut rest, count) = (tiers, self.lanes.count.get());
        core::iter::from_fn(move || {
            let (lanes, larger) = rest.split_at_checked(count)?;
            rest = larger;
            Some(lanes)
        })
    }

    /// As `take_spilled` of a pool with one lane: a slot of another lane, or of a larger tier.
    ///
    /// The walks are repeated until no head has risen, for the same reason: then all lists were
    /// empty at one moment.
    #[cold]
    #[inline(never)]
    pub(super) fn take_from_lanes(
        &self,
        tiers_fitting: &'static [Tier],
        align: usize,
        initial_state: u32,
    ) -> Option<(&'static StateWord, &'static Tier)> {
        let home = self.home();
        let (mut before, mut again) = (0, false);
        loop {
            let mut sum: HeadWord = 0;
            // A larger tier may be less aligned.
            let may_serve = self.lanes_of_tiers(tiers_fitting).take(self.spill.saturating_add(1));
            for lanes in may_serve.filter(|lanes| lanes.iter().all(|lane| lane.fits(0, align))) {
                for lane in all_around(lanes, home) {
                    let take = || lane.take_out_of_line(initial_state);
                    match take_or_empty(lane.list(), take) {
                        Ok(state) => return Some((state, lane)),
                        Err(head) => sum = sum.wrapping_add(head),
                    }
                }
                if let (Some(lane), false) = (lanes.first(), again) {
                    Self::count_miss(lane);
                }
            }
            if again && sum == before {
                self.state.exhausted.bump();
                return None;
            }
            (before, again) = (sum, true);
        }
    }

    /// The counts of one tier, over all of its lanes.
    pub(super) fn read_lanes(lanes: &[Tier]) -> Option<TierStats> {
        TierStats::read_lanes(lanes.first()?.stride(), lanes.iter().map(|lane| *lane.list()))
    }
}

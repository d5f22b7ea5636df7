//! A magazine: the free slots of one tier that one context keeps for itself, by their state words.
//!
//! ```text
//!   slots    │ 4 │ 7 │ 2 │   │      room for N, `len` of them there; their state words say CACHED
//!                      ▲ len        take and put: at this end, with plain stores
//!              ▲                    give_back: from the other, the slots used longest ago
//!   list     head ──► free ─► …     refill, give_back: one compare-and-swap for many slots
//! ```
//!
//! The name comes from J. Bonwick and J. Adams, "Magazines and Vmem: Extending the Slab Allocator
//! to Many CPUs and Arbitrary Resources", USENIX 2001.

use core::ptr;

#[cfg(feature = "lanes")]
use crate::pool::lanes::all_around;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::StateWord;

/// A slot in a magazine.
#[derive(Clone, Copy, Debug)]
struct Slot {
    state: &'static StateWord,
    /// The lane that it came from. To look for it in each lane would cost more than its place.
    #[cfg(feature = "lanes")]
    lane: &'static Tier,
}

/// The free slots of one tier in a cache. See the module.
#[derive(Debug)]
pub(crate) struct Magazine<const N: usize> {
    /// The tier of the slots, or its first lane. None if this magazine serves nothing.
    tier: Option<&'static Tier>,
    /// All lanes of the tier.
    #[cfg(feature = "lanes")]
    lanes: &'static [Tier],
    /// The magazine serves requests of fewer bytes than this. 0 without a tier.
    limit: u32,
    /// The number of slots in the magazine: 0 to `N`.
    len: u32,
    /// Slots of the tier that this magazine owns. They are on no list, and nothing else owns them.
    /// The first `len` are there, the slot used last at the end.
    slots: [Option<Slot>; N],
}

impl<const N: usize> Magazine<N> {
    /// The number of slots that move between magazine and free list at once.
    pub(crate) const BATCH: usize = N.div_ceil(2);

    /// A magazine that serves nothing.
    pub(crate) const NONE: Self = Magazine {
        tier: None,
        #[cfg(feature = "lanes")]
        lanes: &[],
        limit: 0,
        len: 0,
        slots: [None; N],
    };

    /// An empty magazine for the tier that has these lanes.
    pub(crate) const fn new(lanes: &'static [Tier]) -> Self {
        let Some(tier) = lanes.first() else { return Self::NONE };
        Magazine {
            tier: Some(tier),
            #[cfg(feature = "lanes")]
            lanes,
            limit: tier.stride() as u32 + 1,
            len: 0,
            slots: [None; N],
        }
    }

    /// True if the slots of its tier have room for `capacity` bytes.
    #[inline(always)]
    pub(crate) fn fits(&self, capacity: usize) -> bool {
        capacity < self.limit as usize
    }

    /// True if its slots are slots of this tier.
    #[inline(always)]
    pub(crate) fn is_of(&self, tier: &'static Tier) -> bool {
        let first = self.tier.map_or(ptr::null(), ptr::from_ref);
        // The descriptors of the lanes lie side by side.
        #[cfg(feature = "lanes")]
        return ptr::from_ref(tier).addr().wrapping_sub(first.addr()) < size_of_val(self.lanes);
        #[cfg(not(feature = "lanes"))]
        ptr::eq(first, tier)
    }

    /// The number of slots in it.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Takes the slot that was used last, and marks it as held by handles.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        initial_state: u32,
    ) -> Option<(&'static Tier, &'static StateWord)> {
        let len = self.len.checked_sub(1)?;
        let slot = (*self.slots.get(len as usize)?)?;
        #[cfg(feature = "lanes")]
        let tier = slot.lane;
        #[cfg(not(feature = "lanes"))]
        let tier = self.tier?;
        self.len = len;
        #[cfg(feature = "asan")]
        // SAFETY: a slot of the tier.
        unsafe {
            tier.unpoison(tier.index_of_state(slot.state.into()));
        }
        slot.state.set_held(initial_state);
        Some((tier, slot.state))
    }

    /// Adds a slot. False if the magazine is full: then nothing has been done.
    ///
    /// # Safety
    /// `state` is the state word of a slot of this tier, which is the magazine's or one of its
    /// lanes. The caller owns the slot, and gives it up unless the magazine is full.
    #[inline(always)]
    pub(crate) unsafe fn put(&mut self, _tier: &'static Tier, state: &'static StateWord) -> bool {
        let Some(place) = self.slots.get_mut(self.len as usize) else { return false };
        #[cfg(feature = "asan")]
        // SAFETY: a slot of the tier, by the caller, who gives it up.
        unsafe {
            _tier.poison(_tier.index_of_state(state.into()));
        }
        *place = Some(Slot {
            state,
            #[cfg(feature = "lanes")]
            lane: _tier,
        });
        self.len += 1;
        state.touch_write();
        state.set_cached();
        true
    }

    /// Gives a batch of slots back if the magazine is full.
    pub(crate) fn make_room(&mut self) {
        if self.len() == N {
            self.give_back(Self::BATCH);
        }
    }

    /// Fills an empty magazine with a batch from the free list, or with as many slots as the list
    /// has.
    pub(crate) fn refill(&mut self) {
        debug_assert!(self.len == 0);
        let Some(tier) = self.tier else { return };
        #[cfg(feature = "lanes")]
        if let lanes @ [_, _, ..] = self.lanes {
            for lane in all_around(lanes, tier.pool().home()) {
                if self.len == 0 {
                    self.refill_from(lane);
                }
            }
            return;
        }
        self.refill_from(tier);
    }

    /// Fills an empty magazine from one list.
    #[inline(always)]
    fn refill_from(&mut self, tier: &'static Tier) {
        let list = tier.list();
        let Some((first, count)) = list.pop_chain(Self::BATCH as u32) else { return };
        let mut index = first;
        // The slot on top of the list was used last. So it must be the first that the magazine
        // hands out.
        for place in self.slots.iter_mut().take(count as usize).rev() {
            // SAFETY: the magazine now owns the slots of the chain. Their links are unchanged.
            unsafe {
                let (state, below) = (list.state(index), list.next_of(index));
                *place = Some(Slot {
                    state,
                    #[cfg(feature = "lanes")]
                    lane: tier,
                });
                state.set_cached();
                index = below;
            }
        }
        self.len = count;
    }

    /// Gives up to `most` slots back to the free list, first the slots that were used longest ago.
    /// Wakes the tasks that wait for one.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_back(&mut self, most: usize) {
        #[cfg(feature = "lanes")]
        if let lanes @ [_, _, ..] = self.lanes {
            return self.give_back_to_lanes(lanes, most);
        }
        let count = most.min(self.len());
        let (Some(tier), Some(&[Some(oldest), ref younger @ ..])) =
            (self.tier, self.slots.get(..count))
        else {
            return;
        };
        // The chain ends with the oldest slot. The push writes the link of that one.
        let list = tier.list();
        // SAFETY: the slots of a magazine are slots of its tier.
        let index = |slot: Slot| unsafe { list.index_of(slot.state.into()) };
        let last = index(oldest);
        let mut first = last;
        for &slot in younger.iter().flatten() {
            let above = index(slot);
            // SAFETY: the magazine owns its slots.
            unsafe { list.link_to(above, first) };
            first = above;
        }
        self.slots.copy_within(count.., 0);
        self.len -= count as u32;
        // SAFETY: the magazine owned the slots from `first` to `last`, and does not own them any
        // more.
        unsafe { tier.free_out_of_line(first, last) }
    }
}

#[cfg(feature = "lanes")]
impl<const N: usize> Magazine<N> {
    /// As `give_back`: a chain for each lane. What the others keep stays in order, also if the hook
    /// of a push panics.
    fn give_back_to_lanes(&mut self, lanes: &'static [Tier], mut most: usize) {
        for lane in lanes {
            let list = lane.list();
            let (mut chain, mut kept) = (None, 0);
            for at in 0..self.len() {
                let Some(&Some(slot)) = self.slots.get(at) else { continue };
                if most > 0 && ptr::eq(slot.lane, lane) {
                    most -= 1;
                    // SAFETY: a slot of this list, and the magazine's own.
                    unsafe {
                        let index = list.index_of(slot.state.into());
                        chain = Some(match chain {
                            None => (index, index),
                            Some((first, last)) => {
                                list.link_to(index, first);
                                (index, last)
                            }
                        });
                    }
                } else if let Some(place) = self.slots.get_mut(kept) {
                    *place = Some(slot);
                    kept += 1;
                }
            }
            self.len = kept as u32;
            if let Some((first, last)) = chain {
                // SAFETY: the slots from `first` to `last` were this magazine's, and are so no
                // more.
                unsafe { lane.free_out_of_line(first, last) }
            }
        }
    }
}

/// Each magazine gives its slots back in its own drop. So if the hook of the pool panics in one of
/// them, the others still give their slots back.
impl<const N: usize> Drop for Magazine<N> {
    fn drop(&mut self) {
        self.give_back(N);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::Magazine;
    use crate::pool::Pool;
    use crate::protocol::free_list::LOST;
    use std::string::String;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
    use std::time::{Duration, Instant};
    use std::{format, print, thread};

    /// The cost of refills, measured one by one.
    struct Refills {
        lost: Spread,
        nanoseconds: Spread,
        slots: u64,
        tries: u32,
    }

    #[derive(Default)]
    struct Spread {
        sum: u64,
        worst: u64,
    }

    impl Spread {
        fn add(&mut self, value: u64) {
            self.sum += value;
            self.worst = self.worst.max(value);
        }
    }

    /// Fills an empty magazine `tries` times. Meanwhile another thread takes a slot and gives it
    /// back as fast as it can.
    fn refills<const N: usize>(pool: &'static Pool, tries: u32, limit: Duration) -> Refills {
        let mut refills =
            Refills { lost: Spread::default(), nanoseconds: Spread::default(), slots: 0, tries: 0 };
        let (turns, done) = (AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    drop(pool.alloc(64));
                    turns.fetch_add(1, Relaxed);
                }
            });
            let mut magazine = Magazine::<N>::new(&pool.tiers[..1]);
            let begin = Instant::now();
            while refills.tries < tries && begin.elapsed() < limit {
                refills.tries += 1;
                // Wait until the other thread is at work, and not suspended by a busy machine.
                let seen = turns.load(Relaxed);
                while turns.load(Relaxed).wrapping_sub(seen) < 8 {
                    thread::yield_now();
                }
                LOST.set(0);
                let start = Instant::now();
                magazine.refill();
                refills.nanoseconds.add(start.elapsed().as_nanos() as u64);
                refills.lost.add(LOST.get().into());
                refills.slots += magazine.len() as u64;
                magazine.give_back(N);
            }
            done.store(true, Relaxed);
        });
        refills
    }

    /// If the whole walk were done again after each lost swap, a cache of 256 slots would lose up
    /// to two thousand swaps. With a walk that is halved each time, it loses seven, and a few more
    /// in the plain pop that is left.
    #[test]
    #[cfg_attr(miri, ignore = "a race for seconds")]
    fn a_refill_does_not_starve() {
        crate::pool! { static POOL = [64 x 1022]; }
        let refills = refills::<256>(&POOL, 2_000, Duration::from_secs(3));
        assert!(
            refills.lost.worst <= 64,
            "{} swaps lost in one refill of {}",
            refills.lost.worst,
            refills.tries
        );
        assert!(
            refills.slots >= u64::from(refills.tries),
            "a slot at least: the list is never empty"
        );
    }

    /// Prints the table of `docs/benchmarks.md`. Run it by
    /// `cargo test --release --lib refills_beside -- --ignored --nocapture`, and once more with
    /// `RUSTFLAGS="--cfg tierpool_narrow_head"`.
    #[test]
    #[ignore = "a measurement"]
    fn refills_beside_a_busy_thread() {
        crate::pool! { static POOL = [64 x 1022]; }
        fn row<const N: usize>() -> String {
            let it = refills::<N>(&POOL, 20_000, Duration::from_secs(20));
            let mean = |sum: u64| sum as f64 / f64::from(it.tries);
            let time = |nanoseconds: f64| format!("{:.1}", nanoseconds / 1000.0);
            let (lost, worst, slots) = (mean(it.lost.sum), it.lost.worst, mean(it.slots));
            let (usual, longest) =
                (time(mean(it.nanoseconds.sum)), time(it.nanoseconds.worst as f64));
            format!("| {N} | {lost:.1} | {worst} | {slots:.1} | {usual} | {longest} |\n")
        }
        let head = crate::protocol::atomics::HeadWord::BITS;
        print!(
            "head of {head} bits, {} threads\n\n",
            thread::available_parallelism().map_or(1, usize::from)
        );
        print!(
            "| cache of | swaps lost, mean | worst | slots got, mean | us, mean | worst |\n|---:|---:|---:|---:|---:|---:|\n"
        );
        print!("{}{}{}{}", row::<16>(), row::<64>(), row::<256>(), row::<1022>());
    }
}

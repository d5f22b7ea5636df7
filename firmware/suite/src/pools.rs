//! The pools under test, and what must hold of a pool when nobody uses it.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering::*};
use tierpool::{AllocError, Bytes};

// So few slots that two cores meet in every list and often find it empty; so small ones that a test
// spends its time in the pool and not on canaries.
#[cfg(not(feature = "lanes"))]
tierpool::pool! { pub static SMALL = [32 x 4, 64 x 4, 128 x 2], spill = 1; }
// The same, a lane for each core. A lane has one or two slots, so that the cores meet in both.
#[cfg(feature = "lanes")]
tierpool::pool! {
    pub static SMALL = [32 x 4, 64 x 4, 128 x 2], spill = 1, lanes = 2, lane = harness::board::core;
}

/// The sizes and slots of [`SMALL`].
pub const TIERS: [(usize, usize); 3] = [(32, 4), (64, 4), (128, 2)];
/// All slots of [`SMALL`].
pub const SLOTS: usize = 10;
/// The largest request that [`SMALL`] can serve.
pub const LARGEST: usize = 128;

/// What both cores asked of [`SMALL`] since the test began, and what they were told.
static SERVED: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);
/// Writes through `make_mut` that needed no copy: perhaps because it was refused one, and then
/// found that the other sharer had gone.
static IN_PLACE: AtomicU32 = AtomicU32::new(0);

/// Counts one answer of the pool.
pub fn count<T>(answer: Result<T, AllocError>) -> Option<T> {
    match answer {
        Ok(value) => {
            SERVED.fetch_add(1, Relaxed);
            Some(value)
        }
        Err(AllocError::Exhausted) => {
            REFUSED.fetch_add(1, Relaxed);
            None
        }
        Err(other) => panic!("unexpected {other:?}"),
    }
}

/// `make_mut`, counted; panics unless a failure leaves the bytes where they are.
pub fn make_mut(bytes: &mut Bytes) -> Option<&mut [u8]> {
    let (address, empty) = (bytes.as_ptr(), bytes.is_empty());
    let answer = bytes.make_mut().map(|slice| &raw mut *slice);
    if empty {
        return None; // nothing to write, nothing was allocated
    }
    if answer.is_ok() && bytes.as_ptr() == address {
        IN_PLACE.fetch_add(1, Relaxed);
    } else if count(answer).is_none() {
        assert_eq!(bytes.as_ptr(), address, "a failed copy moved the bytes");
    }
    // SAFETY: the slice that `make_mut` has just returned; `bytes` stays borrowed as long as it.
    answer.ok().map(|slice| unsafe { &mut *slice })
}

/// Any layout that [`SMALL`] serves.
pub fn layout(size: usize) -> Layout {
    match Layout::from_size_align(size, 4) {
        Ok(layout) => layout,
        Err(_) => panic!("no layout of {size} bytes"),
    }
}

/// Counters of the pool, to compare with the tests' own.
#[derive(Clone, Copy)]
pub struct Snapshot {
    served: u32,
    exhausted: u32,
}

/// Starts counting.
pub fn begin() -> Snapshot {
    SERVED.store(0, Relaxed);
    REFUSED.store(0, Relaxed);
    IN_PLACE.store(0, Relaxed);
    snapshot()
}

fn snapshot() -> Snapshot {
    let stats = SMALL.stats();
    Snapshot { served: stats.hits() as u32, exhausted: stats.exhausted() as u32 }
}

/// While nobody holds a buffer: the statistics agree with what was asked since `before`.
pub fn check_statistics(before: Snapshot) {
    let now = snapshot();
    let stats = SMALL.stats();
    for (tier, (size, slots)) in stats.tiers().iter().zip(TIERS) {
        assert_eq!(tier.size, size);
        assert_eq!(tier.slots, slots);
        assert!(tier.exact && tier.in_use == 0, "{} of {size} in use", tier.in_use);
        assert!(tier.peak <= slots, "peak {}", tier.peak);
    }
    assert_eq!(stats.requests(), stats.hits() + stats.misses(), "requests");
    assert_eq!(now.served.wrapping_sub(before.served), SERVED.load(Relaxed), "served");
    let refused = now.exhausted.wrapping_sub(before.exhausted).wrapping_sub(REFUSED.load(Relaxed));
    assert!(refused <= IN_PLACE.load(Relaxed), "{refused} requests refused that nobody made");
}

/// While nobody holds a buffer: every slot is in its list, once.
pub fn check_lists() {
    let mut held = [NonNull::<u8>::dangling(); SLOTS];
    let mut taken = 0;
    tierpool_testkit::take_all(&SMALL, |slot| {
        let (slot, size) = (slot.cast(), slot.len());
        assert!(
            taken < SLOTS && !held[..taken].contains(&slot),
            "a slot of {size} bytes is in its list twice"
        );
        held[taken] = slot;
        taken += 1;
    });
    assert!(taken == SLOTS, "a slot is lost: {taken} of {SLOTS} are in their lists");
    SERVED.fetch_add(SLOTS as u32, Relaxed);
    // Each tier has been asked until it had none.
    REFUSED.fetch_add(TIERS.len() as u32, Relaxed);
    // SAFETY: taken above, and not used any more.
    unsafe { tierpool_testkit::give_back(&SMALL, held.into_iter()) };
    assert!(SMALL.is_idle(), "not idle");
}

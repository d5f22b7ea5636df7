//! The check that all slots of a pool are home.

use core::alloc::Layout;
use core::ptr::NonNull;
use tierpool::Pool;

/// Panics if a buffer has not come home, or if the statistics contradict each other.
#[track_caller]
pub fn assert_all_home(pool: &'static Pool) {
    pool.reclaim();
    let stats = pool.stats();
    assert!(pool.is_idle(), "not idle:\n{stats:#}");
    assert_eq!(stats.fallback_live(), 0);
    assert!(stats.fallbacks() <= stats.misses());
    for tier in stats.tiers() {
        assert!(tier.exact && tier.in_use == 0, "{tier:?}");
        // A batch of a cache is served as one.
        assert!(tier.peak <= tier.slots && (tier.peak > 0) == (tier.served > 0), "{tier:?}");
        assert!(
            tier.missed == 0 || tier.peak == tier.slots,
            "a tier is found empty only after it was full: {tier:?}"
        );
    }
}

/// Takes every slot that can be taken, those of the largest tier first, so that none spills.
pub fn take_all(pool: &'static Pool, mut each: impl FnMut(NonNull<[u8]>)) {
    for tier in pool.stats().tiers().iter().rev() {
        let Ok(layout) = Layout::from_size_align(tier.size, 1) else {
            panic!("a tier's size is one of a layout")
        };
        while let Ok(slot) = pool.allocate(layout) {
            each(slot);
        }
    }
}

/// Gives back what [`take_all`] has taken: in the opposite order, so that the lists are as before.
///
/// # Safety
/// The slots are the caller's own, and are not used any more.
pub unsafe fn give_back(pool: &'static Pool, slots: impl DoubleEndedIterator<Item = NonNull<u8>>) {
    for slot in slots.rev() {
        // SAFETY: the caller's promise.
        let freed = unsafe { pool.deallocate(slot) };
        assert!(freed.is_ok(), "a raw slot can be freed");
    }
}

//! The reserve: slots that plain requests never get; and the hook for a tier that runs dry.
//!
//! ```text
//!   tiers      [256][512][1514]      plain requests, and `alloc_reserved` first
//!   reserves               [1514]    `alloc_reserved` alone
//! ```
//!
//! A reserve is a tier of its own, which the walk of a plain request does not know. So a plain
//! request costs what it did. A handle's owner is its descriptor, so a reserved slot goes home in
//! the same way as any other slot.

use crate::pool::Pool;
use crate::pool::stats::{ReserveStats, Stats};
use crate::pool::tier::{Slot, Tier};

/// The hook for a tier that runs dry. Without the C interface it is one function, and as large as
/// that.
#[derive(Clone, Copy, Debug)]
// Without padding, for `build_in_zeros`, and the tag at its start.
#[cfg_attr(feature = "c-hooks", repr(usize))]
pub(crate) enum LowHook {
    Rust(fn(&'static Pool, usize)),
    #[cfg(feature = "c-hooks")]
    C(extern "C" fn(&'static Pool, usize)),
}

impl LowHook {
    /// Calls it with the bytes of a slot of the tier.
    fn call(self, pool: &'static Pool, bytes: usize) {
        match self {
            LowHook::Rust(hook) => hook(pool, bytes),
            #[cfg(feature = "c-hooks")]
            LowHook::C(hook) => hook(pool, bytes),
        }
    }
}

impl Pool {
    /// Takes a slot where the list that a request began with is empty: from another plain list that
    /// may serve it, or else from a reserve. The caller counts the miss of the first tier once it
    /// holds the slot, because that may call a hook.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_reserved(
        &'static self,
        fitting: &'static [Tier],
        size: usize,
        align: usize,
    ) -> Option<Slot> {
        let plain = self.candidates(fitting, size, align);
        let reserved = self.reserves().iter().filter(|tier| tier.fits(size, align));
        plain.chain(reserved).find_map(|tier| tier.take(self.initial_state))
    }

    /// Calls the hook `on_low`, unless it was called for this tier since the tier has last served.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_low(&'static self, tier: &'static Tier) {
        let Some(hook) = self.on_low else { return };
        // The lanes of the tier lie among the tiers of its size.
        let lists = self.tiers.iter().filter(|other| other.stride() == tier.stride());
        let served = lists.fold(0, |sum: u32, lane| sum.wrapping_add(lane.list().served_now()));
        if tier.list().runs_dry_after(served) {
            hook.call(self, tier.stride());
        }
    }

    /// Adds the counts of the reserves to those of their tiers.
    pub(super) fn add_reserves(&self, stats: &mut Stats) {
        for tier in self.reserves() {
            let list = tier.list();
            let (in_use, _, _) = list.hands();
            stats.set_reserve(
                tier.stride(),
                ReserveStats {
                    slots: list.slots() as usize,
                    in_use: in_use as usize,
                    peak: list.peak() as usize,
                    served: list.served(),
                },
            );
        }
    }
}

//! The pools of all inputs. A pool of C's is for ever, so they are made once, and idle between
//! inputs.

use std::alloc::{Layout, alloc_zeroed};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::LazyLock;
use tierpool_capi::error::tierpool_error::{self, *};
use tierpool_capi::geometry::{
    tierpool_geometry, tierpool_layout, tierpool_layout_of, tierpool_tier,
};
use tierpool_capi::init::{tierpool_init, tierpool_memory, tierpool_pool};
use tierpool_capi::raw::{tierpool_alloc, tierpool_free};
use tierpool_capi::stats::{tierpool_stats, tierpool_stats_read};

/// A slot, by its address and size.
pub type Slot = (usize, usize);

pub struct Made {
    pub pool: *mut tierpool_pool,
    pub slots: Vec<Slot>,
    spill: usize,
}

// SAFETY: all functions on a pool may be called from any thread.
unsafe impl Send for Made {}
// SAFETY: the same.
unsafe impl Sync for Made {}

/// Few slots; one alone, several sizes, odd ones, and one that takes long to copy.
pub static POOLS: LazyLock<[Made; 4]> = LazyLock::new(|| {
    [
        Made::new(&[(64, 1)], 0, 1, false),
        Made::new(&[(16, 2), (64, 2)], 1, 1, false),
        Made::new(&[(4096, 3)], 0, 1, true),
        Made::new(&[(10, 2), (24, 3), (200, 2)], 1, 16, false),
    ]
});

impl Made {
    fn new(tiers: &[(usize, usize)], spill: usize, align: usize, zero_on_free: bool) -> Made {
        let tiers: Vec<_> =
            tiers.iter().map(|&(bytes, slots)| tierpool_tier { bytes, slots }).collect();
        let geometry = tierpool_geometry {
            tiers: tiers.as_ptr(),
            tier_count: tiers.len(),
            align,
            spill,
            zero_on_free,
            lanes: 0,
            lane: None,
            on_free: None,
            on_low: None,
            reserved: null(),
            fallback: null(),
        };
        let mut layout = tierpool_layout::default();
        let mut pool = null_mut();
        // SAFETY: geometry and results are valid; the memory is as long and aligned as asked for,
        // and never given back.
        unsafe {
            assert_eq!(tierpool_layout_of(&geometry, &mut layout), TIERPOOL_OK);
            let part = |bytes, align| {
                alloc_zeroed(Layout::from_size_align(bytes, align).unwrap()).cast::<c_void>()
            };
            let memory = tierpool_memory {
                control: part(layout.control_bytes, layout.control_align),
                control_bytes: layout.control_bytes,
                payload: part(layout.payload_bytes, layout.payload_align),
                payload_bytes: layout.payload_bytes,
                zeroed: true,
            };
            assert_eq!(tierpool_init(&geometry, &memory, &mut pool), TIERPOOL_OK);
        }
        let mut made = Made { pool, slots: Vec::new(), spill };
        made.find_slots();
        made
    }

    /// All slots, by taking them, those of the largest tier first.
    fn find_slots(&mut self) {
        let stats = self.stats();
        for tier in stats.tiers[..stats.tier_count].iter().rev() {
            let mut memory = null_mut();
            // SAFETY: a pool, and a place for the result.
            while unsafe { tierpool_alloc(self.pool, tier.bytes, 1, &mut memory) } == TIERPOOL_OK {
                self.slots.push((memory.addr(), tier.bytes));
            }
        }
        for slot in &self.slots {
            // SAFETY: taken above.
            assert_eq!(unsafe { tierpool_free(self.pool, slot.0 as *mut c_void) }, TIERPOOL_OK);
        }
    }

    fn stats(&self) -> tierpool_stats {
        let mut stats = tierpool_stats::default();
        // SAFETY: a pool, and a place for the result.
        assert_eq!(unsafe { tierpool_stats_read(self.pool, &mut stats) }, TIERPOOL_OK);
        stats
    }

    pub fn in_use(&self) -> usize {
        let stats = self.stats();
        stats.tiers[..stats.tier_count].iter().map(|tier| tier.in_use).sum()
    }

    /// The slot that an address lies in, if any.
    pub fn slot_of(&self, address: usize) -> Option<Slot> {
        self.slots.iter().copied().find(|&(base, size)| (base..base + size).contains(&address))
    }

    /// What a request for so many bytes is answered while nobody else asks.
    pub fn answer(&self, bytes: usize) -> tierpool_error {
        let stats = self.stats();
        let fitting = || {
            stats.tiers[..stats.tier_count]
                .iter()
                .filter(|tier| tier.bytes >= bytes)
                .take(1 + self.spill)
        };
        match fitting().any(|tier| tier.in_use < tier.slots) {
            true => TIERPOOL_OK,
            false if fitting().next().is_some() => TIERPOOL_EXHAUSTED,
            false => TIERPOOL_OVERSIZED,
        }
    }
}

/// The pool of the call, or none.
pub fn pointer(pool: Option<&Made>) -> *mut tierpool_pool {
    pool.map_or(null::<tierpool_pool>().cast_mut(), |made| made.pool)
}

//! Steps on raw allocations, and frees that must be refused.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::rc::Rc;

use tierpool::FreeError;

use crate::model::side::Buffer;
use crate::model::world::{Held, World, take};
use crate::pattern::{canary, check_canary};

/// A raw slot, full of the canary of its address. It knows its layout if it was asked for by one.
pub(crate) struct Raw {
    home: Rc<Buffer>,
    layout: Option<Layout>,
}

impl Raw {
    fn pointer(&self) -> NonNull<u8> {
        NonNull::new(self.home.base as *mut u8).unwrap()
    }

    /// Fills the slot.
    fn new(slot: NonNull<[u8]>, home: Rc<Buffer>, layout: Option<Layout>) -> Raw {
        assert_eq!(slot.cast::<u8>().addr().get(), home.base);
        assert_eq!(slot.len(), home.size);
        // SAFETY: the slot is ours, and its memory was zero at first, so all of it is initialised.
        unsafe { &mut *slot.as_ptr() }.copy_from_slice(&canary(home.base as u64, home.size));
        Raw { home, layout }
    }

    pub(crate) fn check(&self) {
        // SAFETY: the slot is ours, and was filled above.
        check_canary(self.home.base as u64, unsafe {
            NonNull::slice_from_raw_parts(self.pointer(), self.home.size).as_ref()
        });
    }
}

impl<const FREE_NOW: bool> World<FREE_NOW> {
    pub(crate) fn allocate(&mut self, pool: usize, bytes: usize) {
        let Ok(layout) = Layout::from_size_align(bytes, 1) else { return };
        // As a sticky request: never from the heap.
        let request = self.sides[pool].request(0, bytes, true);
        match self.sides[pool].pool.allocate(layout) {
            Ok(slot) => {
                let home =
                    self.sides[pool].granted(&request, slot.cast::<u8>().addr().get(), slot.len());
                self.raws.push(Raw::new(slot, home, Some(layout)));
            }
            Err(error) => self.sides[pool].refused(&request, error),
        }
    }

    /// Frees a raw slot; a second free is refused.
    pub(crate) fn deallocate(&mut self, at: usize, sized: bool) {
        let Some(raw) = take(&mut self.raws, at) else { return };
        let (pool, pointer) = (self.sides[raw.home.side].pool, raw.pointer());
        // SAFETY: the slot is not used any more; the layout is the one it was allocated with.
        unsafe {
            match raw.layout.filter(|_| sized) {
                Some(layout) => pool.deallocate_sized(pointer, layout),
                None => assert_eq!(pool.deallocate(pointer), Ok(())),
            }
            assert_eq!(pool.deallocate(pointer), Err(FreeError::NotAllocated));
            assert_eq!(pool.from_raw(pointer).unwrap_err(), FreeError::NotAllocated);
        }
    }

    pub(crate) fn turn_raw(&mut self, at: usize) {
        let Some(held) = take(&mut self.muts, at) else { return };
        let start = held.handle.as_ptr();
        let (pooled, unique) = (held.is_pooled(), held.is_unique());
        match held.handle.into_raw() {
            Ok(slot) => {
                assert!(unique, "others have some of it");
                let headroom = start.addr() - slot.cast::<u8>().addr().get();
                // SAFETY: within the slot, which is ours, and initialised.
                let kept = unsafe {
                    std::slice::from_raw_parts(
                        slot.cast::<u8>().add(headroom).as_ptr(),
                        held.bytes.len(),
                    )
                };
                assert_eq!(kept, &held.bytes[..]);
                assert_eq!(kept.as_ptr(), start);
                self.raws.push(Raw::new(slot, held.home.expect("a slot"), None));
            }
            Err(handle) => {
                assert!(!pooled || !unique);
                self.muts.push(Held { handle, ..held });
            }
        }
    }

    pub(crate) fn turn_raw_mut(&mut self, at: usize) {
        let Some(raw) = take(&mut self.raws, at) else { return };
        let (home, pool) = (&raw.home, self.sides[raw.home.side].pool);
        // SAFETY: the pointer is not used any more.
        let mut handle = unsafe { pool.from_raw(raw.pointer()) }.unwrap();
        assert_eq!(handle.len(), 0);
        assert_eq!(handle.headroom(), 0);
        assert_eq!(handle.capacity(), home.size);
        // SAFETY: the slot is full of its canary.
        unsafe { handle.set_len(home.size) };
        home.sticky.set(false);
        let bytes = canary(home.base as u64, home.size);
        let (payer, home) = (Some(home.side), Some(raw.home));
        self.muts.push(Held { handle, bytes, payer, home, cut: [false; 2] });
    }

    /// What handles own, what lies inside a slot and what lies elsewhere is not taken back.
    pub(crate) fn bad_free(&mut self, at: usize) {
        let homes = self
            .muts
            .iter()
            .map(|held| &held.home)
            .chain(self.shared.iter().map(|held| &held.home))
            .flatten();
        let owned: Vec<_> = homes
            .map(|home| (home, false))
            .chain(self.raws.iter().map(|raw| (&raw.home, true)))
            .collect();
        let Some((home, raw)) = at.checked_rem(owned.len()).map(|index| owned[index]) else {
            return;
        };
        let (own, other) = (self.sides[home.side].pool, self.sides[1 - home.side].pool);
        let free = |pool: &'static tierpool::Pool, address: usize| {
            // SAFETY: never a raw allocation's start, so nothing is given up.
            unsafe { pool.deallocate(NonNull::new(address as *mut u8).unwrap()) }
        };
        assert_eq!(free(other, home.base), Err(FreeError::Foreign));
        for inside in home.base + 1..home.base + home.size {
            assert_eq!(
                free(own, inside),
                Err(if home.tier.is_some() { FreeError::Interior } else { FreeError::Foreign })
            );
        }
        if !raw {
            assert_eq!(
                free(own, home.base),
                Err(if home.tier.is_some() { FreeError::NotAllocated } else { FreeError::Foreign })
            );
        }
    }
}

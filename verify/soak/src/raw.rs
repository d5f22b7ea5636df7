//! Steps on raw slots, and between these and handles.

use crate::choices::{Choices, size};
use crate::pattern::Place;
use crate::pools;
use crate::worker::{Owned, Worker, check_granted, fresh, take};
use std::alloc::Layout;
use std::ops::Range;
use std::ptr::NonNull;
use tierpool::Pool;

/// A raw slot that is ours, full of what belongs there.
pub struct Raw {
    place: Place,
    slot: NonNull<[u8]>,
    /// What it was asked for with, if it was.
    layout: Option<Layout>,
}

impl Raw {
    /// Fills a slot that was just taken.
    fn new(slot: NonNull<[u8]>, layout: Option<Layout>) -> Raw {
        let mut raw = Raw { place: fresh(), slot, layout };
        let place = raw.place;
        place.fill(raw.bytes_mut());
        raw
    }

    /// Checks the part of a slot that its handle has left filled, then fills all of it.
    pub(crate) fn refilled(slot: NonNull<[u8]>, place: Place, part: Range<usize>) -> Raw {
        let mut raw = Raw { place, slot, layout: None };
        place.check(&raw.bytes_mut()[part]);
        Raw::new(slot, None)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the slot is ours, and all memory of a pool under test was zero at first, or is filled now.
        unsafe { self.slot.as_mut() }
    }

    /// Address of the slot.
    pub(crate) fn home(&self) -> usize {
        self.slot.cast::<u8>().addr().get()
    }

    pub(crate) fn check(&self) {
        // SAFETY: the slot is ours, and has been filled.
        self.place.check(unsafe { self.slot.as_ref() });
    }

    fn pool(&self) -> &'static Pool {
        pools::owner(self.home()).expect("a raw slot is one of a pool").pool
    }

    /// Gives it up, by its layout if that is wanted and known.
    pub(crate) fn give_back(self, sized: bool) {
        self.check();
        let (pool, pointer) = (self.pool(), self.slot.cast());
        match self.layout.filter(|_| sized) {
            // SAFETY: the slot is ours, was asked for with this layout, and is not used any more.
            Some(layout) => unsafe { pool.deallocate_sized(pointer, layout) },
            // SAFETY: the slot is ours and not used any more.
            None => unsafe { pool.deallocate(pointer) }.expect("a raw slot can be freed"),
        }
    }
}

// SAFETY: the slot is the holder's alone, wherever that is.
unsafe impl Send for Raw {}

impl Worker {
    pub(crate) fn allocate(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (_, tested) = self.pool(choices);
        let size = size(choices, tested);
        let layout = Layout::from_size_align(size, 1 << choices.below(8)).expect("a small one");
        if !tested.raw {
            return None;
        }
        match tested.pool.allocate(layout) {
            Ok(slot) => {
                let home = slot.cast::<u8>().addr().get();
                assert!(slot.len() >= size && home.is_multiple_of(layout.align()));
                check_granted(home, slot.len(), 0..0);
                self.raws.push(Raw::new(slot, Some(layout)));
            }
            Err(_) => self.refused(),
        }
        Some(())
    }

    pub(crate) fn deallocate(&mut self, choices: &mut dyn Choices) -> Option<()> {
        take(&mut self.raws, choices)?.give_back(choices.below(2) == 0);
        Some(())
    }

    pub(crate) fn turn_raw_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let raw = take(&mut self.raws, choices)?;
        raw.check();
        // SAFETY: the slot is ours, and the pointer is not used any more.
        let mut buffer = unsafe { raw.pool().from_raw(raw.slot.cast()) }.expect("a raw slot can have a handle");
        assert_eq!(buffer.capacity(), raw.slot.len());
        // SAFETY: all of the slot has been filled.
        unsafe { buffer.set_len(raw.slot.len()) };
        self.muts.push(Owned { place: raw.place, buffer });
        Some(())
    }
}

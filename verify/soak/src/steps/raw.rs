//! Steps on raw slots, and between these and handles.

use crate::held::{Owned, Raw, check_granted, take};
use crate::pools::size;
use crate::worker::Worker;
use std::alloc::Layout;
use tierpool_testkit::Choices;

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
        let mut buffer =
            unsafe { raw.pool().from_raw(raw.slot.cast()) }.expect("a raw slot can have a handle");
        assert_eq!(buffer.capacity(), raw.slot.len());
        // SAFETY: all of the slot has been filled.
        unsafe { buffer.set_len(raw.slot.len()) };
        self.muts.push(Owned::new(raw.place, buffer));
        Some(())
    }
}

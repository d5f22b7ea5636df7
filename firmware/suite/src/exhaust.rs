//! Raw buffers: both cores take until nothing is left and give back, with canaries over whole
//! buffers.

use crate::pools::{self, LARGEST, SLOTS, SMALL};
use crate::round::{self, Round};
use core::ptr::NonNull;
use tierpool_testkit::{Choices, Pattern};

pub fn run(round: Round) {
    round.both(job, |_| ());
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    let mut held: [Option<(NonNull<[u8]>, usize, Pattern)>; SLOTS] = [None; SLOTS];
    let mut number = 0;
    while number < round::steps() {
        let wanted = 1 + rng.below(SLOTS);
        for slot in held.iter_mut().take(wanted) {
            let size = 1 + rng.below(LARGEST);
            let Some(buffer) = pools::count(SMALL.allocate(pools::layout(size))) else { break };
            number += 1;
            let pattern = round::pattern(core, number);
            // SAFETY: the pool gave this buffer to this core alone; that is what the canary checks.
            pattern.fill(unsafe { &mut *buffer.as_ptr() });
            *slot = Some((buffer, size, pattern));
        }
        number += 1; // also when nothing was to be had
        for slot in &mut held {
            let Some((buffer, size, pattern)) = slot.take() else { break };
            // SAFETY: as above.
            pattern.check(unsafe { &*buffer.as_ptr() });
            let start = buffer.cast::<u8>();
            // SAFETY: allocated above with this layout, freed once, not used afterwards.
            unsafe {
                if rng.below(2) == 0 {
                    assert!(SMALL.deallocate(start).is_ok());
                } else {
                    SMALL.deallocate_sized(start, pools::layout(size));
                }
            }
        }
    }
}

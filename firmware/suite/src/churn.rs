//! As many list operations as possible: what a list without a tag does not survive.
//!
//! Each core takes some slots and gives them back in the order in which it took them. Stopped
//! between its look at the top slot's link and its swap, a core finds the same slot on top, over
//! another one than before.

use crate::pools::{self, SMALL};
use crate::round::{self, Round};
use core::array::from_fn;
use core::hint::black_box;
use core::ptr::NonNull;
use tierpool_testkit::Pattern;

const SIZE: usize = 32;
/// How many a core takes at once: two, or one more than its lane has. So the cores meet.
const TAKEN: u32 = if cfg!(feature = "lanes") { 3 } else { 2 };

pub fn run(round: Round) {
    round.both(job, |_| ());
}

fn job(core: usize) {
    for number in 0..8 * round::steps() {
        let slots: [_; TAKEN as usize] =
            from_fn(|of| take(round::pattern(core, TAKEN * number + of as u32)));
        for (slot, pattern) in slots.into_iter().flatten() {
            // SAFETY: this core's own since `take`; that is what the canary checks.
            pattern.check(black_box(unsafe { &*slot.as_ptr() }));
            // SAFETY: taken with this layout, given back once.
            unsafe { SMALL.deallocate_sized(slot.cast(), pools::layout(SIZE)) };
        }
    }
}

/// A slot whose first bytes carry the pattern.
fn take(pattern: Pattern) -> Option<(NonNull<[u8; 4]>, Pattern)> {
    let slot = pools::count(SMALL.allocate(pools::layout(SIZE)))?.cast::<[u8; 4]>();
    // SAFETY: the pool gave this slot to this core alone.
    pattern.fill(unsafe { &mut *slot.as_ptr() });
    Some((slot, pattern))
}

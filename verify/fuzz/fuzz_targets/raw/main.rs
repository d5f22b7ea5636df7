//! The raw layer with pointers of every kind: live, freed, interior, foreign, wild; on slots that
//! are free, raw, in a cache, or owned by handles. A free that must fail does so with the right
//! error, and changes nothing.
//!
//! ```text
//!   main   what an input does, step by step
//!   side   one pool beside its model: where its slots lie, and who holds them
//! ```
#![no_main]

mod side;

use libfuzzer_sys::fuzz_target;
use side::{Holder, Side};
use std::alloc::Layout;
use std::ptr::NonNull;
use tierpool_testkit::{Choices, Mistake, Program, planted};

/// The longest sequence.
const STEPS: usize = 300;

fuzz_target!(|data: &[u8]| {
    let program = &mut Program(data);
    let options = program.below(256);
    let mut sides = [Side::new(options), Side::new(options >> 4)];
    // With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
    let plant = planted(&[Mistake::Free]).is_some();
    for _ in 0..STEPS {
        if program.0.is_empty() {
            break;
        }
        step(&mut sides, program);
        if plant {
            sides[0].free_unseen();
        }
        sides.iter().for_each(Side::check);
    }
    sides.into_iter().for_each(Side::finish);
});

fn step(sides: &mut [Side; 2], program: &mut Program) {
    let (kind, number) = (program.below(16), program.below(2));
    match kind {
        0..3 => {
            let size = if program.once_in(16) {
                isize::MAX as usize - program.below(256)
            } else {
                program.below(256)
            };
            if let Ok(layout) = Layout::from_size_align(size, 1 << program.below(13)) {
                sides[number].allocate(layout);
            }
        }
        3..6 => {
            let pointer = pointer(sides, program);
            sides[number].deallocate(pointer);
        }
        6 => sides[number].deallocate_sized(program),
        7..9 => {
            let pointer = pointer(sides, program);
            sides[number].turn_into_handle(pointer);
        }
        9 => {
            let pointer = pointer(sides, program);
            sides[number].check_owns(pointer);
        }
        10 => sides[number].alloc(program.below(256)),
        11 => sides[number].turn_raw(program),
        12 => sides[number].share(program),
        13 => sides[number].drop_one(program),
        14 => sides[number].recycle(program),
        _ => sides[number].cache_alloc(program.below(256)),
    }
}

/// A pointer of some kind, of either pool or none.
fn pointer(sides: &[Side; 2], program: &mut Program) -> NonNull<u8> {
    let side = &sides[program.below(2)];
    let slot = &side.slots[program.below(side.slots.len())];
    let on_stack = 0_u8;
    let address = match program.below(8) {
        0..3 => slot.base,
        3 => side.raw_slot(program).unwrap_or(slot.base),
        4 => slot.base + program.below(slot.size + 1),
        5 => slot.base.wrapping_sub(1 + program.below(256)),
        6 => (0..8).fold(0, |address, _| address << 8 | program.below(256)),
        _ => (&raw const on_stack).addr(),
    };
    NonNull::new(address as *mut u8).unwrap_or(NonNull::dangling())
}

impl Side {
    /// One of the raw slots, if there is any.
    fn raw_slot(&self, program: &mut Program) -> Option<usize> {
        let raws: Vec<usize> = self
            .slots
            .iter()
            .filter(|slot| matches!(slot.holder, Holder::Raw(_)))
            .map(|slot| slot.base)
            .collect();
        if raws.is_empty() { None } else { Some(raws[program.below(raws.len())]) }
    }

    fn deallocate_sized(&mut self, program: &mut Program) {
        if let Some(base) = self.raw_slot(program) {
            self.free_sized(base);
        }
    }
}

//! As `bench`, of a pool with a lane for each core.
//!
//! An image of its own: the feature `lanes` adds code to the rare paths of every pool in a program,
//! and the figures of `bench` are those of a program without it.
#![no_std]
#![no_main]

use core::alloc::Layout;
use core::hint::black_box;
use core::ptr::NonNull;
use harness::count::{self, Block};
use harness::{board, println};

/// As in `bench`.
const SIZE: usize = 500;
const LAYOUT: Layout = match Layout::from_size_align(SIZE, 4) {
    Ok(layout) => layout,
    Err(_) => panic!(),
};
const IMPLEMENTATION: &str = "tierpool, 2 lanes";

tierpool::pool! {
    static POOL = default, lanes = 2, lane = board::core;
    // This core's own lane is always empty.
    static OTHERS = [512 x 2], lanes = 2, lane = board::core;
}

#[unsafe(no_mangle)]
fn main() {
    figure("handle pair", handle_pair);
    figure("handle pair, sizes vary", handle_pair_varying);
    println!(
        "figure\traw pair, by layout\t{IMPLEMENTATION}\t{}",
        count::pair(take, |block| if let Some(block) = block {
            // SAFETY: taken with this layout.
            unsafe { POOL.deallocate_sized(block, LAYOUT) }
        })
    );
    let own = OTHERS.alloc(SIZE);
    figure("handle pair, from another lane", handle_pair_from_another);
    let other = OTHERS.alloc(SIZE);
    assert!(own.is_ok() && other.is_ok());
    figure("miss", handle_pair_from_another);
    drop((own, other));
    assert!(POOL.is_idle() && OTHERS.is_idle(), "a measured operation leaks");
}

fn figure(operation: &str, code: fn()) {
    println!("figure\t{operation}\t{IMPLEMENTATION}\t{}", count::instructions(code));
}

fn take() -> Block {
    POOL.allocate(LAYOUT).ok().map(NonNull::cast)
}

#[inline(never)]
fn handle_pair() {
    drop(POOL.alloc(SIZE));
}

#[inline(never)]
fn handle_pair_varying() {
    drop(POOL.alloc(black_box(SIZE)));
}

/// A miss, if there is none.
#[inline(never)]
fn handle_pair_from_another() {
    let _ = OTHERS.alloc(SIZE);
}

//! The image that `size-pool` is compared with: what any firmware has, copying of memory included.
#![no_std]
#![no_main]

#[macro_use]
#[path = "../baseline.rs"]
mod baseline;

use core::hint::black_box;

#[unsafe(no_mangle)]
fn main() {
    copied!(to);
    harness::println!("{}", black_box(to)[0]);
}

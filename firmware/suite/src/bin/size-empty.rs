//! The image that `size-pool` is compared with: what any firmware has, copying of memory included.
#![no_std]
#![no_main]

use core::hint::black_box;

#[unsafe(no_mangle)]
fn main() {
    let (from, mut to) = ([1u8; 32], [0u8; 32]);
    let (length, value) = (black_box(32), black_box(0));
    // SAFETY: inside both arrays.
    unsafe {
        to.as_mut_ptr().write_bytes(value, length);
        to.as_mut_ptr().copy_from_nonoverlapping(black_box(&from).as_ptr(), length);
    }
    harness::println!("{}", black_box(to)[0]);
}

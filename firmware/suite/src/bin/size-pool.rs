//! `size-empty`, and one call site for each pool operation: their difference is what the library
//! costs.
#![no_std]
#![no_main]

use core::alloc::Layout;
use core::hint::black_box;
use tierpool::BytesMut;

tierpool::pool! { static POOL = default; }

#[unsafe(no_mangle)]
fn main() {
    let (from, mut to) = ([1u8; 32], [0u8; 32]);
    let (length, value) = (black_box(32), black_box(0));
    // SAFETY: inside both arrays.
    unsafe {
        to.as_mut_ptr().write_bytes(value, length);
        to.as_mut_ptr().copy_from_nonoverlapping(black_box(&from).as_ptr(), length);
    }
    // Raw: allocate, free.
    if let Ok(slot) = POOL.allocate(black_box(Layout::new::<[u8; 32]>())) {
        // SAFETY: just allocated.
        let _ = unsafe { POOL.deallocate(black_box(slot.cast())) };
    }
    // Handles: allocate, freeze, clone, copy on write, drop of either kind.
    let bytes = POOL.alloc(black_box(32)).map(BytesMut::freeze);
    if let Ok(bytes) = bytes {
        let mut copy = bytes.clone();
        if let Ok([first, ..]) = copy.make_mut() {
            *first = 1;
        }
    }
    harness::println!("{}", black_box(to)[0]);
}

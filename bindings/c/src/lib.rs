//! `tierpool` for C and C++: a static library, `include/tierpool.h`, and over it the C++17 header
//! `include/tierpool.hpp`.
//!
//! The header is generated from these sources by `cargo xtask capi --keep`, comments included, so
//! that they speak to C programmers, and the names are those that C sees. `README.md` is the
//! introduction.
//!
//! | module | holds |
//! |---|---|
//! | [`error`] | the one error type, and its texts |
//! | [`geometry`] | tiers and options, and how much memory they take |
//! | [`init`] | a pool in memory of the caller |
//! | [`fallback`] | memory of the caller's for what no slot serves |
//! | [`raw`] | slots as plain memory: alloc, free, owns |
//! | [`notify`] | waiting for a slot: a function is called when one comes back |
//! | [`bytes`] | handles: what they are, how they are made and shared |
//! | [`mod@write`] | handles: copy on write, append |
//! | [`room`] | handles: room behind and in front of the bytes, copies of parts |
//! | [`stats`] | what the pool has counted, as figures and as text |
//! | `text` | writing text into a buffer of the caller, as `snprintf` does |
//!
//! No function takes a lock or allocates from a heap, but by the caller's own fallback. No operation on memory or bytes has a way to
//! a panic in its machine code (the step for RV32 looks); those that check a geometry or print have
//! one that is not taken.
#![no_std]
#![allow(non_camel_case_types)]

// A host's static library brings `std`, for its panic machinery. A bare target has neither.
#[cfg(not(target_os = "none"))]
extern crate std;

// Apart, and so in the order in which the header has them.
pub mod error;

pub mod geometry;

pub mod init;

pub mod raw;

pub mod fallback;

pub mod notify;

pub mod bytes;

pub mod write;

pub mod room;

pub mod stats;

mod text;

use core::mem::MaybeUninit;

/// Where a function puts what it makes; what lies there need not be initialised. None for null.
///
/// # Safety
/// `place` is null, or valid to write, and nobody else uses it meanwhile.
#[inline(always)]
unsafe fn out<'a, T>(place: *mut T) -> Option<&'a mut MaybeUninit<T>> {
    // SAFETY: the caller's promise; the same size and alignment.
    unsafe { place.cast::<MaybeUninit<T>>().as_mut() }
}

/// No operation on a pool gets here; printing might. What watches over the firmware, a watchdog,
/// sees a core that stands still.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

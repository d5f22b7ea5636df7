//! The crate's own operations, each with a constant size, from the call of a function that does it
//! to its return.

use crate::{SIZE, figure, pair};
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::hint::black_box;
use core::ptr::NonNull;
use harness::count::{Block, opaque};
use tierpool::{Bytes, BytesMut, Pool, PoolCache};

tierpool::pool! { pub static POOL = default; }
tierpool::pool! { static EMPTY = [512 x 1]; }

/// The layout of [`SIZE`] bytes.
pub const LAYOUT: Layout = match Layout::from_size_align(SIZE, 4) {
    Ok(layout) => layout,
    Err(_) => panic!(),
};

/// Buffers that an operation needs and that no operation may allocate while it is counted.
struct Held(UnsafeCell<Option<Bytes>>);
// SAFETY: core 0 alone measures.
unsafe impl Sync for Held {}
static SHARED: Held = Held(UnsafeCell::new(None));

struct Cache(UnsafeCell<PoolCache<8, 4>>);
// SAFETY: as above.
unsafe impl Sync for Cache {}
static CACHE: Cache = Cache(UnsafeCell::new(PoolCache::new(&POOL)));

pub fn figures() {
    pair("raw pair, by layout", "tierpool", take, |block| {
        if let Some(block) = block {
            // SAFETY: taken with this layout.
            unsafe { POOL.deallocate_sized(block, LAYOUT) }
        }
    });
    pair("raw pair, checked", "tierpool", take, |block| {
        if let Some(block) = block {
            // SAFETY: just taken.
            let _ = unsafe { POOL.deallocate(block) };
        }
    });
    figure("handle pair", "tierpool", handle_pair);
    figure("handle pair, sizes vary", "tierpool", handle_pair_varying);
    cached_pair(); // fills the cache
    figure("handle pair, sizes vary, cached", "tierpool", cached_pair);
    // SAFETY: core 0 alone measures; no reference is held here.
    unsafe { &mut *CACHE.0.get() }.flush();

    let held = POOL.copy_from_slice(&[7; 200]).map(BytesMut::freeze);
    // SAFETY: see `Held`; no reference is held here.
    unsafe { *SHARED.0.get() = held.ok() };
    figure("clone + drop", "tierpool", clone_and_drop);
    figure("copy on write, 200 bytes", "tierpool", copy_on_write);
    // SAFETY: as above.
    unsafe { *SHARED.0.get() = None };

    let only = EMPTY.alloc(SIZE);
    figure("miss", "tierpool", miss);
    drop(only);
    assert!(idle(&POOL) && idle(&EMPTY), "a measured operation leaks");
}

fn idle(pool: &'static Pool) -> bool {
    pool.is_idle()
}

fn take() -> Block {
    POOL.allocate(LAYOUT).ok().map(NonNull::cast)
}

#[inline(never)]
pub fn raw_pair_sized() {
    if let Ok(slot) = POOL.allocate(LAYOUT) {
        // SAFETY: just allocated with this layout.
        unsafe { POOL.deallocate_sized(opaque(slot.cast()), LAYOUT) }
    }
}

#[inline(never)]
fn handle_pair() {
    drop(POOL.alloc(SIZE));
}

#[inline(never)]
fn handle_pair_varying() {
    drop(POOL.alloc(black_box(SIZE)));
}

#[inline(never)]
fn cached_pair() {
    // SAFETY: core 0 alone measures; no other reference is held.
    let cache = unsafe { &mut *CACHE.0.get() };
    if let Ok(buffer) = cache.alloc(black_box(SIZE)) {
        cache.recycle(buffer);
    }
}

#[inline(never)]
fn clone_and_drop() {
    // SAFETY: see `Held`.
    if let Some(bytes) = unsafe { &*SHARED.0.get() } {
        drop(bytes.clone());
    }
}

/// The clone, the copy that writing it makes, and the drop of the copy.
#[inline(never)]
fn copy_on_write() {
    // SAFETY: see `Held`.
    if let Some(bytes) = unsafe { &*SHARED.0.get() } {
        let mut copy = bytes.clone();
        if let Ok(copy) = copy.make_mut() {
            copy[0] = black_box(1);
        }
    }
}

#[inline(never)]
fn miss() {
    let _ = EMPTY.alloc(SIZE);
}

//! A pool for one interleaving, and the check that closes it.

use std::alloc::Layout;
use std::mem::{self, MaybeUninit};
use std::ptr::NonNull;

use tierpool::{Bytes, BytesMut, Config, Pool, PoolStorage, SlotState};
use tierpool_testkit::Heap;

/// Bytes of a slot of the first tier.
pub const SLOT: usize = 8;

/// A pool in memory that is given back at the end of the interleaving. Threads may refer to it
/// until they are joined.
pub struct Fixture {
    pub pool: &'static Pool,
    states: *mut [MaybeUninit<SlotState>],
    payload: *mut [MaybeUninit<u64>],
    place: *mut MaybeUninit<PoolStorage<4>>,
}

/// A pool of `slots` slots.
pub fn pool(slots: usize) -> Fixture {
    Fixture::new(&Config::new(&[(SLOT, slots)]))
}

impl Fixture {
    pub fn new(config: &Config<'_>) -> Self {
        let states = Box::leak(Box::new_uninit_slice(config.slots()));
        // Room for the alignment of the payload, in words.
        let words = (config.payload_bytes() + config.payload_align()) / 8;
        let payload: &'static mut [MaybeUninit<u64>] = Box::leak(Box::new_uninit_slice(words));
        let place = Box::leak(Box::new_uninit());
        let (states_at, payload_at, place_at): (*mut _, *mut _, *mut _) = (states, payload, place);
        // SAFETY: the same memory as bytes; the words are not used beside it.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(payload_at.cast::<MaybeUninit<u8>>(), words * 8)
        };
        let aligned = bytes.as_ptr().align_offset(config.payload_align());
        let pool = Pool::from_static_parts(config, states, &mut bytes[aligned..], place)
            .expect("a geometry of the models");
        Fixture { pool, states: states_at, payload: payload_at, place: place_at }
    }

    /// Every slot has come back, and only once: the list is complete, and nothing is counted as
    /// held.
    ///
    /// A leaked handle or a lost slot makes the list too short, a slot that was freed twice makes
    /// it a cycle.
    pub fn close(self) {
        self.pool.reclaim();
        assert!(self.pool.is_idle(), "slots lost or freed twice: {:#}", self.pool.stats());
        for tier in self.pool.stats().tiers() {
            assert!(
                tier.exact && tier.in_use == 0 && tier.cached == 0,
                "slots held at the end: {tier:?}"
            );
        }
        // SAFETY: made by `Box::leak` in `new`; the pool is idle, all threads are joined, and the
        // fixture is gone.
        unsafe {
            drop(Box::from_raw(self.states));
            drop(Box::from_raw(self.payload));
            drop(Box::from_raw(self.place));
        }
    }
}

/// A buffer of `pool` with one byte in it.
pub fn buffer(pool: &'static Pool) -> BytesMut {
    pool.copy_from_slice(&[1]).expect("a free slot")
}

/// A raw slot, as an address: it identifies the slot, and may go to another thread.
pub fn take(pool: &'static Pool) -> Option<usize> {
    let slot = pool.allocate(Layout::new::<[u8; SLOT]>()).ok()?;
    Some(slot.cast::<u8>().addr().get())
}

/// Gives back what [`take`] took. The shortest way into the free list: no check, one
/// compare-and-swap.
pub fn give(pool: &'static Pool, slot: usize) {
    // SAFETY: from `take`, once.
    unsafe { pool.deallocate_sized(pointer(slot), Layout::new::<[u8; SLOT]>()) }
}

pub fn pointer(slot: usize) -> NonNull<u8> {
    NonNull::new(std::ptr::with_exposed_provenance_mut(slot)).expect("slots do not lie at 0")
}

/// One acquire-release cycle, if there is a slot.
pub fn cycle(pool: &'static Pool) {
    if let Some(slot) = take(pool) {
        give(pool, slot);
    }
}

/// Frees blocks of the fallback later. What the heaps count is none of loom's: it takes part in no
/// race.
pub static DEFERS: Heap<false, false> = Heap::exact();
/// Frees them at once.
pub static AT_ONCE: Heap<true, false> = Heap::exact();

/// Every block of the fallbacks has come back.
pub fn close_heap() {
    assert_eq!(
        [DEFERS.outstanding(), AT_ONCE.outstanding()],
        [(0, 0); 2],
        "fallback memory lost or freed twice"
    );
}

/// Runs `theirs` on a thread of its own beside `mine`; what both have come to.
pub fn race<A: 'static, B>(
    theirs: impl FnOnce() -> A + 'static,
    mine: impl FnOnce() -> B,
) -> (A, B) {
    let other = loom::thread::spawn(theirs);
    let mine = mine();
    (other.join().expect("a thread that panics fails its model"), mine)
}

/// Two holders of one buffer, whose first byte is 1, read it and drop it.
pub fn read_and_drop_by_two(mine: Bytes) {
    let theirs = mine.clone();
    race(
        move || assert_eq!(theirs[0], 1),
        || {
            assert_eq!(mine[0], 1);
            drop(mine);
        },
    );
}

/// Forgets a value on purpose.
pub fn leak<T>(value: T) {
    mem::forget(value);
}

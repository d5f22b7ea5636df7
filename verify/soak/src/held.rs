//! What a worker holds: handles, raw slots and requests that wait, each with what must be true of
//! it.

use crate::objects::ValueWait;
use crate::pools;
use std::alloc::Layout;
use std::ops::Range;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use tierpool::{AllocWait, Bytes, BytesMut, Pool};
use tierpool_testkit::{Choices, Count, Pattern};

/// A buffer of its own, or its half of one, and what must be in it.
pub struct Owned {
    pub(crate) place: Pattern,
    pub(crate) buffer: BytesMut,
    /// Address of the whole buffer.
    home: usize,
}

/// A buffer that others may hold, what must be in it, and where it begins. Never empty.
pub struct Shared {
    pub(crate) place: Pattern,
    pub(crate) bytes: Bytes,
    /// Address of the whole buffer.
    pub(crate) home: usize,
}

impl Owned {
    /// A buffer that is no half.
    pub(crate) fn new(place: Pattern, buffer: BytesMut) -> Owned {
        let home = buffer.as_ptr().addr() - buffer.headroom();
        Owned { place, buffer, home }
    }

    /// A half of the buffer at `home`.
    pub(crate) fn half(place: Pattern, buffer: BytesMut, home: usize) -> Owned {
        Owned { place, buffer, home }
    }

    pub(crate) fn check(&self) {
        self.place.check(&self.buffer);
    }

    /// Address of the whole buffer.
    pub(crate) fn home(&self) -> usize {
        self.home
    }

    /// Others may have some of the buffer, or have had it.
    pub(crate) fn is_half(&self) -> bool {
        self.buffer.headroom() + self.buffer.capacity() < self.buffer.footprint()
    }

    /// Looks for the buffer again, after a step. Half a buffer does not move: what moves has a
    /// whole one then.
    pub(crate) fn settle(&mut self) {
        let home = self.buffer.as_ptr().addr() - self.buffer.headroom();
        if !self.is_half() && home != self.home {
            self.home = home;
            self.check_granted();
        }
    }

    /// See [`check_granted`]: the buffer is in a slot that it was not in before.
    pub(crate) fn check_granted(&self) {
        let front = self.buffer.headroom();
        check_granted(self.home(), self.buffer.footprint(), front..front + self.buffer.len());
    }
}

impl Shared {
    pub(crate) fn check(&self) {
        self.place.check(&self.bytes);
    }
}

/// A raw slot that is ours, full of what belongs there.
pub struct Raw {
    pub(crate) place: Pattern,
    pub(crate) slot: NonNull<[u8]>,
    /// What it was asked for with, if it was.
    layout: Option<Layout>,
}

impl Raw {
    /// Fills a slot that was just taken.
    pub(crate) fn new(slot: NonNull<[u8]>, layout: Option<Layout>) -> Raw {
        let mut raw = Raw { place: Pattern::fresh(), slot, layout };
        let place = raw.place;
        place.fill(raw.bytes_mut());
        raw
    }

    /// Checks the part of a slot that its handle has left filled, then fills all of it.
    pub(crate) fn refilled(slot: NonNull<[u8]>, place: Pattern, part: Range<usize>) -> Raw {
        let mut raw = Raw { place, slot, layout: None };
        place.check(&raw.bytes_mut()[part]);
        Raw::new(slot, None)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the slot is ours, and all memory of a pool under test was zero at first, or is
        // filled now.
        unsafe { self.slot.as_mut() }
    }

    /// Address of the slot.
    pub(crate) fn home(&self) -> usize {
        self.slot.cast::<u8>().addr().get()
    }

    pub(crate) fn check(&self) {
        // SAFETY: the slot is ours, and has been filled.
        self.place.check(unsafe { self.slot.as_ref() });
    }

    pub(crate) fn pool(&self) -> &'static Pool {
        pools::owner(self.home()).expect("a raw slot is one of a pool").pool
    }

    /// Gives it up, by its layout if that is wanted and known.
    pub(crate) fn give_back(self, sized: bool) {
        self.check();
        let (pool, pointer) = (self.pool(), self.slot.cast());
        match self.layout.filter(|_| sized) {
            // SAFETY: the slot is ours, was asked for with this layout, and is not used any more.
            Some(layout) => unsafe { pool.deallocate_sized(pointer, layout) },
            // SAFETY: the slot is ours and not used any more.
            None => unsafe { pool.deallocate(pointer) }.expect("a raw slot can be freed"),
        }
    }
}

// SAFETY: the slot is the holder's alone, wherever that is.
unsafe impl Send for Raw {}

/// A request that waits, and whether its waker has been called since the last poll.
pub struct Waiting {
    pub(crate) future: Pin<Box<AllocWait>>,
    pub(crate) len: usize,
    pub(crate) woken: Arc<Count>,
    /// The pool's number.
    pub pool: usize,
}

impl Waiting {
    /// The waker has been called since the last poll.
    pub fn is_woken(&self) -> bool {
        self.woken.get() > 0
    }

    /// Bytes that it waits for.
    pub fn bytes(&self) -> usize {
        self.len
    }
}

/// A wait for a recycled value, and whether its waker has been called since the last poll.
pub struct WaitingValue {
    pub(crate) future: ValueWait,
    pub(crate) woken: Arc<Count>,
}

/// A slot that was just granted, of `whole` bytes, holds nothing but what its owner has written:
/// zeros, in a pool that wipes.
pub(crate) fn check_granted(home: usize, whole: usize, written: Range<usize>) {
    if let Some(tested) = pools::owner(home)
        && tested.wipes
    {
        // SAFETY: the slot is the caller's, and all memory of a pool under test was zero at first.
        let slot = unsafe { std::slice::from_raw_parts(home as *const u8, whole) };
        let rest = slot[..written.start].iter().chain(&slot[written.end..]);
        assert!(
            rest.copied().all(|byte| byte == 0),
            "{}: a slot was granted that is not wiped",
            tested.name
        );
    }
}

/// One of them, taken out.
pub(crate) fn take<T>(list: &mut Vec<T>, choices: &mut dyn Choices) -> Option<T> {
    if list.is_empty() { None } else { Some(list.swap_remove(choices.below(list.len()))) }
}

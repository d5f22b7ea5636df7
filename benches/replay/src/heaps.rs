//! The two algorithms of esp-alloc, each under a `std::sync::Mutex` in place of a chip's critical
//! section.
//!
//! | | `linked_list_allocator` | `rlsf` |
//! |---|---|---|
//! | finds a block | by walking its list of holes | by two bit searches |
//! | costs, on 32 bits | sizes rounded to 8 bytes | a header of 8 bytes, sizes rounded to 16 |

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

/// What both algorithms offer.
pub trait Heap: Sized + Send + 'static {
    const NAME: &'static str;

    /// A heap on this memory.
    fn on(memory: &'static mut [MaybeUninit<u8>]) -> Self;

    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>>;

    /// # Safety
    /// `block` came from `take` with this layout, and is given up.
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout);

    /// Bytes that are free, in blocks of any size.
    fn free(&self) -> usize;

    /// The largest block that can be taken now, found by trying.
    fn largest(&mut self) -> usize {
        let (mut fits, mut too_large) = (0, self.free() + 1);
        while too_large - fits > 1 {
            let size = (fits + too_large) / 2;
            let layout = Layout::from_size_align(size, WORD).expect("no more than the heap");
            match self.take(layout) {
                Some(block) => {
                    // SAFETY: just taken with this layout.
                    unsafe { self.give(block, layout) };
                    fits = size;
                }
                None => too_large = size,
            }
        }
        fits
    }
}

/// What a 32-bit program aligns its blocks to.
pub const WORD: usize = 4;

pub type LinkedList = linked_list_allocator::Heap;

impl Heap for LinkedList {
    const NAME: &'static str = "linked_list_allocator";

    fn on(memory: &'static mut [MaybeUninit<u8>]) -> Self {
        LinkedList::from_slice(memory)
    }

    #[inline(always)]
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate_first_fit(layout).ok()
    }

    #[inline(always)]
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, layout) }
    }

    fn free(&self) -> usize {
        LinkedList::free(self)
    }
}

/// With the parameters that esp-alloc uses, and the region that it walks over.
pub struct Tlsf {
    heap: rlsf::Tlsf<'static, usize, usize, { usize::BITS as usize }, { usize::BITS as usize }>,
    region: NonNull<[u8]>,
}

// SAFETY: the region is the heap's, and only read through it.
unsafe impl Send for Tlsf {}

impl Heap for Tlsf {
    const NAME: &'static str = "rlsf";

    fn on(memory: &'static mut [MaybeUninit<u8>]) -> Self {
        let start = NonNull::from(&mut *memory).cast::<u8>();
        let mut heap = rlsf::Tlsf::new();
        // SAFETY: memory that is the heap's for ever.
        let used = unsafe {
            heap.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, memory.len()))
        };
        Tlsf { heap, region: NonNull::slice_from_raw_parts(start, used.map_or(0, usize::from)) }
    }

    #[inline(always)]
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.heap.allocate(layout)
    }

    #[inline(always)]
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.heap.deallocate(block, layout.align()) }
    }

    fn free(&self) -> usize {
        // SAFETY: the region that was inserted, with the length that was used of it.
        let blocks = unsafe { self.heap.iter_blocks(self.region) };
        blocks.filter(|block| !block.is_occupied()).map(|block| block.max_payload_size()).sum()
    }
}

/// A heap for several threads, and a pool's fallback.
pub struct Locked<H>(Mutex<H>);

impl<H: Heap> Locked<H> {
    /// A heap of `bytes`, on memory that is never given back.
    pub fn leak(bytes: usize) -> &'static Self {
        let words = Box::leak(Box::<[u64]>::new_uninit_slice(bytes.div_ceil(size_of::<u64>())));
        // SAFETY: the same memory, as bytes; and as long as asked.
        let memory = unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), bytes) };
        Box::leak(Box::new(Locked(Mutex::new(H::on(memory)))))
    }

    #[inline(always)]
    pub fn lock(&self) -> MutexGuard<'_, H> {
        self.0.lock().expect("nobody panics with the lock")
    }
}

// SAFETY: both algorithms hand out their own memory, as large and aligned as asked; it is ordinary
// RAM.
unsafe impl<H: Heap> tierpool::Fallback for Locked<H> {
    /// A PC has no interrupt handlers.
    fn free_in_interrupt(&self) -> bool {
        true
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.lock().take(layout)
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.lock().give(payload, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<H: Heap>() {
        let heap = Locked::<H>::leak(10_000);
        let mut heap = heap.lock();
        let (free, largest) = (heap.free(), heap.largest());
        assert!(largest > 9_000 && largest <= free && free <= 10_000, "{largest} of {free}");
        assert_eq!(heap.free(), free, "looking changes nothing");
        assert_eq!(heap.largest(), largest, "looking changes nothing");
        let layout = Layout::from_size_align(1000, WORD).unwrap();
        let blocks: Vec<_> = (0..8).map(|_| heap.take(layout).unwrap()).collect();
        for block in blocks.iter().step_by(2) {
            // SAFETY: taken with this layout.
            unsafe { heap.give(*block, layout) };
        }
        assert!(heap.largest() < 2_500 && heap.free() > 4_000);
        for block in blocks.iter().skip(1).step_by(2) {
            // SAFETY: taken with this layout.
            unsafe { heap.give(*block, layout) };
        }
        assert_eq!(heap.free(), free);
        assert_eq!(heap.largest(), largest);
    }

    #[test]
    fn what_is_free() {
        check::<LinkedList>();
        check::<Tlsf>();
    }
}

//! The two algorithms of esp-alloc, under a `std::sync::Mutex` in place of the chip's critical section: the cheapest lock
//! that threads of a PC have. esp-alloc's own walk over its regions and its statistics come on top on a chip.
//!
//! The heap has run for a while: half of it was filled with blocks of the sizes that a packet node allocates
//! (84 % of at most 64 bytes), and every second one is free again.

use crate::opaque::opaque;
use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Mutex;

use super::{Candidate, Kind, LEN};

pub const LINKED_LIST: &str = "linked_list_allocator";
pub const RLSF: &str = "rlsf";

/// Bytes: the payload of 16 slots of 256, 512 and 1024 bytes.
const HEAP: usize = 16 * (256 + 512 + 1024);

/// What both offer.
trait Heap: Send + 'static {
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>>;
    /// # Safety
    /// `block` came from `take` with this layout.
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout);
}

type LinkedList = linked_list_allocator::Heap;
/// With the parameters that esp-alloc uses.
type Tlsf = rlsf::Tlsf<'static, usize, usize, { usize::BITS as usize }, { usize::BITS as usize }>;

impl Heap for LinkedList {
    #[inline(always)]
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate_first_fit(layout).ok()
    }

    #[inline(always)]
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, layout) }
    }
}

impl Heap for Tlsf {
    #[inline(always)]
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate(layout)
    }

    #[inline(always)]
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, layout.align()) }
    }
}

pub fn pairs() -> Vec<Candidate> {
    let memory = || Box::leak(vec![0u64; HEAP / 8].into_boxed_slice());
    let mut linked_list = LinkedList::empty();
    // SAFETY: memory that nobody else uses, for ever.
    unsafe { linked_list.init(memory().as_mut_ptr().cast(), HEAP) };
    let mut tlsf = Tlsf::new();
    let region = NonNull::slice_from_raw_parts(NonNull::from(memory()).cast(), HEAP);
    // SAFETY: as above.
    unsafe { tlsf.insert_free_block_ptr(region) }.expect("room for a block");
    vec![candidate(LINKED_LIST, linked_list), candidate(RLSF, tlsf)]
}

/// As a global allocator does it: the lock once for taking and once for giving.
fn candidate(name: &'static str, mut heap: impl Heap) -> Candidate {
    const LAYOUT: Layout = Layout::new::<[u8; LEN]>();
    fragment(&mut heap);
    let heap = Mutex::new(heap);
    Candidate::new(name, Kind::Allocator, move |work| {
        let lock = || heap.lock().expect("nobody panics with the lock");
        work.repeat(|| {
            let block = opaque(lock().take(LAYOUT).expect("room for a block"));
            // SAFETY: just taken with this layout.
            unsafe { lock().give(block, LAYOUT) };
        })
    })
}

fn fragment(heap: &mut impl Heap) {
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut filled, mut blocks) = (0, Vec::new());
    while filled < HEAP / 2 {
        let size = if rng.u32(..100) < 84 { rng.usize(16..=64) } else { rng.usize(65..=512) };
        let layout = Layout::from_size_align(size, 4).expect("a small layout");
        let Some(block) = heap.take(layout) else { break };
        blocks.push((block, layout));
        filled += size;
    }
    for (block, layout) in blocks.into_iter().step_by(2) {
        // SAFETY: taken above with this layout.
        unsafe { heap.give(block, layout) };
    }
}

//! The two algorithms of esp-alloc, under a critical section, on a fragmented heap.
//!
//! The heap has the size of the default geometry's payload. Three quarters of it are filled with
//! blocks of the sizes that a packet node allocates (of its allocations 84 % are of at most 64
//! bytes), and every second is freed again: a node that has run for a while. esp-alloc's own walk
//! over regions and its statistics come on top on a chip.

use crate::{figure, pools::LAYOUT};
use core::alloc::Layout;
use core::cell::{RefCell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use critical_section::Mutex;
use harness::count::opaque;
use tierpool_testkit::{Choices, Random};

const HEAP: usize = 16 * (256 + 512 + 1024);
const MOST_BLOCKS: usize = 256;

/// What both heaps offer.
trait Heap {
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>>;
    /// # Safety
    /// `block` came from `take` with this layout.
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout);
}

type LinkedList = linked_list_allocator::Heap;
/// With the parameters that esp-alloc uses.
type Tlsf = rlsf::Tlsf<'static, usize, usize, { usize::BITS as usize }, { usize::BITS as usize }>;

impl Heap for LinkedList {
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate_first_fit(layout).ok()
    }
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, layout) }
    }
}

impl Heap for Tlsf {
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate(layout)
    }
    unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, layout.align()) }
    }
}

static LINKED_LIST: Mutex<RefCell<LinkedList>> = Mutex::new(RefCell::new(LinkedList::empty()));
static TLSF: Mutex<RefCell<Tlsf>> = Mutex::new(RefCell::new(Tlsf::new()));

#[repr(align(16))]
struct Memory(UnsafeCell<[MaybeUninit<u8>; HEAP]>);
// SAFETY: given to one heap each.
unsafe impl Sync for Memory {}
static MEMORY: [Memory; 2] = [const { Memory(UnsafeCell::new([MaybeUninit::uninit(); HEAP])) }; 2];

pub fn figures() {
    critical_section::with(|section| {
        let heap = &mut *LINKED_LIST.borrow_ref_mut(section);
        // SAFETY: memory that nobody else uses.
        unsafe { heap.init(MEMORY[0].0.get().cast(), HEAP) };
        fragment(heap);
        let heap = &mut *TLSF.borrow_ref_mut(section);
        let memory = NonNull::slice_from_raw_parts(NonNull::from(&MEMORY[1].0).cast(), HEAP);
        // SAFETY: as above.
        assert!(unsafe { heap.insert_free_block_ptr(memory) }.is_some());
        fragment(heap);
    });
    figure("raw pair, checked", "linked_list_allocator", linked_list_pair);
    figure("raw pair, checked", "rlsf", tlsf_pair);
}

fn fragment(heap: &mut impl Heap) {
    let mut rng = Random::new(1);
    let (mut filled, mut blocks) = (0, 0);
    let mut every_second = [None; MOST_BLOCKS];
    while filled < HEAP / 4 * 3 {
        let size = if rng.below(100) < 84 { 16 + rng.below(49) } else { 65 + rng.below(448) };
        let Ok(layout) = Layout::from_size_align(size, 4) else { return };
        let block = heap.take(layout);
        if blocks % 2 == 0 {
            every_second[blocks / 2] = block.map(|block| (block, layout));
        }
        filled += size;
        blocks += 1;
    }
    for (block, layout) in every_second.into_iter().flatten() {
        // SAFETY: taken above with this layout.
        unsafe { heap.give(block, layout) };
    }
}

#[inline(never)]
fn linked_list_pair() {
    pair(&LINKED_LIST);
}

#[inline(never)]
fn tlsf_pair() {
    pair(&TLSF);
}

/// As a global allocator does it: a critical section each for taking and giving.
#[inline(always)]
fn pair(heap: &'static Mutex<RefCell<impl Heap>>) {
    let block = critical_section::with(|section| heap.borrow_ref_mut(section).take(LAYOUT));
    if let Some(block) = block.map(opaque) {
        // SAFETY: just taken with this layout.
        critical_section::with(|section| unsafe {
            heap.borrow_ref_mut(section).give(block, LAYOUT)
        });
    }
}

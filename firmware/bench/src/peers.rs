//! Other pools of fixed blocks.

use crate::{SIZE, figure};
use core::cell::{RefCell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use critical_section::Mutex;
use harness::count::opaque;
use heapless::pool::boxed::BoxBlock;

/// Uninitialised on purpose: a block is not filled while it is measured.
type Block = MaybeUninit<[u8; 512]>;
const BLOCKS: usize = 16;

heapless::box_pool!(HEAPLESS: Block);
atomic_pool::pool!(ATOMIC: [Block; 16]);

/// A stack of free blocks under a critical section: the simplest pool that two cores can share.
pub struct LockedPool {
    free: Mutex<RefCell<([u16; BLOCKS], usize)>>,
    blocks: UnsafeCell<[Block; BLOCKS]>,
}
// SAFETY: a block is touched by whoever took its number, and by nobody else.
unsafe impl Sync for LockedPool {}

impl LockedPool {
    const fn new() -> Self {
        let mut free = [0; BLOCKS];
        let mut at = 0;
        while at < BLOCKS {
            free[at] = at as u16;
            at += 1;
        }
        LockedPool {
            free: Mutex::new(RefCell::new((free, BLOCKS))),
            blocks: UnsafeCell::new([const { MaybeUninit::uninit() }; BLOCKS]),
        }
    }

    pub fn take(&self) -> Option<NonNull<Block>> {
        critical_section::with(|section| {
            let (free, count) = &mut *self.free.borrow_ref_mut(section);
            *count = count.checked_sub(1)?;
            // SAFETY: `free` holds numbers below BLOCKS.
            Some(unsafe { NonNull::from(&self.blocks).cast::<Block>().add(free[*count].into()) })
        })
    }

    pub fn give(&self, block: NonNull<Block>) {
        // SAFETY: it points into `blocks`: it came from `take`.
        let number = unsafe { block.offset_from(NonNull::from(&self.blocks).cast::<Block>()) };
        critical_section::with(|section| {
            let (free, count) = &mut *self.free.borrow_ref_mut(section);
            free[*count] = number as u16;
            *count += 1;
        })
    }
}

pub static LOCKED: LockedPool = LockedPool::new();

pub fn figures() {
    const { assert!(size_of::<Block>() >= SIZE) };
    figure("miss", "heapless", || drop(HEAPLESS.alloc(MaybeUninit::uninit()))); // still empty
    for _ in 0..BLOCKS {
        HEAPLESS.manage(block());
    }
    figure("raw pair, checked", "heapless", heapless_pair);
    figure("raw pair, checked", "critical-section pool", locked_pair);
    figure("raw pair, checked", "atomic-pool", atomic_pair);
}

/// One block of memory that lives for ever.
fn block() -> &'static mut BoxBlock<Block> {
    struct Memory(UnsafeCell<[BoxBlock<Block>; BLOCKS]>);
    // SAFETY: core 0 alone calls `block`.
    unsafe impl Sync for Memory {}
    static MEMORY: Memory = Memory(UnsafeCell::new([const { BoxBlock::new() }; BLOCKS]));
    static NEXT: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    let at = NEXT.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
    assert!(at < BLOCKS);
    // SAFETY: in range, and each is handed out once.
    unsafe { &mut *MEMORY.0.get().cast::<BoxBlock<Block>>().add(at) }
}

#[inline(never)]
fn heapless_pair() {
    drop(HEAPLESS.alloc(MaybeUninit::uninit()));
}

#[inline(never)]
fn locked_pair() {
    if let Some(block) = LOCKED.take() {
        LOCKED.give(opaque(block));
    }
}

#[inline(never)]
pub fn atomic_pair() {
    drop(atomic_pool::Box::<ATOMIC>::new(MaybeUninit::uninit()));
}

//! A whole program on a pool: this test's global allocator is a `PoolGlobalAlloc`, the test harness
//! included. And the same allocator call by call, over pools and a fallback of the test's own.
#![cfg(feature = "alloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use tierpool::{Config, Pool, PoolGlobalAlloc};
use tierpool_testkit::{Choices, Random, assert_all_home, canary, check_canary, fresh_pool};

tierpool::pool! {
    static NODE = [16 x 1022, 32 x 1022, 64 x 512, 128 x 256, 512 x 64, 2048 x 16], spill = 1, fallback = &tierpool::GlobalHeap;
}

#[global_allocator]
static ALLOCATOR: PoolGlobalAlloc<System> = PoolGlobalAlloc::new(&NODE, System);

fn served() -> u64 {
    ALLOCATOR.pool().stats().hits()
}

#[test]
fn collections_live_in_the_pool() {
    let before = served();
    let words = ["tier", "slot", "head", "link", "handle"];
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_length: HashMap<usize, String> = HashMap::new();
    let mut queue = VecDeque::new();
    for round in 0..200 {
        for word in words {
            let name = format!("{word} {}", round % 40);
            by_length.entry(name.len()).or_default().push_str(word);
            by_name.entry(name.clone()).or_default().push(round);
            queue.push_back(Arc::new(name));
            queue.drain(..queue.len().saturating_sub(50));
        }
    }
    assert_eq!(by_name.len(), 200);
    assert!(by_name.values().all(|rounds| rounds.len() == 5 && rounds.is_sorted()));
    assert_eq!(by_length.values().map(String::len).sum::<usize>(), 200 * words.concat().len());
    assert!(by_name.keys().all(|name| NODE.owns(name.as_ptr())), "all short strings are served");
    assert!(
        queue
            .iter()
            .all(|name| NODE.owns(Arc::as_ptr(name).cast()) && Arc::strong_count(name) == 1)
    );
    assert!(served() - before > 2000, "{:#}", NODE.stats());

    let large = vec![7_u8; 100_000];
    assert!(!NODE.owns(large.as_ptr()));
    println!("{:#}", NODE.stats());
}

#[test]
fn threads_pass_boxes_on() {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Box<[u8]>>(16);
    thread::scope(|scope| {
        for seed in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || {
                for round in 0..300 {
                    let mut bytes = vec![seed];
                    bytes.extend(canary(u64::from(seed), round % 70));
                    sender.send(bytes.into()).unwrap();
                }
            });
        }
        drop(sender);
        let mut received = 0;
        for bytes in receiver {
            check_canary(u64::from(bytes[0]), &bytes[1..]);
            received += 1;
        }
        assert_eq!(received, 900);
    });
}

/// Its pool's own fallback is `GlobalHeap`, which is this allocator again.
#[test]
fn the_global_allocator_does_not_recurse() {
    let large = NODE.zeroed(50_000).unwrap();
    assert!(!large.is_pooled() && !NODE.owns(large.as_ptr()));
    drop(large);
    // With `std`, the drop has freed it.
    assert!(cfg!(feature = "std") || NODE.reclaim() >= 1);
}

/// A fallback that counts, and refuses on request.
#[derive(Default)]
struct Heap {
    live: AtomicUsize,
    reallocated: AtomicUsize,
    refuse: AtomicBool,
}

// SAFETY: all memory comes from the system.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.refuse.load(Relaxed) {
            return std::ptr::null_mut();
        }
        self.live.fetch_add(1, Relaxed);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.live.fetch_sub(1, Relaxed);
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.reallocated.fetch_add(1, Relaxed);
        // SAFETY: passed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// A block, its layout, and what it must contain.
struct Held {
    pointer: *mut u8,
    layout: Layout,
    seed: u64,
}

impl Held {
    fn new(allocator: &impl GlobalAlloc, size: usize, align: usize) -> Option<Held> {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: the size is not zero.
        let pointer = unsafe { allocator.alloc(layout) };
        assert_eq!(pointer.addr() % align, 0);
        let held = Held { pointer, layout, seed: pointer.addr() as u64 };
        (!pointer.is_null()).then(|| held.fill())
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: allocated with this layout, and filled right after.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.layout.size()) }
    }

    fn fill(mut self) -> Held {
        let canary = canary(self.seed, self.layout.size());
        self.bytes().copy_from_slice(&canary);
        self
    }

    /// Resized, or as before if there is no memory. What both sizes have is unchanged.
    fn resize(mut self, allocator: &impl GlobalAlloc, size: usize) -> Result<Held, Held> {
        // SAFETY: allocated with this layout.
        let pointer = unsafe { allocator.realloc(self.pointer, self.layout, size) };
        if pointer.is_null() {
            check_canary(self.seed, self.bytes());
            return Err(self);
        }
        let kept = size.min(self.layout.size());
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        self.pointer = pointer;
        let seed = self.seed;
        check_canary(seed, &self.bytes()[..kept]);
        Ok(self.fill())
    }

    fn free(mut self, allocator: &impl GlobalAlloc) {
        check_canary(self.seed, self.bytes());
        // SAFETY: allocated with this layout.
        unsafe { allocator.dealloc(self.pointer, self.layout) }
    }
}

fn over(tiers: &[(usize, usize)], spill: usize) -> (&'static Pool, PoolGlobalAlloc<Heap>) {
    let pool = fresh_pool(&Config::new(tiers).spill(spill)).unwrap();
    (pool, PoolGlobalAlloc::new(pool, Heap::default()))
}

/// Of the heap inside: blocks out, and calls of `realloc`.
fn heap_of(allocator: &PoolGlobalAlloc<Heap>) -> (usize, usize) {
    (allocator.fallback().live.load(Relaxed), allocator.fallback().reallocated.load(Relaxed))
}

#[test]
fn growth_stays_then_moves_up_then_out() {
    let (pool, allocator) = over(&[(64, 2), (256, 1)], 0);
    let mut held = Held::new(&allocator, 10, 1).unwrap();
    let start = held.pointer;
    for size in [11, 40, 64] {
        held = held.resize(&allocator, size).ok().unwrap();
        assert_eq!(held.pointer, start, "{size} bytes fit into the slot");
    }
    held = held.resize(&allocator, 65).ok().unwrap();
    assert!(held.pointer != start && pool.owns(held.pointer));
    assert_eq!(pool.stats().tiers()[0].in_use, 0, "the small slot is free again");
    held = held.resize(&allocator, 257).ok().unwrap();
    assert!(!pool.owns(held.pointer));
    assert!(pool.is_idle());
    assert_eq!(heap_of(&allocator), (1, 0));
    held = held.resize(&allocator, 10).ok().unwrap();
    assert!(pool.is_idle(), "the fallback keeps what it has");
    assert_eq!(heap_of(&allocator), (1, 1), "the fallback keeps what it has");
    held.free(&allocator);
    assert_eq!(heap_of(&allocator).0, 0);
}

#[test]
fn a_refused_growth_leaves_the_block() {
    let (pool, allocator) = over(&[(64, 1)], 0);
    let held = Held::new(&allocator, 64, 8).unwrap();
    allocator.fallback().refuse.store(true, Relaxed);
    let held = held.resize(&allocator, 65).err().unwrap();
    assert!(pool.owns(held.pointer));
    held.free(&allocator);
    assert_all_home(pool);
}

#[test]
fn shrinking_moves_down_if_a_slot_is_free() {
    let (pool, allocator) = over(&[(16, 1), (64, 1), (256, 1)], 0);
    let held = Held::new(&allocator, 200, 1).unwrap().resize(&allocator, 20).ok().unwrap();
    assert_eq!(pool.stats().tiers().iter().map(|tier| tier.in_use).collect::<Vec<_>>(), [0, 1, 0]);
    let other = Held::new(&allocator, 16, 1).unwrap();
    let misses = pool.stats().misses();
    let start = held.pointer;
    let held = held.resize(&allocator, 16).ok().unwrap();
    assert_eq!(held.pointer, start, "the 16-byte slot is taken: it stays");
    assert_eq!(pool.stats().misses(), misses, "the 16-byte slot is taken: it stays");
    // Its layout now names the smallest tier, its address the middle one.
    held.free(&allocator);
    other.free(&allocator);
    assert_all_home(pool);
}

#[test]
fn blocks_go_back_where_they_came_from() {
    let (pool, allocator) = over(&[(16, 1), (64, 1)], 1);
    let blocks: Vec<Held> = (0..5).map(|_| Held::new(&allocator, 16, 1).unwrap()).collect();
    assert_eq!(blocks.iter().filter(|held| pool.owns(held.pointer)).count(), 2);
    assert_eq!(heap_of(&allocator), (3, 0));
    blocks.into_iter().for_each(|held| held.free(&allocator));
    assert_all_home(pool);
    assert_eq!(heap_of(&allocator), (0, 0));
}

#[test]
fn a_block_that_shrinks_within_its_tier_stays() {
    let (pool, allocator) = over(&[(16, 1), (64, 2)], 0);
    let held = Held::new(&allocator, 60, 1).unwrap();
    let start = held.pointer;
    let held = held.resize(&allocator, 20).ok().unwrap();
    assert_eq!(held.pointer, start, "another slot of 64 bytes is no gain");
    assert_eq!(pool.stats().requests(), 1, "another slot of 64 bytes is no gain");
    held.free(&allocator);
    assert_all_home(pool);
}

#[test]
fn a_spilled_block_stays_while_it_grows() {
    let (pool, allocator) = over(&[(16, 1), (64, 1)], 1);
    let (first, spilled) =
        (Held::new(&allocator, 8, 1).unwrap(), Held::new(&allocator, 8, 1).unwrap());
    let start = spilled.pointer;
    first.free(&allocator);
    let spilled = spilled.resize(&allocator, 16).ok().unwrap();
    assert_eq!(spilled.pointer, start, "it grows, and will probably grow on");
    spilled.free(&allocator);
    assert_all_home(pool);
}

#[test]
fn stricter_alignment_goes_to_the_fallback() {
    let (pool, allocator) = over(&[(24, 4), (64, 4)], 1);
    let held = Held::new(&allocator, 8, 16).unwrap();
    assert!(
        pool.owns(held.pointer) && pool.stats().tiers()[1].in_use == 1,
        "24-byte slots are aligned to 8"
    );
    held.free(&allocator);
    let held = Held::new(&allocator, 8, 4096).unwrap();
    assert!(!pool.owns(held.pointer));
    held.free(&allocator);
    assert_eq!(heap_of(&allocator).0, 0);
    assert_all_home(pool);
}

#[test]
fn zeroed_memory_is_zero() {
    let (_, allocator) = over(&[(64, 1)], 0);
    Held::new(&allocator, 64, 1).unwrap().free(&allocator);
    let layout = Layout::new::<[u8; 64]>();
    // SAFETY: the size is not zero; freed with the same layout.
    unsafe {
        let start = allocator.alloc_zeroed(layout);
        assert_eq!(*start.cast::<[u8; 64]>(), [0; 64]);
        allocator.dealloc(start, layout);
    }
}

/// Four threads allocate, resize and free as chance has it; every block keeps its bytes, and all
/// come home.
#[test]
fn any_sequence_keeps_every_byte() {
    let (pool, allocator) = over(&[(16, 20), (48, 20), (64, 10), (64, 10), (200, 5)], 2);
    thread::scope(|scope| {
        for seed in 0..4 {
            let allocator = &allocator;
            scope.spawn(move || {
                let mut rng = Random::new(seed);
                let mut blocks: Vec<Held> = Vec::new();
                for _ in 0..4000 {
                    let size = 1 + rng.below(299);
                    match rng.below(4) {
                        0 | 1 if blocks.len() < 40 => {
                            blocks.extend(Held::new(allocator, size, 1 << rng.below(8)))
                        }
                        2 if !blocks.is_empty() => {
                            let held = blocks.swap_remove(rng.below(blocks.len()));
                            blocks.push(held.resize(allocator, size).unwrap_or_else(|held| held));
                        }
                        _ if !blocks.is_empty() => {
                            blocks.swap_remove(rng.below(blocks.len())).free(allocator)
                        }
                        _ => {}
                    }
                }
                blocks.into_iter().for_each(|held| held.free(allocator));
            });
        }
    });
    assert_all_home(pool);
    assert_eq!(heap_of(&allocator).0, 0);
}

//! Fallbacks on the heap of ESP32 chips, on the real esp-alloc: its lock alone is a stand-in
//! (`esp-sync`).
//!
//! ```text
//!   External   PAYLOAD: whole blocks, of which each byte is its holder's ─┐ Watched looks at each block
//!   Internal   control blocks                                             ┘ that goes out and that comes back
//! ```
#![cfg(feature = "esp-alloc")]

use allocator_api2_03::alloc::Allocator;
use esp_alloc::{
    DmaCompatibleExternalMemory, DmaCompatibleInternalMemory, ExternalMemory, HEAP, HeapRegion,
    InternalMemory, MemoryCapability,
};
use std::alloc::Layout;
use std::ops::Range;
use std::panic::catch_unwind;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use tierpool::allocator_api2_03::AllocatorFallback;
use tierpool::esp_alloc::{INTERNAL, PSRAM};
use tierpool::{AllocError, Bytes, BytesMut, Config, Fallback, Pool, PoolStorage, SlotState};
use tierpool_testkit::{Choices, Random, assert_all_home, canary};

// ---- the heap

const INTERNAL_BYTES: usize = 64 * 1024;
const EXTERNAL_BYTES: usize = 1024 * 1024;

/// Where the two kinds of memory lie. External first, so that a request for any memory would get
/// that.
static REGIONS: LazyLock<[Range<usize>; 2]> = LazyLock::new(|| {
    [(EXTERNAL_BYTES, MemoryCapability::External), (INTERNAL_BYTES, MemoryCapability::Internal)]
        .map(add)
});

fn add((bytes, capability): (usize, MemoryCapability)) -> Range<usize> {
    let region = Vec::leak(vec![0_u64; bytes / 8]).as_mut_ptr_range();
    // SAFETY: leaked, and nobody else's.
    unsafe { HEAP.add_region(HeapRegion::new(region.start.cast(), bytes, capability.into())) };
    region.start.addr()..region.end.addr()
}

fn is_external(block: *const u8, bytes: usize) -> bool {
    REGIONS[0].contains(&block.addr()) && block.addr() + bytes <= REGIONS[0].end
}

fn is_internal(block: *const u8, bytes: usize) -> bool {
    REGIONS[1].contains(&block.addr()) && block.addr() + bytes <= REGIONS[1].end
}

/// Bytes in use of either kind.
fn used() -> [usize; 2] {
    [MemoryCapability::External, MemoryCapability::Internal].map(|kind| {
        HEAP.stats()
            .region_stats
            .iter()
            .flatten()
            .filter(|region| region.capabilities.contains(kind))
            .map(|it| it.used)
            .sum()
    })
}

/// The heap is one for all tests of this file: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&REGIONS);
    guard
}

// ---- where memory lies

#[test]
fn payload_is_external_control_blocks_internal() {
    let _alone = alone();
    tierpool::pool! { static POOL = [16 x 1], fallback = &PSRAM; }
    let before = used();
    let buffer = POOL.zeroed(100_000).unwrap();
    let [external, internal] = used();
    assert!(is_external(buffer.as_ptr(), buffer.capacity()));
    assert!(
        external - before[0] >= 100_000 && (1..=64).contains(&(internal - before[1])),
        "{internal} bytes for a control block"
    );
    drop(buffer);
    assert_eq!(POOL.reclaim(), 1);
    assert_eq!(used(), before);
}

#[test]
fn all_is_internal() {
    let _alone = alone();
    tierpool::pool! { static POOL = [16 x 1], fallback = &INTERNAL; }
    let before = used();
    let buffer = POOL.zeroed(10_000).unwrap();
    assert!(is_internal(buffer.as_ptr(), buffer.capacity()));
    assert_eq!(used()[0], before[0]);
    drop(buffer);
    assert_eq!(POOL.reclaim(), 1);
    assert_eq!(used(), before);
}

#[test]
fn payload_is_aligned_to_cache_lines() {
    let _alone = alone();
    tierpool::pool! { static POOL = [64 x 1], align = 128, fallback = &PSRAM; }
    let held = [1000, 65, 130].map(|bytes| POOL.zeroed(bytes).unwrap());
    assert!(
        held.iter().all(|buffer| buffer.as_ptr().addr() % 128 == 0 && buffer.capacity() % 128 == 0)
    );
    drop(held);
    assert_all_home(&POOL);
}

/// esp-alloc's allocators for DMA round up what is asked for, also when it comes back.
#[test]
fn allocators_for_dma_are_fallbacks() {
    // SAFETY: atomics work in all memory of a host.
    static OF_INTERNAL: AllocatorFallback<DmaCompatibleInternalMemory> =
        unsafe { AllocatorFallback::new(DmaCompatibleInternalMemory) };
    // SAFETY: as above.
    static OF_EXTERNAL: AllocatorFallback<DmaCompatibleExternalMemory, InternalMemory> =
        unsafe { AllocatorFallback::with_control(DmaCompatibleExternalMemory, InternalMemory) };
    let _alone = alone();
    tierpool::pool! { static LARGE = [64 x 1], align = 64, fallback = &OF_INTERNAL; }
    tierpool::pool! { static PLAIN = [64 x 1], fallback = &OF_EXTERNAL; }
    let before = used();
    for bytes in [65, 1000, 4095] {
        let internal = LARGE.zeroed(bytes).unwrap();
        assert!(is_internal(internal.as_ptr(), internal.capacity()));
        assert_eq!((internal.as_ptr().addr() % 64, internal.capacity() % 64), (0, 0));
        // The pool asks for no alignment: this is the allocator's own.
        let external = PLAIN.zeroed(bytes).unwrap();
        assert!(is_external(external.as_ptr(), external.capacity()));
        assert_eq!(external.as_ptr().addr() % 32, 0);
        drop((internal, external));
        assert_eq!((LARGE.reclaim(), PLAIN.reclaim()), (1, 1));
        assert_eq!(used(), before);
    }
}

/// Either kind of memory may be the one that is short; nothing stays behind.
#[test]
fn a_full_heap_is_an_error() {
    let _alone = alone();
    tierpool::pool! { static LARGE = [16 x 1], fallback = &PSRAM; }
    let before = used();
    assert_eq!(LARGE.alloc(EXTERNAL_BYTES + 1).unwrap_err(), AllocError::Oversized);
    assert_eq!(used(), before);

    let mut hogs = Vec::new();
    for layout in [4096, 256, 16, 1].map(|bytes| Layout::from_size_align(bytes, 1).unwrap()) {
        hogs.extend(std::iter::from_fn(|| Some((InternalMemory.allocate(layout).ok()?, layout))));
    }
    let full = used();
    assert_eq!(
        LARGE.alloc(1000).unwrap_err(),
        AllocError::Oversized,
        "no room for a control block"
    );
    assert_eq!(used(), full, "the payload has gone back");
    for (hog, layout) in hogs {
        // SAFETY: allocated above with this layout.
        unsafe { InternalMemory.deallocate(hog.cast(), layout) };
    }
    assert!(LARGE.alloc(1000).is_ok());
    assert_all_home(&LARGE);
    assert_eq!(used(), before);
}

// ---- where drops may happen

#[test]
fn a_drop_in_a_critical_section_is_deferred() {
    let _alone = alone();
    tierpool::pool! { static POOL = [16 x 1], fallback = &PSRAM; }
    let idle = used();
    let held = [1000, 2000, 3000].map(|bytes| POOL.zeroed(bytes).unwrap().freeze());
    let before = used();
    critical_section::with(|_| drop(held));
    assert_eq!(used(), before, "not yet with the heap, but nobody's");
    assert!(POOL.is_idle(), "not yet with the heap, but nobody's");
    assert_eq!(POOL.reclaim(), 3);
    assert_eq!(used(), idle);
}

/// What the interrupt handler of the next two tests drops.
static HELD: Mutex<Vec<Bytes>> = Mutex::new(Vec::new());

/// Fills `HELD`, and has it dropped while a request to the heap holds the heap's lock.
fn drop_under_the_heaps_lock(pool: &'static Pool) {
    *HELD.lock().unwrap() = vec![pool.zeroed(5000).unwrap().freeze()];
    esp_sync::interrupt(|| {
        let held = std::mem::take(&mut *HELD.lock().unwrap());
        drop(held);
    });
    drop(pool.zeroed(6000).unwrap());
}

#[test]
fn a_drop_under_the_heaps_own_lock_is_deferred() {
    let _alone = alone();
    tierpool::pool! { static ON_PSRAM = [16 x 1], fallback = &PSRAM; }
    tierpool::pool! { static ON_INTERNAL = [16 x 1], fallback = &INTERNAL; }
    for pool in [&ON_PSRAM, &ON_INTERNAL] {
        let before = used();
        drop_under_the_heaps_lock(pool);
        assert!(HELD.lock().unwrap().is_empty(), "the handler has run");
        assert_eq!(pool.reclaim(), 2);
        assert_eq!(used(), before);
    }
}

/// The check above can fail: a fallback that frees at once is fatal there.
#[test]
fn a_free_under_the_heaps_own_lock_is_fatal() {
    struct AtOnce;
    // SAFETY: the memory is `PSRAM`'s. Its promise for interrupt handlers is a lie, whose outcome
    // is a panic.
    unsafe impl Fallback for AtOnce {
        fn free_in_interrupt(&self) -> bool {
            true
        }
        fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
            PSRAM.allocate(layout)
        }
        unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
            // SAFETY: passed on.
            unsafe { PSRAM.deallocate(payload, layout) }
        }
    }
    let _alone = alone();
    tierpool::pool! { static POOL = [16 x 1], fallback = &AtOnce; }
    let panic = catch_unwind(|| drop_under_the_heaps_lock(&POOL)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"lock is not reentrant"));
}

// ---- a whole run

/// A fallback, each block of which is looked at when it goes out and when it comes back.
struct Watched<F: 'static> {
    inner: &'static F,
    payloads: AtomicUsize,
    controls: AtomicUsize,
    /// Control blocks that do not lie in internal memory.
    astray: AtomicUsize,
    /// Payloads that are not in external memory, or of which a byte is not as the last holder left
    /// it.
    spoiled: AtomicUsize,
}

impl<F> Watched<F> {
    const fn new(inner: &'static F) -> Self {
        let [payloads, controls, astray, spoiled] = [const { AtomicUsize::new(0) }; 4];
        Watched { inner, payloads, controls, astray, spoiled }
    }

    fn count(&self, counter: &AtomicUsize, so: bool) {
        counter.fetch_add(usize::from(so), Relaxed);
    }
}

// SAFETY: passed on.
unsafe impl<F: Fallback> Fallback for Watched<F> {
    fn free_in_interrupt(&self) -> bool {
        self.inner.free_in_interrupt()
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let payload = self.inner.allocate(layout)?;
        self.count(&self.payloads, true);
        self.count(&self.spoiled, !is_external(payload.as_ptr(), layout.size()));
        Some(payload)
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: the run fills whatever it allocates, to the last byte.
        let block = unsafe { NonNull::slice_from_raw_parts(payload, layout.size()).as_ref() };
        self.count(&self.spoiled, !is_marked(block));
        // SAFETY: passed on.
        unsafe { self.inner.deallocate(payload, layout) }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        // SAFETY: the same memory: `WatchedControl` is transparent.
        Some(unsafe { &*std::ptr::from_ref(self).cast::<WatchedControl<F>>() })
    }
}

/// Its control blocks.
#[repr(transparent)]
struct WatchedControl<F: 'static>(Watched<F>);

impl<F: Fallback> WatchedControl<F> {
    fn inner(&self) -> &dyn Fallback {
        self.0.inner.control().expect("apart")
    }
}

// SAFETY: passed on.
unsafe impl<F: Fallback> Fallback for WatchedControl<F> {
    fn free_in_interrupt(&self) -> bool {
        self.inner().free_in_interrupt()
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let control = self.inner().allocate(layout)?;
        self.0.count(&self.0.controls, true);
        self.0.count(&self.0.astray, !is_internal(control.as_ptr(), layout.size()));
        Some(control)
    }

    unsafe fn deallocate(&self, control: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.inner().deallocate(control, layout) }
    }
}

/// Fills a block with a canary that begins with its seed.
fn mark(block: &mut [u8], seed: u8) {
    let rest = canary(seed.into(), block.len() - 1);
    block[0] = seed;
    block[1..].copy_from_slice(&rest);
}

fn is_marked(block: &[u8]) -> bool {
    block[1..] == canary(block[0].into(), block.len() - 1)
}

/// A pool whose slots lie in external memory, and the region of those. Its words lie where the test
/// puts them: in ordinary memory, which is neither region.
fn pool_in_external_memory(config: &Config<'_>) -> (&'static Pool, Range<*const u8>) {
    let layout = Layout::from_size_align(config.payload_bytes(), config.payload_align()).unwrap();
    let mut region = ExternalMemory.allocate(layout).unwrap();
    // SAFETY: just allocated, zeroed here, and never freed.
    let payload = unsafe {
        region.cast::<u8>().write_bytes(0, layout.size());
        region.as_mut()
    };
    let range = payload.as_ptr_range();
    let states = Box::leak(Box::<[SlotState]>::new_uninit_slice(config.slots()));
    // SAFETY: the same memory, seen as memory that need not be initialised.
    let payload = unsafe { &mut *(payload as *mut [u8] as *mut [std::mem::MaybeUninit<u8>]) };
    (
        Pool::from_static_parts(
            config,
            states,
            payload,
            Box::leak(Box::<PoolStorage<16>>::new_uninit()),
        )
        .unwrap(),
        range,
    )
}

/// Four threads allocate, fill, share, copy on write and drop each other's buffers.
fn run(pool: &'static Pool) {
    static SHELF: Mutex<Vec<Bytes>> = Mutex::new(Vec::new());
    let fill = |mut buffer: BytesMut, seed| {
        buffer.resize(buffer.capacity(), 0).unwrap();
        mark(&mut buffer, seed);
        buffer.freeze()
    };
    let visit = |thread: u64| {
        let mut random = Random::new(thread);
        let mut held: Vec<Bytes> = Vec::new();
        for _ in 0..3000 {
            match random.below(8) {
                0..3 => {
                    let most = if random.bool() { 512 } else { 3000 };
                    held.extend(
                        pool.alloc(2 + random.below(most - 1))
                            .map(|buffer| fill(buffer, random.u64() as u8)),
                    );
                }
                3 => held.extend(held.last().cloned()),
                4 => {
                    let Some(mut bytes) = held.pop() else { continue };
                    assert!(is_marked(&bytes));
                    // What is copied may be shorter than the slot or block that it is copied to.
                    if bytes.make_mut().is_ok() {
                        bytes = fill(
                            bytes.try_into_mut().expect("nobody else's after `make_mut`"),
                            random.u64() as u8,
                        );
                    }
                    held.insert(0, bytes);
                }
                5 => SHELF.lock().unwrap().extend(held.pop()),
                6 => held.extend(SHELF.lock().unwrap().pop()),
                _ => {
                    held.truncate(random.below(8));
                    assert!(held.iter().all(|bytes| is_marked(bytes)));
                }
            }
        }
    };
    thread::scope(|scope| (0..4).for_each(|thread| drop(scope.spawn(move || visit(thread)))));
    SHELF.lock().unwrap().clear();
    assert_all_home(pool);
}

/// External memory is accounted for to the last byte: what is not the heap's own free memory is
/// payload, blocks and slots, and of those each byte is as its last holder has left it, also after
/// the drop. So no state, link or count of the pool has ever been there.
#[test]
fn no_atomic_word_lies_in_external_memory() {
    static HEAP_BLOCKS: Watched<AllocatorFallback<ExternalMemory, InternalMemory>> =
        Watched::new(&PSRAM);
    let _alone = alone();
    let before = used();
    let config = Config::new(&[(64, 16), (512, 16)]).fallback(&HEAP_BLOCKS);
    let (pool, slots) = pool_in_external_memory(&config);
    let with_slots = used();
    run(pool);
    assert_eq!(used(), with_slots, "all blocks are back, and what was external was payload");
    assert_eq!(with_slots[1], before[1]);

    let count = |counter: &AtomicUsize| counter.load(Relaxed);
    let served = pool.stats().fallbacks() as usize;
    assert!(served > 1000 && pool.stats().hits() > 1000, "{:#}", pool.stats());
    assert_eq!(count(&HEAP_BLOCKS.payloads), served, "one payload, one control block each");
    assert_eq!(count(&HEAP_BLOCKS.controls), served, "one payload, one control block each");
    assert_eq!(count(&HEAP_BLOCKS.astray), 0);
    assert_eq!(count(&HEAP_BLOCKS.spoiled), 0);

    // SAFETY: the pool is idle; the region was zeroed.
    let slots =
        unsafe { std::slice::from_raw_parts(slots.start, slots.end.addr() - slots.start.addr()) };
    let (small, large) = slots.split_at(64 * 16);
    assert!(
        small
            .chunks(64)
            .chain(large.chunks(512))
            .all(|slot| is_marked(slot) || slot.iter().all(|&byte| byte == 0))
    );
}

/// The check above can fail: on control blocks in external memory, and on a byte that nobody has
/// left there.
#[test]
fn words_in_external_memory_are_noticed() {
    // SAFETY: not so on a chip; on this host atomics work in all memory.
    static PAIR: AllocatorFallback<ExternalMemory, ExternalMemory> =
        unsafe { AllocatorFallback::with_control(ExternalMemory, ExternalMemory) };
    static WRONG: Watched<AllocatorFallback<ExternalMemory, ExternalMemory>> = Watched::new(&PAIR);
    let _alone = alone();
    tierpool::pool! { static POOL = [16 x 1], fallback = &WRONG; }
    run(&POOL);
    assert_eq!(WRONG.astray.load(Relaxed), WRONG.controls.load(Relaxed));
    assert!(WRONG.controls.load(Relaxed) > 1000);
    // One that is not as the run leaves it.
    drop(POOL.zeroed(100).unwrap());
    POOL.reclaim();
    assert_eq!(WRONG.spoiled.load(Relaxed), 1);
}

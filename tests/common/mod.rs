//! What the tests share: pools in fresh memory, a heap under their control, canaries, the check that all is home, a
//! waker that counts, and one that acts when it is cloned.
//!
//! ```text
//!   Heap   a fallback that counts what it has out, refuses from a chosen call on, hands out misaligned
//!          memory on request, and looks at every payload that comes back
//! ```
#![allow(dead_code)] // each test takes what it needs

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};
use tierpool::{Config, ConfigError, Fallback, Pool, PoolStorage, SlotState};

/// As `Box::leak`, but on purpose: the address is kept, so that Valgrind finds the memory in use.
pub fn leak<T: ?Sized>(boxed: Box<T>) -> &'static mut T {
    let leaked = Box::leak(boxed);
    keep((&raw const *leaked).cast::<()>().addr());
    leaked
}

/// Memory at this address is never freed.
pub fn keep(address: usize) {
    static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(address);
}

/// As `Pool::leak`, but without a feature, and in memory that is zero at first.
pub fn fresh_pool(config: &Config<'_>) -> Result<&'static Pool, ConfigError> {
    Ok(leak(Box::new(PoolMemory::new(config)?)).pool)
}

/// A pool in memory of its own, zero at first, that is given back when this is dropped: for tests that make very many.
pub struct PoolMemory {
    pool: &'static Pool,
    payload: (NonNull<u8>, Layout),
    states: *mut [MaybeUninit<SlotState>],
    place: *mut MaybeUninit<PoolStorage<16>>,
}

impl PoolMemory {
    pub fn new(config: &Config<'_>) -> Result<PoolMemory, ConfigError> {
        config.check()?;
        let layout = Layout::from_size_align(config.payload_bytes(), config.payload_align()).unwrap();
        // SAFETY: a checked geometry has payload.
        let payload = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap();
        let states = Box::into_raw(Box::<[SlotState]>::new_uninit_slice(config.slots()));
        let place = Box::into_raw(Box::<PoolStorage<16>>::new_uninit());
        // SAFETY: three allocations, ours until `drop`, which comes after all use of the pool.
        let parts = unsafe { (&mut *states, NonNull::slice_from_raw_parts(payload.cast(), layout.size()).as_mut(), &mut *place) };
        let pool = Pool::from_static_parts(config, parts.0, parts.1, parts.2)?;
        Ok(PoolMemory { pool, payload: (payload, layout), states, place })
    }

    /// # Safety
    /// Nobody uses the pool, or a handle on one of its buffers, once this is dropped.
    pub unsafe fn pool(&self) -> &'static Pool {
        self.pool
    }
}

impl Drop for PoolMemory {
    fn drop(&mut self) {
        // SAFETY: allocated so by `new`; whoever has got the pool has promised not to use it any more.
        unsafe {
            dealloc(self.payload.0.as_ptr(), self.payload.1);
            drop(Box::from_raw(self.states));
            drop(Box::from_raw(self.place));
        }
    }
}

/// Size and alignment.
fn words(layout: Layout) -> [usize; 2] {
    [layout.size(), layout.align()]
}

/// A heap for tests. `FREE_NOW` is its `free_in_interrupt`; `APART`: control blocks are asked for apart from the payload. What it
/// refuses may be changed at any time, from any thread.
#[derive(Debug)]
pub struct Heap<const FREE_NOW: bool, const APART: bool = true> {
    budget: AtomicUsize,
    once: AtomicBool,
    refused: AtomicUsize,
    payloads: AtomicUsize,
    controls: AtomicUsize,
    bytes: AtomicUsize,
    dirty: AtomicUsize,
    misaligned: AtomicUsize,
    payload_skew: AtomicUsize,
    control_skew: AtomicUsize,
}

impl<const FREE_NOW: bool, const APART: bool> Heap<FREE_NOW, APART> {
    /// A heap that serves every call.
    pub const fn new() -> Self {
        let [refused, payloads, controls, bytes, dirty, misaligned, payload_skew, control_skew] = [const { AtomicUsize::new(0) }; 8];
        let (budget, once) = (AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        Heap { budget, once, refused, payloads, controls, bytes, dirty, misaligned, payload_skew, control_skew }
    }

    /// From now on serves so many calls for payload or a control block, and refuses the others.
    pub fn allow(&self, calls: usize) {
        self.once.store(false, Relaxed);
        self.budget.store(calls, Relaxed);
    }

    /// From now on serves so many calls, refuses one, and serves all others.
    pub fn refuse_one_after(&self, calls: usize) {
        self.allow(calls);
        self.once.store(true, Relaxed);
    }

    /// How many bytes payload and control blocks lie beside their alignment from now on: 0 or 1 each.
    pub fn skew(&self, payload: usize, control: usize) {
        self.payload_skew.store(payload, Relaxed);
        self.control_skew.store(control, Relaxed);
    }

    /// Calls refused so far.
    pub fn refused(&self) -> usize {
        self.refused.load(Relaxed)
    }

    /// Payloads and control blocks handed out and not yet back.
    pub fn outstanding(&self) -> (usize, usize) {
        (self.payloads.load(Relaxed), self.controls.load(Relaxed))
    }

    /// Bytes of payload and control blocks handed out and not yet back.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Payloads and control blocks handed out misaligned so far.
    pub fn misaligned(&self) -> usize {
        self.misaligned.load(Relaxed)
    }

    /// Payloads that came back with a byte other than 0.
    pub fn dirty(&self) -> usize {
        self.dirty.load(Relaxed)
    }

    /// One byte more than asked, so that there is room for a skew, and behind that the layout. Zeroed, so that all of it may
    /// be read later.
    fn roomy(layout: Layout) -> Layout {
        Layout::from_size_align(layout.size() + 1 + size_of::<[usize; 2]>(), layout.align()).unwrap()
    }

    fn take(&self, layout: Layout, out: &AtomicUsize, skew: &AtomicUsize) -> Option<NonNull<u8>> {
        assert_ne!(layout.size(), 0, "a heap need not serve requests for nothing");
        if self.budget.fetch_update(Relaxed, Relaxed, |left| if left == usize::MAX { Some(left) } else { left.checked_sub(1) }).is_err() {
            self.refused.fetch_add(1, Relaxed);
            if self.once.load(Relaxed) {
                self.allow(usize::MAX);
            }
            return None;
        }
        out.fetch_add(1, Relaxed);
        self.bytes.fetch_add(layout.size(), Relaxed);
        let skew = skew.load(Relaxed);
        self.misaligned.fetch_add(skew, Relaxed);
        // SAFETY: the size is not zero, and there is room for the skew and the layout.
        unsafe {
            let memory = NonNull::new(alloc_zeroed(Self::roomy(layout)))?.add(skew);
            memory.add(layout.size()).cast::<[usize; 2]>().write_unaligned(words(layout));
            Some(memory)
        }
    }

    /// # Safety
    /// `memory` comes from `take` with this layout, and is given up.
    unsafe fn give_back(&self, memory: NonNull<u8>, layout: Layout, out: &AtomicUsize) {
        assert_ne!(out.fetch_sub(1, Relaxed), 0, "more came back than was handed out");
        self.bytes.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `take` has written it there, if it is the layout that was asked for.
        let asked = unsafe { memory.add(layout.size()).cast::<[usize; 2]>().read_unaligned() };
        assert_eq!(asked, words(layout), "given back by another layout than asked for by");
        let skew = memory.addr().get() % layout.align();
        // SAFETY: the caller's promise; what lies beyond the alignment is the skew.
        unsafe { dealloc(memory.sub(skew).as_ptr(), Self::roomy(layout)) }
    }
}

// SAFETY: memory of the global allocator, handed out once until it comes back. Whether a test drops handles in
// an "interrupt handler" is the test's to decide.
unsafe impl<const FREE_NOW: bool, const APART: bool> Fallback for Heap<FREE_NOW, APART> {
    fn free_in_interrupt(&self) -> bool {
        FREE_NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.take(layout, &self.payloads, &self.payload_skew)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        if APART {
            // SAFETY: allocated zeroed, so all of it is initialised.
            let bytes = unsafe { NonNull::slice_from_raw_parts(memory, layout.size()).as_ref() };
            self.dirty.fetch_add(usize::from(bytes.iter().any(|&byte| byte != 0)), Relaxed);
        }
        // SAFETY: passed on.
        unsafe { self.give_back(memory, layout, &self.payloads) }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        // SAFETY: the same memory: `ControlBlocks` is transparent.
        APART.then(|| unsafe { &*ptr::from_ref(self).cast::<ControlBlocks<FREE_NOW, APART>>() } as &dyn Fallback)
    }
}

/// A heap as it hands out control blocks.
#[derive(Debug)]
#[repr(transparent)]
struct ControlBlocks<const FREE_NOW: bool, const APART: bool>(Heap<FREE_NOW, APART>);

// SAFETY: as above.
unsafe impl<const FREE_NOW: bool, const APART: bool> Fallback for ControlBlocks<FREE_NOW, APART> {
    fn free_in_interrupt(&self) -> bool {
        FREE_NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.take(layout, &self.0.controls, &self.0.control_skew)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.0.give_back(memory, layout, &self.0.controls) }
    }
}

/// Counts the wake-ups of one task.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Count {
    /// The wake-ups so far.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// The wake-ups since the last call.
    pub fn take(&self) -> usize {
        self.0.swap(0, Relaxed)
    }
}

thread_local! {
    static WHEN_CLONED: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A waker for this thread that does something when it is first cloned, which is while it is registered: what may happen
/// between the look before and the look after.
pub fn waker_that_when_cloned(act: impl FnOnce() + 'static) -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            WHEN_CLONED.take().into_iter().for_each(|act| act());
            RawWaker::new(data, &VTABLE)
        },
        drop,
        drop,
        drop,
    );
    WHEN_CLONED.set(Some(Box::new(act)));
    // SAFETY: the functions keep to the contract, for they do not use the data.
    unsafe { Waker::new(std::ptr::null(), &VTABLE) }
}

/// `len` bytes that follow from `seed`: a buffer full of them tells whether somebody else wrote into it. A shorter
/// canary is the beginning of a longer one.
pub fn canary(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// Panics if `bytes` are not all the canary of `seed`.
#[track_caller]
pub fn check_canary(seed: u64, bytes: &[u8]) {
    assert!(canary(seed, bytes.len()) == bytes, "the canary of {seed:#x} ({} bytes) is broken", bytes.len());
}

/// Panics if a buffer has not come home, or if the statistics contradict each other.
#[track_caller]
pub fn assert_all_home(pool: &'static Pool) {
    pool.reclaim();
    let stats = pool.stats();
    assert!(pool.is_idle(), "not idle:\n{stats:#}");
    assert_eq!(stats.fallback_live(), 0);
    assert!(stats.fallbacks() <= stats.misses());
    for tier in stats.tiers() {
        assert!(tier.exact && tier.in_use == 0, "{tier:?}");
        // A batch of a cache is served as one.
        assert!(tier.peak <= tier.slots && (tier.peak > 0) == (tier.served > 0), "{tier:?}");
        assert!(tier.missed == 0 || tier.peak == tier.slots, "a tier is found empty only after it was full: {tier:?}");
    }
}

/// The paths of all of the library's sources.
pub fn sources() -> Vec<std::path::PathBuf> {
    fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

//! A heap that counts what it has out, refuses from a chosen call on, hands out misaligned memory
//! on request, and looks at every payload that comes back.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use tierpool::Fallback;

/// Size and alignment.
fn words(layout: Layout) -> [usize; 2] {
    [layout.size(), layout.align()]
}

/// A heap for tests. `FREE_NOW` is its `free_in_interrupt`; `APART`: control blocks are asked for
/// apart from the payload. What it refuses may be changed at any time, from any thread.
#[derive(Debug)]
pub struct Heap<const FREE_NOW: bool, const APART: bool = true> {
    exact: bool,
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

impl<const FREE_NOW: bool, const APART: bool> Default for Heap<FREE_NOW, APART> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const FREE_NOW: bool, const APART: bool> Heap<FREE_NOW, APART> {
    /// A heap that serves every call.
    pub const fn new() -> Self {
        let [refused, payloads, controls, bytes, dirty, misaligned, payload_skew, control_skew] =
            [const { AtomicUsize::new(0) }; 8];
        let (budget, once) = (AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        Heap {
            exact: false,
            budget,
            once,
            refused,
            payloads,
            controls,
            bytes,
            dirty,
            misaligned,
            payload_skew,
            control_skew,
        }
    }

    /// A heap that serves every call, with exactly what was asked for, as the global allocator has
    /// it: for tools that watch memory. It neither skews nor looks at what comes back.
    pub const fn exact() -> Self {
        Heap { exact: true, ..Self::new() }
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

    /// How many bytes payload and control blocks lie beside their alignment from now on: 0 or 1
    /// each.
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

    /// One byte more than asked, so that there is room for a skew, and behind that the layout.
    /// Zeroed, so that all of it may be read later.
    fn roomy(layout: Layout) -> Layout {
        Layout::from_size_align(layout.size() + 1 + size_of::<[usize; 2]>(), layout.align())
            .unwrap()
    }

    fn take(&self, layout: Layout, out: &AtomicUsize, skew: &AtomicUsize) -> Option<NonNull<u8>> {
        assert_ne!(layout.size(), 0, "a heap need not serve requests for nothing");
        if self
            .budget
            .fetch_update(Relaxed, Relaxed, |left| {
                if left == usize::MAX { Some(left) } else { left.checked_sub(1) }
            })
            .is_err()
        {
            self.refused.fetch_add(1, Relaxed);
            if self.once.load(Relaxed) {
                self.allow(usize::MAX);
            }
            return None;
        }
        out.fetch_add(1, Relaxed);
        self.bytes.fetch_add(layout.size(), Relaxed);
        if self.exact {
            // SAFETY: the size is not zero.
            return NonNull::new(unsafe { alloc(layout) });
        }
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
        if self.exact {
            // SAFETY: the caller's promise.
            return unsafe { dealloc(memory.as_ptr(), layout) };
        }
        // SAFETY: `take` has written it there, if it is the layout that was asked for.
        let asked = unsafe { memory.add(layout.size()).cast::<[usize; 2]>().read_unaligned() };
        assert_eq!(asked, words(layout), "given back by another layout than asked for by");
        let skew = memory.addr().get() % layout.align();
        // SAFETY: the caller's promise; what lies beyond the alignment is the skew.
        unsafe { dealloc(memory.sub(skew).as_ptr(), Self::roomy(layout)) }
    }
}

// SAFETY: memory of the global allocator, handed out once until it comes back. Whether a test drops
// handles in an "interrupt handler" is the test's to decide.
unsafe impl<const FREE_NOW: bool, const APART: bool> Fallback for Heap<FREE_NOW, APART> {
    fn free_in_interrupt(&self) -> bool {
        FREE_NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.take(layout, &self.payloads, &self.payload_skew)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        if APART && !self.exact {
            // SAFETY: allocated zeroed, so all of it is initialised.
            let bytes = unsafe { NonNull::slice_from_raw_parts(memory, layout.size()).as_ref() };
            self.dirty.fetch_add(usize::from(bytes.iter().any(|&byte| byte != 0)), Relaxed);
        }
        // SAFETY: passed on.
        unsafe { self.give_back(memory, layout, &self.payloads) }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        // SAFETY: the same memory: `ControlBlocks` is transparent.
        APART.then(|| unsafe { &*ptr::from_ref(self).cast::<ControlBlocks<FREE_NOW, APART>>() }
            as &dyn Fallback)
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

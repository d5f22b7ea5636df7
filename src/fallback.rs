//! Where requests go that no tier can serve: a heap of the user's choice, behind the same handles.
//!
//! ```text
//!   handle.ctl ──► control block { state, link, base, capacity }     internal RAM: its state is atomic
//!                                         │
//!   handle.ptr ──► ─────────── payload ◄──┘                          anywhere, PSRAM included
//! ```
//!
//! | last drop | what happens |
//! |---|---|
//! | the fallback may free in an interrupt handler | payload and control block go back at once |
//! | it may not (its lock would be re-entered) | the control block is pushed on the pool's *deferred list*, without a lock; the next fallback allocation, or `reclaim`, drains it |
//!
//! The deferred list is a Treiber stack of pointers. It needs no tag: nobody pops one block, the drain takes the
//! whole list with one swap.

use core::alloc::Layout;
use core::fmt;
use core::ptr::{self, NonNull};

use crate::pool::Pool;
use crate::state::{self, StateWord};
use crate::sync::{Acquire, AtomicExt, AtomicPtr, AtomicU32, Relaxed, Release, const_unless_loom};
use crate::tier;

/// A heap behind a pool.
///
/// Payload and control block are asked for separately, so that payload may lie where atomics do not work (PSRAM of
/// ESP32, S2 and S3) while the control block, which holds the reference count, stays in internal RAM.
///
/// ```
/// use core::alloc::Layout;
/// use core::ptr::NonNull;
/// use std::alloc::{alloc, dealloc};
///
/// struct Heap;
///
/// // SAFETY: memory of `alloc` is valid until `dealloc`, aligned as asked, and atomics work in it.
/// unsafe impl tierpool::Fallback for Heap {
///     const FREE_IN_INTERRUPT: bool = false;
///     fn allocate_payload(&self, layout: Layout) -> Option<NonNull<u8>> {
///         // SAFETY: the layout's size is not zero.
///         NonNull::new(unsafe { alloc(layout) })
///     }
///     unsafe fn deallocate_payload(&self, payload: NonNull<u8>, layout: Layout) {
///         // SAFETY: it comes from `allocate_payload` with this layout.
///         unsafe { dealloc(payload.as_ptr(), layout) }
///     }
///     fn allocate_control(&self, layout: Layout) -> Option<NonNull<u8>> {
///         self.allocate_payload(layout)
///     }
///     unsafe fn deallocate_control(&self, control: NonNull<u8>, layout: Layout) {
///         // SAFETY: passed on.
///         unsafe { self.deallocate_payload(control, layout) }
///     }
/// }
///
/// tierpool::pool! { static POOL = [64 x 1], fallback = &Heap; }
/// let large = POOL.zeroed(5000)?.freeze();
/// assert!(!large.is_pooled() && large.len() == 5000);
/// drop(large);
/// assert_eq!(POOL.reclaim(), 1, "Heap may not free in an interrupt handler, so the drop was deferred");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// What it answers is checked: `None` (there is no null pointer in this interface) and misaligned memory are requests that
/// fail, and the caller keeps what it had. Its functions should not panic. If one does, the panic goes on to whoever
/// allocates, drops or reclaims, and memory of the fallback is lost: the payload whose control block was being asked for, or the
/// buffer being freed with all that waited behind it on the deferred list. A buffer whose last drop panicked so still counts as
/// live in the [statistics](Pool::stats). No slot is lost, and nothing is freed twice.
///
/// # Safety
/// - Memory that is handed out is at least as large as asked, nobody else's, and valid until it is deallocated.
///   (Alignment is checked by the pool: misaligned memory is given back, and the request fails.)
/// - Atomic instructions work in the memory of `allocate_control`.
/// - With [`FREE_IN_INTERRUPT`](Self::FREE_IN_INTERRUPT), both `deallocate` functions may be called in any context
///   in which a handle is dropped, an interrupt handler included, whatever it interrupted.
pub unsafe trait Fallback: Sync {
    /// Whether the `deallocate` functions may be called in an interrupt handler. If not, last drops are deferred.
    const FREE_IN_INTERRUPT: bool;

    /// Memory for payload; the size is not zero. `None` if there is none.
    fn allocate_payload(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes payload back.
    ///
    /// # Safety
    /// `payload` comes from `allocate_payload` of the same fallback with the same layout, and is given up.
    unsafe fn deallocate_payload(&self, payload: NonNull<u8>, layout: Layout);

    /// Memory for a control block (16 bytes on 32-bit targets), in RAM where atomics work. `None` if there is none.
    fn allocate_control(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes a control block back.
    ///
    /// # Safety
    /// `control` comes from `allocate_control` of the same fallback with the same layout, and is given up.
    unsafe fn deallocate_control(&self, control: NonNull<u8>, layout: Layout);
}

mod sealed {
    pub trait Sealed {}
    impl<F: super::Fallback> Sealed for F {}
}

/// [`Fallback`] as a pool refers to it, without its type. Every fallback implements it; nothing else can.
pub trait DynFallback: Sync + sealed::Sealed {
    #[doc(hidden)]
    fn free_in_interrupt(&self) -> bool;
    #[doc(hidden)]
    fn payload(&self, layout: Layout) -> Option<NonNull<u8>>;
    /// # Safety
    /// As `Fallback::deallocate_payload`.
    #[doc(hidden)]
    unsafe fn free_payload(&self, payload: NonNull<u8>, layout: Layout);
    #[doc(hidden)]
    fn control(&self, layout: Layout) -> Option<NonNull<u8>>;
    /// # Safety
    /// As `Fallback::deallocate_control`.
    #[doc(hidden)]
    unsafe fn free_control(&self, control: NonNull<u8>, layout: Layout);
}

impl<F: Fallback> DynFallback for F {
    fn free_in_interrupt(&self) -> bool {
        F::FREE_IN_INTERRUPT
    }

    /// Misaligned memory is no memory.
    fn payload(&self, layout: Layout) -> Option<NonNull<u8>> {
        let payload = self.allocate_payload(layout)?;
        if payload.addr().get() % layout.align() == 0 {
            return Some(payload);
        }
        // SAFETY: it has just come from there.
        unsafe { self.deallocate_payload(payload, layout) };
        None
    }

    unsafe fn free_payload(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.deallocate_payload(payload, layout) }
    }

    /// Misaligned memory is no memory.
    fn control(&self, layout: Layout) -> Option<NonNull<u8>> {
        let control = self.allocate_control(layout)?;
        if control.addr().get() % layout.align() == 0 {
            return Some(control);
        }
        // SAFETY: it has just come from there.
        unsafe { self.deallocate_control(control, layout) };
        None
    }

    unsafe fn free_control(&self, control: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.deallocate_control(control, layout) }
    }
}

impl fmt::Debug for dyn DynFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").field("free_in_interrupt", &self.free_in_interrupt()).finish_non_exhaustive()
    }
}

/// The global allocator as a fallback. It may not be entered from an interrupt handler, so drops are deferred.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 16], fallback = &tierpool::Global; }
/// assert_eq!(POOL.zeroed(100_000)?.len(), 100_000);
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// On a chip whose heap spans PSRAM this is not sound where atomics do not work in PSRAM, since control blocks come
/// from the same allocator: use a fallback with internal control blocks there.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Global;

// SAFETY: the global allocator's contract; it is not called in the context of a drop.
#[cfg(feature = "alloc")]
unsafe impl Fallback for Global {
    const FREE_IN_INTERRUPT: bool = false;

    fn allocate_payload(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the pool asks for at least one byte.
        NonNull::new(unsafe { alloc::alloc::alloc(layout) })
    }

    unsafe fn deallocate_payload(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: it comes from `alloc` with this layout, by the caller.
        unsafe { alloc::alloc::dealloc(payload.as_ptr(), layout) }
    }

    fn allocate_control(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate_payload(layout)
    }

    unsafe fn deallocate_control(&self, control: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.deallocate_payload(control, layout) }
    }
}

/// What a handle on a fallback buffer points at in place of a slot's state word.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Control {
    /// First, so that a pointer to it is a pointer to the block.
    state: StateWord,
    /// The next block of the deferred list.
    link: AtomicPtr<Control>,
    pub(crate) base: NonNull<u8>,
    pub(crate) capacity: usize,
}

/// A pool's words for its fallback. All zero at start.
#[derive(Debug)]
pub(crate) struct Deferred {
    /// Blocks whose last handle is gone.
    head: AtomicPtr<Control>,
    /// Buffers that handles hold.
    live: AtomicU32,
}

impl Deferred {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Deferred { head: AtomicPtr::new(ptr::null_mut()), live: AtomicU32::new(0) }
        }
    }

    /// Buffers of the fallback that handles hold. At 0, all that was done with them has happened before.
    pub(crate) fn live(&self) -> u32 {
        // Acquire: pairs with the Release of the decrement in `free`.
        self.live.load(Acquire)
    }

    fn push(&self, control: NonNull<Control>) {
        // Release: publishes the link, and the last holder's use of the payload, to the drain's Acquire.
        self.head.replace(Release, |head| {
            // SAFETY: the caller owns the block until the swap succeeds.
            // Relaxed: published by the swap.
            unsafe { control.as_ref() }.link.store(head, Relaxed);
            control.as_ptr()
        });
    }

    /// Gives all deferred buffers back to the fallback; tells how many.
    pub(crate) fn drain(&self, fallback: &dyn DynFallback, align: usize) -> usize {
        // Relaxed: a block that is missed here waits for the next drain. Spares an idle list the swap.
        if self.head.load(Relaxed).is_null() {
            return 0;
        }
        // Acquire: pairs with the Release of every push, whose release sequences the swaps continue.
        let mut next = self.head.swap(ptr::null_mut(), Acquire);
        let mut drained = 0;
        while let Some(control) = NonNull::new(next) {
            // SAFETY: the swap has made the whole list ours.
            // Relaxed: seen by the Acquire above.
            next = unsafe { control.as_ref() }.link.load(Relaxed);
            // SAFETY: the same; its last handle is gone.
            unsafe { deallocate(fallback, control, align) };
            drained += 1;
        }
        drained
    }
}

/// The layout of a payload; none if it is too large for one.
fn payload_layout(capacity: usize, align: usize) -> Option<Layout> {
    Layout::from_size_align(capacity, align).ok()
}

/// A buffer of `roomy` bytes, or else of `capacity`, aligned to `align`; its control block counts one handle.
#[cold]
#[inline(never)]
pub(crate) fn allocate(
    deferred: &Deferred,
    fallback: &dyn DynFallback,
    capacity: usize,
    roomy: usize,
    align: usize,
) -> Option<NonNull<Control>> {
    deferred.drain(fallback, align);
    let payload = |bytes: usize| {
        let layout = payload_layout(bytes.max(1).checked_next_multiple_of(align)?, align)?;
        Some((fallback.payload(layout)?, layout))
    };
    let (base, layout) = payload(roomy).or_else(|| if roomy > capacity { payload(capacity) } else { None })?;
    let Some(control) = fallback.control(Layout::new::<Control>()) else {
        // SAFETY: it has just come from there.
        unsafe { fallback.free_payload(base, layout) };
        return None;
    };
    let control = control.cast::<Control>();
    let (state, link) = (StateWord::new(state::FALLBACK), AtomicPtr::new(ptr::null_mut()));
    // SAFETY: memory for one control block, aligned, just allocated.
    unsafe { control.write(Control { state, link, base, capacity: layout.size() }) };
    // Relaxed: a count; `live` is read as 0 only after the decrement.
    deferred.live.fetch_add(1, Relaxed);
    Some(control)
}

/// Frees the buffer whose last handle is gone: now, or later where freeing is not allowed in an interrupt handler.
///
/// # Safety
/// `control` is a block of `pool`'s fallback, and the caller its last holder.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free(pool: &Pool, control: NonNull<Control>) {
    let (deferred, Some(fallback)) = (pool.deferred(), pool.fallback()) else {
        return; // a pool without a fallback has no such block
    };
    // SAFETY: the caller is the last holder.
    let block = unsafe { control.as_ref() };
    block.state.touch_write();
    if pool.zero_on_free() {
        // SAFETY: the same.
        unsafe { tier::wipe(block.base, block.capacity) };
    }
    if fallback.free_in_interrupt() {
        // SAFETY: the same.
        unsafe { deallocate(fallback, control, pool.align()) };
    } else {
        deferred.push(control);
    }
    // Release: whoever reads 0 sees that the buffer is no longer in use.
    deferred.live.fetch_sub(1, Release);
}

/// # Safety
/// `control` is a block of `fallback`, made with `align`, that nobody holds.
unsafe fn deallocate(fallback: &dyn DynFallback, control: NonNull<Control>, align: usize) {
    // SAFETY: the caller's promise; read out, since the block goes away.
    let Control { base, capacity, .. } = unsafe { control.read() };
    if let Some(layout) = payload_layout(capacity, align) {
        // SAFETY: allocated by `allocate` with this layout.
        unsafe { fallback.free_payload(base, layout) };
    }
    // SAFETY: the same.
    unsafe { fallback.free_control(control.cast(), Layout::new::<Control>()) };
}

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
//! The deferred list is `protocol::deferred`.

use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;

use crate::protocol::deferred::{Deferred, Node};
use crate::protocol::slot_state::FALLBACK;
use crate::wipe;

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
/// live in the [statistics](crate::Pool::stats). No slot is lost, and nothing is freed twice.
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
/// tierpool::pool! { static POOL = [64 x 16], fallback = &tierpool::GlobalHeap; }
/// assert_eq!(POOL.zeroed(100_000)?.len(), 100_000);
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// On a chip whose heap spans PSRAM this is not sound where atomics do not work in PSRAM, since control blocks come
/// from the same allocator: use a fallback with internal control blocks there.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalHeap;

// SAFETY: the global allocator's contract; it is not called in the context of a drop.
#[cfg(feature = "alloc")]
unsafe impl Fallback for GlobalHeap {
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
    node: Node,
    pub(crate) base: NonNull<u8>,
    pub(crate) capacity: usize,
}

/// The layout of a payload; none if it is too large for one.
fn payload_layout(capacity: usize, align: usize) -> Option<Layout> {
    Layout::from_size_align(capacity, align).ok()
}

/// A buffer of `preferred` bytes, or else of `capacity`, aligned to `align`; its control block counts one handle.
#[cold]
#[inline(never)]
pub(crate) fn allocate(
    deferred: &Deferred,
    fallback: &dyn DynFallback,
    capacity: usize,
    preferred: usize,
    align: usize,
) -> Option<NonNull<Control>> {
    drain(deferred, fallback, align);
    let payload = |bytes: usize| {
        let layout = payload_layout(bytes.max(1).checked_next_multiple_of(align)?, align)?;
        Some((fallback.payload(layout)?, layout))
    };
    let (base, layout) = payload(preferred).or_else(|| if preferred > capacity { payload(capacity) } else { None })?;
    let Some(control) = fallback.control(Layout::new::<Control>()) else {
        // SAFETY: it has just come from there.
        unsafe { fallback.free_payload(base, layout) };
        return None;
    };
    let control = control.cast::<Control>();
    // SAFETY: memory for one control block, aligned, just allocated.
    unsafe { control.write(Control { node: Node::new(FALLBACK), base, capacity: layout.size() }) };
    deferred.count_made();
    Some(control)
}

/// Frees the buffer whose last handle is gone: now, or later where freeing is not allowed in an interrupt handler.
///
/// # Safety
/// `control` is a block that [`allocate`] has made with this `deferred`, `fallback` and `align`, and the caller its last holder.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free(deferred: &Deferred, fallback: &dyn DynFallback, align: usize, wipes: bool, control: NonNull<Control>) {
    // SAFETY: the caller is the last holder.
    let block = unsafe { control.as_ref() };
    block.node.state().touch_write();
    if wipes {
        // SAFETY: the same.
        unsafe { wipe::wipe(block.base, block.capacity) };
    }
    if fallback.free_in_interrupt() {
        // SAFETY: the same.
        unsafe { deallocate(fallback, control, align) };
    } else {
        // SAFETY: the same; `node` is the block's first field.
        unsafe { deferred.push(control.cast()) };
    }
    deferred.count_freed();
}

/// Gives all deferred buffers back to the fallback; tells how many.
pub(crate) fn drain(deferred: &Deferred, fallback: &dyn DynFallback, align: usize) -> usize {
    let mut drained = 0;
    let mut next = deferred.take_all();
    while let Some(node) = next {
        // SAFETY: the whole list is ours.
        next = unsafe { node.as_ref() }.next();
        // SAFETY: the same: each node is the first field of a block, whose last handle is gone.
        unsafe { deallocate(fallback, node.cast(), align) };
        drained += 1;
    }
    drained
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

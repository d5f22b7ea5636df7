//! Where requests go that no tier can serve: a heap of the user's choice, behind the same handles.
//!
//! ```text
//!   one block     ├─ control block { state, link, base, capacity } ─┼─ payload ─┤
//!                  ▲ handle.ctl                                      ▲ handle.ptr
//!
//!   apart         ├─ control block ─┤ internal RAM: its state is atomic        ├─ payload ─┤ anywhere, PSRAM included
//! ```
//!
//! | last drop | what happens |
//! |---|---|
//! | the fallback may free in an interrupt handler | the buffer goes back at once |
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
/// A buffer is one block of its memory: a control block, which holds the reference count, and the payload behind it. A heap whose
/// memory has no working atomics (PSRAM of ESP32, S2 and S3) names another one for the control blocks by
/// [`control`](Self::control).
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
///     fn free_in_interrupt(&self) -> bool {
///         false
///     }
///     fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
///         // SAFETY: the layout's size is not zero.
///         NonNull::new(unsafe { alloc(layout) })
///     }
///     unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
///         // SAFETY: it comes from `allocate` with this layout.
///         unsafe { dealloc(memory.as_ptr(), layout) }
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
/// - Atomic instructions work in the memory of `allocate`, unless `control` names another fallback; that one names none.
/// - All functions answer the same at any time: whether frees are allowed, and whether there is another fallback.
/// - With [`free_in_interrupt`](Self::free_in_interrupt), `deallocate` may be called in any context in which a handle is
///   dropped, an interrupt handler included, whatever it interrupted.
pub unsafe trait Fallback: Sync {
    /// Whether `deallocate` may be called in an interrupt handler. If not, last drops are deferred.
    fn free_in_interrupt(&self) -> bool;

    /// Memory; the size is not zero. `None` if there is none.
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes memory back.
    ///
    /// # Safety
    /// `memory` comes from `allocate` of the same fallback with the same layout, and is given up.
    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout);

    /// Where control blocks lie (16 bytes each on 32-bit targets), if not in front of the payload.
    fn control(&self) -> Option<&dyn Fallback> {
        None
    }
}

impl fmt::Debug for dyn Fallback {
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
    fn free_in_interrupt(&self) -> bool {
        false
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the pool asks for at least one byte.
        NonNull::new(unsafe { alloc::alloc::alloc(layout) })
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: it comes from `alloc` with this layout, by the caller.
        unsafe { alloc::alloc::dealloc(memory.as_ptr(), layout) }
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

const CONTROL: Layout = Layout::new::<Control>();

/// The layout of a payload; none if it is too large for one.
fn payload_layout(capacity: usize, align: usize) -> Option<Layout> {
    Layout::from_size_align(capacity, align).ok()
}

/// Memory of this layout. Misaligned memory is no memory.
fn aligned(fallback: &dyn Fallback, layout: Layout) -> Option<NonNull<u8>> {
    let memory = fallback.allocate(layout)?;
    if memory.addr().get() % layout.align() == 0 {
        return Some(memory);
    }
    // SAFETY: it has just come from there.
    unsafe { fallback.deallocate(memory, layout) };
    None
}

/// A buffer of `preferred` bytes, or else of `capacity`, aligned to `align`; its control block counts one handle.
#[cold]
#[inline(never)]
pub(crate) fn allocate(
    deferred: &Deferred,
    fallback: &dyn Fallback,
    capacity: usize,
    preferred: usize,
    align: usize,
) -> Option<NonNull<Control>> {
    drain(deferred, fallback, align);
    let block = |bytes: usize| {
        let payload = payload_layout(bytes.max(1).checked_next_multiple_of(align)?, align)?;
        let (control, base) = match fallback.control() {
            None => one_block(fallback, payload),
            Some(control) => apart(fallback, control, payload),
        }?;
        Some((control.cast::<Control>(), base, payload.size()))
    };
    let (control, base, capacity) = block(preferred).or_else(|| if preferred > capacity { block(capacity) } else { None })?;
    // SAFETY: memory for one control block, aligned, just allocated.
    unsafe { control.write(Control { node: Node::new(FALLBACK), base, capacity }) };
    deferred.count_made();
    Some(control)
}

/// Control block and payload in one block of memory.
fn one_block(fallback: &dyn Fallback, payload: Layout) -> Option<(NonNull<u8>, NonNull<u8>)> {
    let (both, offset) = CONTROL.extend(payload).ok()?;
    let control = aligned(fallback, both)?;
    // SAFETY: within the block.
    Some((control, unsafe { control.add(offset) }))
}

/// The payload from one fallback, the control block from the other.
fn apart(fallback: &dyn Fallback, control: &dyn Fallback, payload: Layout) -> Option<(NonNull<u8>, NonNull<u8>)> {
    let base = aligned(fallback, payload)?;
    let Some(control) = aligned(control, CONTROL) else {
        // SAFETY: it has just come from there.
        unsafe { fallback.deallocate(base, payload) };
        return None;
    };
    Some((control, base))
}

/// Frees the buffer whose last handle is gone: now, or later where freeing is not allowed in an interrupt handler.
///
/// # Safety
/// `control` is a block that [`allocate`] has made with this `deferred`, `fallback` and `align`, and the caller its last holder.
#[inline]
pub(crate) unsafe fn free(deferred: &Deferred, fallback: &dyn Fallback, align: usize, wipes: bool, control: NonNull<Control>) {
    // SAFETY: the caller is the last holder.
    let block = unsafe { control.as_ref() };
    block.node.state().touch_write();
    if wipes {
        // SAFETY: the same.
        unsafe { wipe::wipe(block.base, block.capacity) };
    }
    if fallback.free_in_interrupt() && fallback.control().is_none_or(Fallback::free_in_interrupt) {
        // SAFETY: the same.
        unsafe { deallocate(fallback, control, align) };
    } else {
        // SAFETY: the same; `node` is the block's first field.
        unsafe { deferred.push(control.cast()) };
    }
    deferred.count_freed();
}

/// Gives all deferred buffers back to the fallback; tells how many.
pub(crate) fn drain(deferred: &Deferred, fallback: &dyn Fallback, align: usize) -> usize {
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
unsafe fn deallocate(fallback: &dyn Fallback, control: NonNull<Control>, align: usize) {
    // SAFETY: the caller's promise; read out, since the block goes away.
    let Control { base, capacity, .. } = unsafe { control.read() };
    let Some(payload) = payload_layout(capacity, align) else { return }; // there is one: it was allocated with it
    // SAFETY: allocated by `allocate` with these layouts.
    unsafe {
        match fallback.control() {
            None => {
                if let Ok((both, _)) = CONTROL.extend(payload) {
                    fallback.deallocate(control.cast(), both);
                }
            }
            Some(other) => {
                fallback.deallocate(base, payload);
                other.deallocate(control.cast(), CONTROL);
            }
        }
    }
}

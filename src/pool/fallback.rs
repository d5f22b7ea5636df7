//! The fallback of a pool: a heap for the requests that no tier can serve, behind the same handles.
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
//! | the fallback may free at once | the memory is back at the heap when the drop returns |
//! | it may not (its lock would be entered again) | the control block is pushed on the *deferred list* of the pool, without a lock; the next allocation from the fallback, or `reclaim`, drains the list |
//!
//! The deferred list is `protocol::deferred`.

use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;

use crate::protocol::deferred::{Deferred, Node};
#[cfg(feature = "track")]
use crate::protocol::holder::Entry;
use crate::protocol::slot_state::FALLBACK;
use crate::wipe;

/// A heap behind a pool.
///
/// A buffer is one block of its memory: a control block, which holds the reference count, and the
/// payload behind it. Some heaps have memory without working atomics (PSRAM of ESP32, S2 and S3).
/// Such a heap names another one for the control blocks, by [`control`](Self::control).
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
/// assert_eq!(POOL.reclaim(), 1, "Heap does not say that it frees at once, so the drop was deferred");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// The pool checks the answers of a fallback. `None` (this interface has no null pointer) and
/// misaligned memory make the request fail, and the caller keeps what it had.
///
/// The functions of a fallback should not panic. If one does, the panic goes on to the code that
/// allocates, drops or reclaims, and memory of the fallback is lost. The lost memory is the payload
/// whose control block was asked for; or it is the buffer that was being freed, with all buffers
/// behind it on the deferred list. If the last drop of a buffer panicked in this way, the buffer
/// still counts as live in the [statistics](crate::Pool::stats). No slot is lost, and nothing is
/// freed twice.
///
/// # Safety
/// - The memory that `allocate` returns is at least as large as asked for. It belongs to the pool
///   alone, and is valid until it is deallocated. (The pool checks the alignment: it gives
///   misaligned memory back, and the request fails.)
/// - Atomic instructions work in the memory of `allocate`, unless `control` names another fallback.
///   That one names none.
/// - All functions always give the same answer: when frees are allowed, and whether there is another
///   fallback.
/// - If [`free_in_interrupt`](Self::free_in_interrupt) is true, `deallocate` may be called in an
///   interrupt handler, whatever that has interrupted.
/// - If [`free_at_once`](Self::free_at_once) is true, `deallocate` may be called in any context in
///   which the program drops a handle of a buffer of this fallback. The same holds for the fallback
///   of [`control`](Self::control).
pub unsafe trait Fallback: Sync {
    /// True if `deallocate` may be called in an interrupt handler.
    fn free_in_interrupt(&self) -> bool;

    /// True if the last drop of a buffer may call `deallocate`. Then the memory is back when the drop
    /// returns. If not, the drop is deferred.
    ///
    /// By default this is what [`free_in_interrupt`](Self::free_in_interrupt) says. A heap with a lock
    /// may say true in a program whose interrupt and signal handlers drop no handle of such a buffer.
    fn free_at_once(&self) -> bool {
        self.free_in_interrupt()
    }

    /// Allocates memory. The size is not zero. `None` if there is no memory.
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes memory back.
    ///
    /// # Safety
    /// `memory` comes from `allocate` of the same fallback with the same layout. The caller gives
    /// it up.
    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout);

    /// The fallback in whose memory control blocks lie (16 bytes each on 32-bit targets). `None` if
    /// they lie in front of the payload.
    fn control(&self) -> Option<&dyn Fallback> {
        None
    }

    // What the pool calls. They are provided here, and not functions of the pool, so that a program
    // without a fallback does not contain them.

    /// Allocates a buffer of at least `bytes` bytes, aligned to `align`. Not part of the interface.
    #[doc(hidden)]
    fn allocate_buffer(&self, bytes: usize, align: usize) -> Option<Allocated> {
        let elsewhere = self.control();
        let front = bytes_in_front(elsewhere, align);
        let capacity = bytes.max(1).checked_add(align - 1)? & !(align - 1);
        let layout = Layout::from_size_align(capacity.checked_add(front)?, align).ok()?;
        let memory = aligned(self.allocate(layout), layout, |memory| {
            // SAFETY: this memory has just come from there, with this layout.
            unsafe { self.deallocate(memory, layout) };
        })?;
        let control = match elsewhere {
            None => memory,
            Some(elsewhere) => {
                let control = aligned(elsewhere.allocate(CONTROL), CONTROL, |control| {
                    // SAFETY: as above.
                    unsafe { elsewhere.deallocate(control, CONTROL) };
                });
                if control.is_none() {
                    // SAFETY: as above.
                    unsafe { self.deallocate(memory, layout) };
                }
                control?
            }
        };
        // SAFETY: the payload begins `front` bytes behind the start of its block.
        Some(Allocated { control, base: unsafe { memory.add(front) }, capacity })
    }

    /// Takes back a buffer of `allocate_buffer`. Not part of the interface.
    ///
    /// # Safety
    /// `buffer` comes from `allocate_buffer` of the same fallback with the same `align`, and is
    /// given up.
    #[doc(hidden)]
    unsafe fn deallocate_buffer(&self, buffer: Allocated, align: usize) {
        let elsewhere = self.control();
        let front = bytes_in_front(elsewhere, align);
        // SAFETY: `allocate_buffer` has allocated this memory with these layouts.
        unsafe {
            let layout = Layout::from_size_align_unchecked(front + buffer.capacity, align);
            self.deallocate(buffer.base.sub(front), layout);
            if let Some(elsewhere) = elsewhere {
                elsewhere.deallocate(buffer.control, CONTROL);
            }
        }
    }
}

impl fmt::Debug for dyn Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("free_in_interrupt", &self.free_in_interrupt())
            .field("free_at_once", &self.free_at_once())
            .finish_non_exhaustive()
    }
}

/// The global allocator as a fallback. It must not be entered from an interrupt handler.
///
/// | feature | last drop of a buffer |
/// |---|---|
/// | `alloc` | is deferred, so any context may drop it |
/// | `std` | frees at once: **the last handle must not drop in a signal handler**, or in an interrupt handler of a chip with `std` |
///
/// A program with `std` that has such handlers needs a fallback of its own, which says so by
/// [`free_at_once`](Fallback::free_at_once). Buffers of [`alloc_pooled`](crate::Pool::alloc_pooled)
/// never come from a fallback, so any context may drop them.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 16], fallback = &tierpool::GlobalHeap; }
/// assert_eq!(POOL.zeroed(100_000)?.len(), 100_000);
/// assert_eq!(POOL.reclaim(), usize::from(cfg!(not(feature = "std"))));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// If the heap of a chip includes PSRAM, and atomics do not work in PSRAM, this is not sound,
/// because control blocks come from the same allocator. There, use a fallback with control blocks
/// in internal RAM.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalHeap;

// SAFETY: the contract of the global allocator. Without `std` it is not called in the context of a
// drop. With `std` a drop is ordinary code: the documentation asks programs with handlers for it.
#[cfg(feature = "alloc")]
unsafe impl Fallback for GlobalHeap {
    fn free_in_interrupt(&self) -> bool {
        false
    }

    fn free_at_once(&self) -> bool {
        cfg!(feature = "std")
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the pool asks for at least one byte.
        NonNull::new(unsafe { alloc::alloc::alloc(layout) })
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the memory comes from `alloc` with this layout, as the caller promises.
        unsafe { alloc::alloc::dealloc(memory.as_ptr(), layout) }
    }
}

/// The control block of a fallback buffer. A handle points at it instead of at the state word of a
/// slot.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Control {
    /// The state word and the link. It is the first field, so that a pointer to it is a pointer to
    /// the block.
    node: Node,
    /// The start of the payload.
    pub(crate) base: NonNull<u8>,
    /// The size of the payload in bytes. At least 1.
    pub(crate) capacity: usize,
    /// Where the pool lists it, if there is room in the list.
    #[cfg(feature = "track")]
    pub(crate) entry: Option<&'static Entry>,
}

/// The layout of a control block.
const CONTROL: Layout = Layout::new::<Control>();

// The alignment of a buffer is enough for the control block in front of it.
const _: () = assert!(CONTROL.align() <= align_of::<u64>());

/// Bytes in front of a payload, in the same block of memory: 0 if control blocks lie elsewhere.
fn bytes_in_front(control: Option<&dyn Fallback>, align: usize) -> usize {
    if control.is_some() { 0 } else { (CONTROL.size() + align - 1) & !(align - 1) }
}

/// Memory that is aligned as `layout` asks. Misaligned memory is given back, and counts as none.
pub(super) fn aligned(
    memory: Option<NonNull<u8>>,
    layout: Layout,
    give_back: impl FnOnce(NonNull<u8>),
) -> Option<NonNull<u8>> {
    let memory = memory?;
    if memory.addr().get() & (layout.align() - 1) == 0 {
        return Some(memory);
    }
    give_back(memory);
    None
}

/// Where the parts of a buffer lie, and the bytes of its payload.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    control: NonNull<u8>,
    base: NonNull<u8>,
    capacity: usize,
}

/// Allocates a buffer of `preferred` bytes, or else of `capacity` bytes, aligned to `align`. Its
/// control block counts one handle.
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
    let mut found = fallback.allocate_buffer(preferred, align);
    if found.is_none() && preferred > capacity {
        found = fallback.allocate_buffer(capacity, align);
    }
    let Allocated { control, base, capacity } = found?;
    let control = control.cast::<Control>();
    // SAFETY: the memory of one control block, aligned and just allocated.
    unsafe {
        control.write(Control {
            node: Node::new(FALLBACK),
            base,
            capacity,
            #[cfg(feature = "track")]
            entry: None,
        })
    };
    deferred.count_made();
    Some(control)
}

/// Frees the buffer whose last handle is gone: now, or later if the fallback may not free at once.
/// True if somebody waits for memory of the fallback, and must be told.
///
/// # Safety
/// `control` is a block that [`allocate`] has made with this `deferred`, `fallback` and `align`.
/// The caller is its last holder.
#[inline]
pub(crate) unsafe fn free(
    deferred: &Deferred,
    fallback: &dyn Fallback,
    align: usize,
    wipes: bool,
    control: NonNull<Control>,
) -> bool {
    // SAFETY: the caller is the last holder, so the block is valid.
    let block = unsafe { control.as_ref() };
    block.node.state().touch_write();
    if wipes {
        // SAFETY: the caller is the last holder.
        unsafe { wipe::wipe(block.base, block.capacity) };
    }
    if fallback.free_at_once() {
        // SAFETY: the caller is the last holder.
        unsafe { deallocate(fallback, control, align) };
    } else {
        // SAFETY: the caller is the last holder. `node` is the first field of the block.
        unsafe { deferred.push(control.cast()) };
    }
    deferred.count_freed()
}

/// Gives all deferred buffers back to the fallback. Returns how many.
pub(crate) fn drain(deferred: &Deferred, fallback: &dyn Fallback, align: usize) -> usize {
    let mut drained = 0;
    let mut next = deferred.take_all();
    while let Some(node) = next {
        // SAFETY: the whole list belongs to us.
        next = unsafe { node.as_ref() }.next();
        // SAFETY: the whole list belongs to us. Each node is the first field of a block whose last
        // handle is gone.
        unsafe { deallocate(fallback, node.cast(), align) };
        drained += 1;
    }
    drained
}

/// Gives the memory of a buffer back to the fallback.
///
/// # Safety
/// `control` is a block of `fallback`, made with `align`. No handle on it exists.
unsafe fn deallocate(fallback: &dyn Fallback, control: NonNull<Control>, align: usize) {
    // SAFETY: the caller promises it. The fields are copied out, because the block goes away.
    let Control { base, capacity, .. } = unsafe { control.read() };
    let buffer = Allocated { control: control.cast(), base, capacity };
    // SAFETY: `allocate` has allocated it from this fallback, with this alignment.
    unsafe { fallback.deallocate_buffer(buffer, align) };
}

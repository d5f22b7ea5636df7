//! The list that the DMA follows: which part of a buffer lies where.
//!
//! ```text
//!   memory   [ flags │ buffer │ next ]──►[ flags │ buffer │ next ]──►[ flags │ buffer │ null ]
//!                        │                          │                          │
//!   buffer               ├───────── CHUNK ──────────┼───────── CHUNK ──────────┼─ the rest ─┤
//! ```
//!
//! The first entry also says whether a transfer has it: then its `buffer` is not null.

use core::ptr::{NonNull, null_mut};

use esp_hal::dma::DmaDescriptor;
use esp_hal::dma::aligned::InternalMemory;

use crate::chip::{self, CHUNK};

/// Memory for `N` descriptors, which lies in lines of the cache of its own: a static.
pub type DescriptorMemory<const N: usize> = InternalMemory<[DmaDescriptor; N]>;

/// Descriptors for one transfer at a time.
///
/// They go into an [`RxBuffer`](crate::RxBuffer) or a [`TxBuffer`](crate::TxBuffer), and come back
/// with the buffer when the transfer has ended.
///
/// ```
/// use static_cell::ConstStaticCell;
/// use tierpool_esp_hal::{DescriptorMemory, Descriptors};
///
/// static MEMORY: ConstStaticCell<DescriptorMemory<2>> =
///     ConstStaticCell::new(Descriptors::memory());
///
/// let descriptors = Descriptors::new(MEMORY.take());
/// assert_eq!(descriptors.count(), 2);
/// ```
#[derive(Debug)]
pub struct Descriptors {
    /// As a pointer: the DMA writes to the entries, which a reference would deny.
    first: NonNull<DmaDescriptor>,
    count: usize,
}

// SAFETY: the memory is this value's alone, as `new` got it, and any core may use it.
unsafe impl Send for Descriptors {}

impl Descriptors {
    /// Memory for `N` descriptors, for a static.
    pub const fn memory<const N: usize>() -> DescriptorMemory<N> {
        InternalMemory::new([DmaDescriptor::EMPTY; N])
    }

    /// Takes the memory for ever.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Panics
    /// If the memory does not lie in internal RAM, as esp-hal does. That of a static lies there.
    pub fn new<const N: usize>(memory: &'static mut DescriptorMemory<N>) -> Self {
        let entries: &'static mut [DmaDescriptor] = memory.get_mut().unsize().into_inner();
        entries.fill(DmaDescriptor::EMPTY);
        Descriptors { count: entries.len(), first: NonNull::from(entries).cast() }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// How many a transfer of so many bytes needs.
    ///
    /// ```
    /// use tierpool_esp_hal::{CHUNK, Descriptors};
    ///
    /// assert_eq!(Descriptors::needed(1500), 1);
    /// assert_eq!(Descriptors::needed(2 * CHUNK + 1), 3);
    /// ```
    pub const fn needed(bytes: usize) -> usize {
        bytes.div_ceil(CHUNK)
    }

    /// Lays the list over `bytes` bytes from `start`, and returns its head. The caller has checked
    /// that there are enough. `fill` gets each entry, the bytes of its part, and whether it is the
    /// last.
    pub(crate) fn link(
        &mut self,
        start: *mut u8,
        bytes: usize,
        fill: fn(&mut DmaDescriptor, usize, bool),
    ) -> *mut DmaDescriptor {
        debug_assert!(bytes > 0 && Self::needed(bytes) <= self.count);
        let mut next = null_mut();
        for index in (0..Self::needed(bytes).min(self.count)).rev() {
            let offset = index * CHUNK;
            let mut entry = DmaDescriptor::EMPTY;
            entry.buffer = start.wrapping_add(offset);
            entry.next = next;
            entry.set_size(CHUNK.min(bytes - offset));
            fill(&mut entry, CHUNK.min(bytes - offset), next.is_null());
            // SAFETY: below the number of entries, and no transfer runs: only its owner calls this.
            next = unsafe { self.first.add(index) }.as_ptr();
            // SAFETY: as above. Volatile: another reads it.
            unsafe { next.write_volatile(entry) };
        }
        // SAFETY: the entries are ours, and nothing writes to them here.
        chip::write_back(unsafe { NonNull::slice_from_raw_parts(self.first, self.count).as_ref() });
        next
    }

    /// True from `link` to `unlink`.
    pub(crate) fn is_linked(&self) -> bool {
        // SAFETY: the first entry is ours. Of it the DMA writes to the flags alone.
        self.count > 0 && !unsafe { (&raw const (*self.first.as_ptr()).buffer).read() }.is_null()
    }

    /// Marks the list as used up.
    pub(crate) fn unlink(&mut self) {
        if self.count > 0 {
            // SAFETY: the first entry is ours, and no transfer runs.
            unsafe { self.first.write_volatile(DmaDescriptor::EMPTY) };
        }
    }

    /// The bytes that a transfer has written, as far as they lie one behind the other: what comes
    /// behind an entry that is not full does not count. To be called when the transfer has ended,
    /// with the `bytes` of `link`.
    pub(crate) fn received(&mut self, bytes: usize) -> usize {
        // SAFETY: the memory is ours, and its lines hold nothing else. `link` has written it back,
        // and since then nobody but the DMA has written to it.
        unsafe {
            chip::invalidate(NonNull::slice_from_raw_parts(self.first, self.count).as_mut());
        }
        let mut total = 0;
        for index in 0..Self::needed(bytes).min(self.count) {
            // SAFETY: below the number of entries. Volatile: the DMA has written to it.
            let entry = unsafe { self.first.add(index).read_volatile() };
            let part = CHUNK.min(bytes - total);
            // What the hardware says is not trusted beyond what it was given.
            total += entry.len().min(part);
            if entry.len() < part {
                break;
            }
        }
        total
    }
}

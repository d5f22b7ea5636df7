//! [esp-alloc](https://docs.rs/esp-alloc) as the fallback of a pool: the heap of ESP32 chips.
//!
//! ```text
//!                   payload            control blocks, with the reference counts
//!   INTERNAL        internal RAM       in front of the payload, in one block
//!   PSRAM           PSRAM              internal RAM: on ESP32, S2 and S3 atomics do not work in PSRAM
//! ```
//!
//! Both take memory from `esp_alloc::HEAP`. The program adds memory to it before the first request.
//! Without memory of that kind, requests fail, as they do on a full heap. The memory that is added
//! as internal must be RAM where atomics work. The `heap_allocator!` of esp-alloc makes sure of
//! that.
//!
//! The lock of the heap panics if it is entered again. So a last drop does not take it. It defers
//! the free to the next request of the pool to the heap, or to
//! [`Pool::reclaim`](crate::Pool::reclaim). So a last drop may happen in an interrupt handler, or
//! in a critical section, like any other drop.
//!
//! The final binary chooses the chip, through its own dependency on esp-alloc
//! (`features = ["esp32s3"]`).
//!
//! ```
//! use tierpool::esp_alloc::{INTERNAL, PSRAM};
//!
//! tierpool::pool! {
//!     /// Frames. A rare one that is larger than any slot is short-lived: internal RAM.
//!     pub static RX = [64 x 8, 256 x 8, 576 x 8], spill = 1, fallback = &INTERNAL;
//! }
//! tierpool::pool! {
//!     /// Files, by DMA: payload in PSRAM is aligned to its cache lines, as the slots are.
//!     pub static FILES = [512 x 4], align = 64, fallback = &PSRAM;
//! }
//!
//! // On a chip: `esp_alloc::psram_allocator!(chip.PSRAM, esp_hal::psram)`.
//! # use esp_alloc::{HEAP, HeapRegion, MemoryCapability};
//! # let external = Vec::leak(vec![0_u8; 65_536]);
//! # let internal = Vec::leak(vec![0_u8; 4096]);
//! # // SAFETY: nobody else's, for ever.
//! # unsafe {
//! #     HEAP.add_region(HeapRegion::new(external.as_mut_ptr(), external.len(), MemoryCapability::External.into()));
//! #     HEAP.add_region(HeapRegion::new(internal.as_mut_ptr(), internal.len(), MemoryCapability::Internal.into()));
//! # }
//! let file = FILES.zeroed(10_000)?.freeze();
//! assert_eq!(file.as_ptr().addr() % 64, 0);
//! # Ok::<(), tierpool::AllocError>(())
//! ```
//!
//! For any other pair, use [`AllocatorFallback::with_control`] with `AnyMemory` and
//! `InternalMemory` of esp-alloc. An example is payload in whatever memory has room. The
//! [guide](crate::guide#dma) has the pairs of esp-alloc's `DmaCompatibleInternalMemory` and
//! `DmaCompatibleExternalMemory`.

use crate::interop::allocator_api2::allocator_api2_03::AllocatorFallback;
use ::esp_alloc::{ExternalMemory, InternalMemory};

/// Takes all memory from internal RAM: one block per buffer, with 16 bytes in front of the payload.
///
/// Interrupt handler: allocation no, drop yes. Cost: one request to the heap, under its lock.
///
/// ```
/// tierpool::pool! { static TX = default, fallback = &tierpool::esp_alloc::INTERNAL; }
///
/// // No memory has been added to the heap here.
/// assert_eq!(TX.alloc(5000).unwrap_err(), tierpool::AllocError::Oversized);
/// ```
// SAFETY: atomics work in internal RAM. A program that adds other memory as internal breaks the
// promise above.
pub static INTERNAL: AllocatorFallback<InternalMemory> =
    unsafe { AllocatorFallback::new(InternalMemory) };

/// Takes the payload from PSRAM, and control blocks (16 bytes each) from internal RAM.
///
/// Interrupt handler: allocation no, drop yes. Cost: two requests to the heap, each under its lock.
///
/// ```
/// tierpool::pool! { static TX = default, fallback = &tierpool::esp_alloc::PSRAM; }
///
/// // No memory has been added to the heap here.
/// assert_eq!(TX.alloc(5000).unwrap_err(), tierpool::AllocError::Oversized);
/// ```
// SAFETY: as above.
pub static PSRAM: AllocatorFallback<ExternalMemory, InternalMemory> =
    unsafe { AllocatorFallback::with_control(ExternalMemory, InternalMemory) };

//! Lock-free, multi-tier byte-buffer pools with copy-on-write handles, for multicore firmware.
//!
//! [The guide](guide) goes from the first pool to packets, waits, statistics and tests.
//!
//! ```
//! const MTU: usize = 500;
//!
//! tierpool::pool! {
//!     /// Packets on their way in.
//!     pub static RX = [256 x 16, 512 x 16, 1024 x 16], spill = 1;
//! }
//!
//! let mut buffer = RX.alloc(MTU)?; // one compare-and-swap, also in an interrupt handler
//! buffer.extend_from_slice(b"a frame from the radio")?;
//! let packet = buffer.freeze(); // a bit copy
//! let mut hop = packet.clone(); // one atomic addition
//! hop.make_mut()?[0] = b'A'; // copies, since it is shared
//! drop((packet, hop)); // each buffer is back in its tier
//! # Ok::<(), tierpool::AllocError>(())
//! ```
//!
//! # The layers
//! Imports go one way. Each layer is a folder of the sources:
//!
//! ```text
//!   interop, cache, wait, raw ──► buf (handles) ──► pool (tiers, memory) ──► protocol (every ordering)
//! ```
//!
//! [The design](design#layers) draws them with all that they import.
//! [The glossary](design#glossary) explains the terms.
//!
//! # In an interrupt handler
//! You may call: [`Pool::alloc_pooled`], and [`Pool::alloc`] of a pool without a fallback; every
//! method of a handle that does not have to allocate from a fallback; every drop, in any pool; the
//! raw layer. Nothing takes a lock, so it does not matter what was interrupted. A drop that ends a
//! wait calls the hook of the pool and wakes tasks. The hook and the wakers must be fit for an
//! interrupt handler.
//!
//! You may not: allocate from a fallback, or call [`Pool::reclaim`]. You may not drop a buffer of a
//! fallback that [frees at once](Fallback::free_at_once), unless it may do so in an interrupt
//! handler. [`GlobalHeap`] with `std` is such a fallback.
//!
//! While flash is written, its cache is off, and the program cannot reach code and constants in
//! flash. If a handler must run at that time, it must not use a pool whose code or descriptor lies
//! in flash. For ESP32 chips, `firmware/esp` in the repository shows how the linker places both
//! into RAM (its feature `iram`).
//!
//! # Memory
//! Heads, state words and the control blocks of fallback buffers are the targets of atomic
//! instructions. On chips whose PSRAM has no working atomics (ESP32, S2, S3) they must lie in
//! internal RAM. Payload may lie anywhere.
//!
//! On 32-bit targets the metadata takes 4 bytes per slot, 16 per tier and 40 per pool. A pool takes
//! 8 more bytes with `wait`, and 8 more with `alloc` or an `allocator-api2`. The payload begins and
//! ends at a multiple of 64 bytes.
//!
//! # Features
//! | feature | brings |
//! |---|---|
//! | none (default) | `no_std` without `alloc`: everything except the following |
//! | `alloc` | [`Pool::leak`]: pools made at run time; the fallback [`GlobalHeap`]; [`PoolGlobalAlloc`]: a pool as the global allocator |
//! | `wait` | [`Pool::alloc_wait`], [`ObjectPool::alloc_wait`]: tasks of any executor wait for a buffer or an object |
//! | `embassy-net-driver-02` | [`net_driver`]: a driver for `embassy-net` whose packets are pool buffers; brings `wait` |
//! | `std` | `Read`, `BufRead` and `Write` of `std::io`; if a reference count overflows, the process aborts; [`GlobalHeap`] frees at once; brings `alloc` |
//! | `lanes` | [`Config::lanes`], [`ObjectLanes`]: several free lists for each tier, so that cores do not share a head |
//! | `reserve` | [`Pool::alloc_reserved`]: slots that plain requests never get, `[1514 x 12 + 4]`; [`Config::on_low`]: a hook for a tier that runs dry |
//! | `names` | [`Stats::name`]: statistics begin with the name of their pool, which `pool!` knows |
//! | `track` | [`Pool::held`], [`Stats::holders`]: the place in the code that holds each buffer, and since when; two words per slot |
//! | `histogram` | `Pool::histogram`: the sizes that a pool is asked for, for `tierpool fit`; one atomic addition per request |
//! | `record` | [`TraceAlloc`], [`TraceRecorder`]: a line for each allocation and free, for `tierpool record` |
//! | `portable-atomic-critical-section` | for targets without compare-and-swap: atomic operations go through the crate `critical-section` |
//! | `portable-atomic-unsafe-assume-single-core` | for single-core targets without compare-and-swap: atomic operations mask interrupts |
//! | `allocator-api2-02` | `Allocator` of version 0.2, as `hashbrown` takes it, for `&'static Pool`; a [`Fallback`] made of any two such allocators |
//! | `allocator-api2-03` | the same with version 0.3, as `esp-alloc` has it |
//! | `nightly` | on a nightly toolchain: needed for `allocator-api2-02` if another crate turns on `allocator-api2/nightly` |
//! | `esp-alloc` | fallbacks on the heap of ESP32 chips, `esp_alloc::INTERNAL`, and `esp_alloc::PSRAM` with its control blocks in internal RAM; the program chooses the chip, by its own dependency on esp-alloc |
//! | `bytes` | `Buf` and `BufMut` for the handles; conversion into `bytes::Bytes` without a copy; see [`guide::moving_from_bytes`] |
//! | `embedded-io-07` | `Read`, `BufRead` and `ReadReady` for both handles and chains, `Write` and `WriteReady` for [`BytesMut`] and [`ChainMut`] |
//! | `embedded-io-async-07` | the same of embedded-io-async |
//! | `defmt` | `Format` for handles, errors and statistics; other loggers use the `Display` of [`Stats`] |
//! | `serde` | handles as bytes, statistics as a map; a pool is a `DeserializeSeed` |
//! | `zeroize` | `Zeroize` for [`BytesMut`]; see also [`Config::zero_on_free`] |
//! | `stable_deref_trait` | `StableDeref` for handles and objects, `CloneStableDeref` for those that are shared: drivers on `embedded-dma` 0.2 take them, and `yoke` makes parsed views that own their bytes |
//! | `postcard-1` | `ser_flavors::Flavor` for [`BytesMut`] |
//! | `minicbor-2` | `encode::Write` for [`BytesMut`] and [`ChainMut`] |
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(feature = "nightly", feature(allocator_api))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", loom, shuttle, test))]
extern crate std;

mod buf;
mod cache;
mod error;
pub mod guide;
mod interop;
mod limits;
mod object_pool;
mod pool;
mod protocol;
mod raw;
#[cfg(feature = "wait")]
mod wait;
mod wipe;

pub use buf::{Bytes, BytesMut, Chain, ChainFull, ChainMut, IntoMutError};
pub use cache::PoolCache;
pub use error::{AllocError, Error, FreeError, RangeError};
#[cfg(feature = "allocator-api2-02")]
pub use interop::allocator_api2::allocator_api2_02;
#[cfg(feature = "allocator-api2-03")]
pub use interop::allocator_api2::allocator_api2_03;
#[cfg(feature = "esp-alloc")]
pub use interop::esp_alloc;
#[cfg(feature = "alloc")]
pub use interop::global::PoolGlobalAlloc;
#[cfg(all(feature = "embassy-net-driver-02", not(loom)))]
pub use interop::net_driver;
#[cfg(all(feature = "record", not(loom)))]
pub use interop::record::{TraceAlloc, TraceRecorder};
#[cfg(feature = "lanes")]
pub use object_pool::lanes::ObjectLanes;
pub use object_pool::recycle::{RecyclePool, Recycled};
pub use object_pool::shared::SharedObject;
pub use object_pool::{Object, ObjectPool};
pub use pool::Pool;
pub use pool::build::{PoolStorage, SlotState};
pub use pool::config::Config;
pub use pool::config_error::ConfigError;
pub use pool::fallback::Fallback;
#[cfg(feature = "alloc")]
pub use pool::fallback::GlobalHeap;
#[cfg(feature = "track")]
pub use pool::held::{HeldBuffer, HolderStats};
#[cfg(feature = "histogram")]
pub use pool::histogram::Histogram;
#[cfg(all(feature = "lanes", feature = "std"))]
pub use pool::lanes::thread_lane;
#[cfg(feature = "reserve")]
pub use pool::stats::ReserveStats;
pub use pool::stats::{Stats, TierStats};
#[cfg(feature = "wait")]
pub use pool::waiters::Waiters;
#[cfg(feature = "track")]
pub use protocol::holder::Holder;
#[cfg(feature = "wait")]
pub use wait::WaitError;
#[cfg(feature = "wait")]
pub use wait::buffers::AllocWait;
#[cfg(feature = "wait")]
pub use wait::objects::{ObjectWait, RecycledWait};

#[cfg(doc)]
#[doc = include_str!("../DESIGN.md")]
pub mod design {}

/// The example of the README is compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

/// The items that [`pool!`] expands to. They are not part of the interface.
#[doc(hidden)]
pub mod __private {
    /// For the C interface. Its header names the bytes of a pool with this feature and without it.
    pub const HISTOGRAM: bool = cfg!(feature = "histogram");
    /// The same.
    pub const RESERVE: bool = cfg!(feature = "reserve");
    /// C has no calls for this feature, and its header no bytes.
    pub const TRACK: bool = cfg!(feature = "track");

    #[cfg(loom)]
    pub use crate::buf::bytes::state_of;
    pub use crate::pool::build::{Align, Alignment, Metadata, Payload, static_pool, static_tiers};
    #[cfg(all(feature = "c-hooks", not(any(loom, shuttle))))]
    pub use crate::pool::build_in_zeros::StorageParts;
    pub use crate::pool::config::{DEFAULT_TIERS, StaticLayout};
    pub use crate::pool::tier::Tier;
    #[cfg(loom)]
    pub use crate::protocol::counter::Counter;
    #[cfg(loom)]
    pub use crate::protocol::holder::{Entry, Listed};
    #[cfg(loom)]
    pub use crate::protocol::settle::Words;
    #[cfg(all(feature = "wait", loom))]
    pub use crate::protocol::waker_cell::WakerCell;
}

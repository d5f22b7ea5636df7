//! The traits of other crates, each behind the feature that names the crate.
//!
//! | file | feature | brings |
//! |---|---|---|
//! | `global` | `alloc` | [`PoolGlobalAlloc`](crate::PoolGlobalAlloc), a global allocator |
//! | `allocator_api2` | `allocator-api2-02`, `-03` | `Allocator` for pools; a fallback made of two allocators |
//! | `record` | `record` | [`TraceAlloc`](crate::TraceAlloc), a global allocator that writes down what another does |
//! | `block` | `alloc` or any of those two | the common part of `global` and `allocator_api2` |
//! | `unwinding` | those of the two above, and `record` | what an allocator must not do |
//! | `esp_alloc` | `esp-alloc` | fallbacks on the heap of ESP32 chips |
//! | `bytes` | `bytes` | `Buf`, `BufMut`, conversions; the whole comparison is [`moving_from_bytes`](crate::guide::moving_from_bytes) |
//! | `embedded_io` | `embedded-io-07`, `embedded-io-async-07` | `Read`, `BufRead`, `Write` |
//! | `std_io` | `std` | `Read`, `BufRead`, `Write` of `std::io`; our errors as `io::Error` |
//! | `reader` | `embedded-io-07` or `std` | what these readers have in common |
//! | `defmt` | `defmt` | `Format` for handles, errors, statistics |
//! | `net_driver` | `embassy-net-driver-02` | a driver for embassy-net whose packets are pool buffers |
//! | `serde` | `serde` | `Serialize`; a pool as a `DeserializeSeed` |
//! | `zeroize` | `zeroize` | `Zeroize` for `BytesMut` |
//! | `stable_deref` | `stable_deref_trait` | `StableDeref` for handles and objects |
//! | `postcard` | `postcard-1` | `Flavor` for `BytesMut` |
//! | `minicbor` | `minicbor-2` | `Write` for `BytesMut` and `ChainMut` |

#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03"))]
pub mod allocator_api2;
#[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03"))]
mod block;
#[cfg(feature = "bytes")]
mod bytes;
#[cfg(feature = "defmt")]
mod defmt;
#[cfg(feature = "embedded-io-07")]
mod embedded_io;
#[cfg(feature = "esp-alloc")]
pub mod esp_alloc;
#[cfg(feature = "alloc")]
pub mod global;
#[cfg(feature = "minicbor-2")]
mod minicbor;
#[cfg(all(feature = "embassy-net-driver-02", not(loom)))]
pub mod net_driver;
#[cfg(feature = "postcard-1")]
mod postcard;
#[cfg(any(feature = "embedded-io-07", feature = "std"))]
mod reader;
#[cfg(all(feature = "record", not(loom)))]
pub mod record;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "stable_deref_trait")]
mod stable_deref;
#[cfg(feature = "std")]
mod std_io;
#[cfg(any(
    feature = "alloc",
    feature = "allocator-api2-02",
    feature = "allocator-api2-03",
    feature = "record"
))]
mod unwinding;
#[cfg(feature = "zeroize")]
mod zeroize;

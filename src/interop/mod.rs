//! At home in the ecosystem: the traits of other crates, each behind the feature that names the crate.
//!
//! | file | feature | brings |
//! |---|---|---|
//! | `global` | `alloc` | [`PoolAlloc`](crate::PoolAlloc), a global allocator |
//! | `allocator_api2` | `allocator-api2-02`, `-03`, `-04` | `Allocator` for pools, fallbacks out of two allocators |
//! | `block` | any of those two | what they have in common |
//! | `bytes` | `bytes` | `Buf`, `BufMut`, conversions; the whole comparison is [`moving_from_bytes`](crate::moving_from_bytes) |

#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
pub mod allocator_api2;
#[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
mod block;
#[cfg(feature = "bytes")]
mod bytes;
#[cfg(feature = "alloc")]
pub mod global;

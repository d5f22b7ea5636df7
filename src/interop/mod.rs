//! At home in the ecosystem: the traits of other crates, each behind the feature that names the crate.
//!
//! | file | feature | brings |
//! |---|---|---|
//! | `global` | `alloc` | [`PoolAlloc`](crate::PoolAlloc), a global allocator |
//! | `allocator_api2` | `allocator-api2-02`, `-03`, `-04` | `Allocator` for pools, fallbacks out of two allocators |
//! | `block` | any of those | what they have in common |

#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
pub mod allocator_api2;
#[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
mod block;
#[cfg(feature = "alloc")]
pub mod global;

//! At home in the ecosystem: the traits of other crates, each behind the feature that names the crate.
//!
//! | file | feature | brings |
//! |---|---|---|
//! | `global` | `alloc` | [`PoolAlloc`], a global allocator |
//! | `block` | | what that one and the next have in common |

#[cfg(feature = "alloc")]
mod block;
#[cfg(feature = "alloc")]
mod global;

#[cfg(feature = "alloc")]
pub use global::PoolAlloc;

//! How large a pool may be.
//!
//! | limit | why |
//! |---|---|
//! | [`MAX_TIERS`] | statistics keep one row per tier on the stack |
//! | [`MAX_SIZE`] | the exact division by a slot's size works on 32 bits |
//! | [`MAX_ALIGN`] | what a linker aligns a static to on every target |
//! | `MAX_SLOTS`, in `protocol::free_list` | the head has 10 bits for an index |

/// The most tiers of one pool.
pub(crate) const MAX_TIERS: usize = 16;
/// The largest slot, in bytes.
pub(crate) const MAX_SIZE: usize = 65_536;
/// The largest alignment, in bytes.
pub(crate) const MAX_ALIGN: usize = 4096;
/// Base and end of a payload region are aligned at least to this, in bytes, so that payload shares no cache line
/// with heads and states (the widest line among the targets that cache internal RAM: ESP32-P4).
pub(crate) const REGION_ALIGN: usize = 64;
/// The most lanes of one tier.
#[cfg(feature = "lanes")]
pub(crate) const MAX_LANES: usize = 64;

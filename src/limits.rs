//! The limits of a pool.
//!
//! | limit | why |
//! |---|---|
//! | [`MAX_TIERS`] | statistics keep one row per tier on the stack |
//! | [`MAX_SIZE`] | the exact division by the size of a slot works on 32 bits |
//! | [`MAX_ALIGN`] | the linker of every target can align a static to this |
//! | `MAX_SLOTS`, in `protocol::free_list` | the head has 10 bits for an index |

/// The most tiers of one pool.
pub(crate) const MAX_TIERS: usize = 16;
/// The largest slot, in bytes.
pub(crate) const MAX_SIZE: usize = 65_536;
/// The largest alignment, in bytes.
pub(crate) const MAX_ALIGN: usize = 4096;
/// Start and end of a payload region are aligned to at least this, in bytes. So payload shares no
/// cache line with heads and states. It is the longest cache line of the targets that cache
/// internal RAM (ESP32-P4).
pub(crate) const REGION_ALIGN: usize = 64;
/// The most lanes of one tier.
#[cfg(feature = "lanes")]
pub(crate) const MAX_LANES: usize = 64;

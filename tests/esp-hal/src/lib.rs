//! The DMA buffers of esp-hal 1.2 on a host, in place of that crate, which is made of a chip's own
//! registers (`[patch.crates-io]` in the workspace's `Cargo.toml`).
//!
//! | | on a chip | here |
//! |---|---|---|
//! | `dma`: descriptors, traits, errors, what a buffer is checked for | esp-hal's | the same, as far as `tierpool-esp-hal` uses it |
//! | a channel that follows descriptors | hardware | [`host::Channel`] |
//! | internal RAM, PSRAM, flash | by address | all memory is internal, but for what a test [names](host::place) |
//! | with `esp32p4`: a cache before all memory; with other chips that have PSRAM: before that | hardware | [`host::memory`]: the DMA sees what was written back, and cores see what was invalidated |

pub mod dma;
pub mod host;

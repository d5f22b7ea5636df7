#![doc = include_str!("guide.md")]

#[cfg(doc)]
pub mod moving_from_bytes;

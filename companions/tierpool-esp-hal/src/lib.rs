#![no_std]
#![doc = include_str!("../README.md")]

mod chip;
mod descriptors;
mod error;
mod rx;
mod tx;

pub use chip::CHUNK;
pub use descriptors::{DescriptorMemory, Descriptors};
pub use error::{Error, Refused};
pub use rx::RxBuffer;
pub use tx::TxBuffer;

/// A buffer while the DMA works on it. Nothing can be done with it: the driver turns it back when
/// the transfer has ended.
#[derive(Debug)]
pub struct InTransfer<B>(B);

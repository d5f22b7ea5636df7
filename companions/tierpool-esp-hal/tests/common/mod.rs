//! Descriptors for the tests.

use esp_hal::dma::aligned::InternalMemory;
use tierpool_esp_hal::Descriptors;

/// Where a room for received bytes begins and ends.
#[allow(dead_code)] // not in all tests
pub const ALIGN: usize = align_of::<InternalMemory<()>>();

pub fn descriptors<const N: usize>() -> Descriptors {
    Descriptors::new(Box::leak(Box::new(Descriptors::memory::<N>())))
}

/// Bytes of which no two neighbours are alike.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 251) as u8).collect()
}

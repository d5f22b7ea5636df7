//! What the chips ask for.
//!
//! | | ESP32 | C2, C3, C6, H2 | S2, S3, C5, C61, S31 | P4 |
//! |---|---|---|---|---|
//! | the DMA reaches PSRAM | no | no | yes | yes |
//! | a cache lies before internal RAM | no | no | no | yes |
//! | what is received starts, in internal RAM, at a multiple of | 4 | 4 | 4 | 64 |
//! | and in PSRAM, at one of | | | 64 | 128 |
//! | what is sent starts at a multiple of | 4 | 1 | 1 | 1 |
//!
//! These are esp-hal's own rules (`dma/buffers`, `dma/aligned.rs`), or stricter: esp-hal knows the
//! line of a cache before PSRAM, which may be shorter, and does not say it. A room for received
//! bytes begins and ends on such a multiple. So its cache lines hold nothing else, and nobody's
//! bytes are lost when they are invalidated.

use core::mem::MaybeUninit;

use esp_hal::dma::aligned::{DmaAlignedMut, DmaAlignedRef, InternalMemory};
use esp_hal::dma::{BurstConfig, DmaBufError, DmaDescriptor, Preparation};

const INTERNAL_ALIGN: usize = align_of::<InternalMemory<()>>();

const EXTERNAL_ALIGN: usize = if cfg!(feature = "esp32p4") {
    128
} else if cfg!(feature = "_psram") {
    64
} else {
    INTERNAL_ALIGN
};

/// Where bytes to be sent must start.
pub(crate) const TX_ALIGN: usize = if cfg!(feature = "esp32") { 4 } else { 1 };

/// The bytes that one descriptor takes: 4 092 at most, because a descriptor counts in 12 bits, and
/// each part of a buffer must begin where its memory asks for. 4 032 on chips whose DMA reaches
/// PSRAM, 3 968 on ESP32-P4.
pub const CHUNK: usize = 4096 - EXTERNAL_ALIGN;

const _: () = assert!(INTERNAL_ALIGN <= EXTERNAL_ALIGN && EXTERNAL_ALIGN.is_power_of_two());

/// Where a room for received bytes must begin and end, if it begins at this address.
pub(crate) fn rx_align(address: usize) -> usize {
    if is_internal(address) { INTERNAL_ALIGN } else { EXTERNAL_ALIGN }
}

#[cfg(any(target_arch = "riscv32", target_arch = "xtensa"))]
fn is_internal(address: usize) -> bool {
    (esp_metadata_generated::memory_range!("DRAM")).contains(&address)
}

/// On a host, where esp-hal is a stand-in.
#[cfg(not(any(target_arch = "riscv32", target_arch = "xtensa")))]
fn is_internal(address: usize) -> bool {
    esp_hal::host::is_internal(address)
}

/// True if the DMA can write there: esp-hal's own check, which looks at the alignment as well.
pub(crate) fn can_receive(room: &mut [MaybeUninit<u8>]) -> bool {
    DmaAlignedMut::new(room).is_ok()
}

/// True if the DMA can read there.
pub(crate) fn can_send(bytes: &[u8]) -> bool {
    // Outside internal RAM this is PSRAM, or flash, which is mapped into the same addresses. Which
    // of both, esp-hal's check says before it looks at the alignment, which sent bytes need not
    // have.
    is_internal(bytes.as_ptr().addr())
        || cfg!(feature = "_psram")
            && DmaAlignedRef::new(bytes).err() != Some(DmaBufError::UnsupportedMemoryRegion)
}

/// What a channel has to know of a transfer whose data begin at the address `data`.
pub(crate) fn preparation(
    start: *mut DmaDescriptor,
    data: usize,
    auto_write_back: bool,
) -> Preparation {
    let _ = data;
    Preparation {
        start,
        #[cfg(feature = "_psram")]
        accesses_psram: !is_internal(data),
        burst_transfer: BurstConfig::DEFAULT,
        check_owner: None,
        auto_write_back,
    }
}

/// What cores have written here goes to memory, where the DMA reads it. Does nothing where no cache
/// is.
pub(crate) fn write_back<T>(items: &[T]) {
    let _ = items;
    // SAFETY: writing lines back changes nothing that anybody sees, also where a line holds other
    // data beside these. Those may not be received into by DMA meanwhile: a room for received bytes
    // has whole lines.
    #[cfg(feature = "_psram")]
    unsafe { DmaAlignedRef::new_unchecked(items) }.writeback();
}

/// What the cache holds of this is forgotten, so that the next access reads memory. Does nothing
/// where no cache is.
///
/// # Safety
/// The lines hold nothing else, and nothing that only the cache knows and that is still wanted.
pub(crate) unsafe fn invalidate<T>(items: &mut [T]) {
    let _ = &items;
    // SAFETY: the caller promises it.
    #[cfg(feature = "_psram")]
    unsafe { DmaAlignedMut::new_unchecked(items) }.invalidate();
}

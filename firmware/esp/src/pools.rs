//! The pools: all in this module, so that the linker can find their descriptors by name
//! (`ld/iram/rwdata_hook.x`).

#[cfg(not(feature = "psram"))]
use tierpool::esp_alloc::INTERNAL as HEAP;
#[cfg(feature = "psram")]
use tierpool::esp_alloc::PSRAM as HEAP;

tierpool::pool! {
    /// Received frames, allocated in the radio's interrupt handler: never from a heap.
    pub static RX = default, spill = 1;
}

tierpool::pool! {
    /// Packets on their way out. What is larger than a frame comes from the heap.
    pub static TX = [64 x 8, 256 x 8, 576 x 8], spill = 1, fallback = &HEAP;
}

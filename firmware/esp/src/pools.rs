//! The pools: all in this module, so that the linker can find their descriptors by name
//! (`ld/iram/rwdata_hook.x`).

#[cfg(not(feature = "psram"))]
use tierpool::esp_alloc::INTERNAL as HEAP;
#[cfg(feature = "psram")]
use tierpool::esp_alloc::PSRAM as HEAP;

tierpool::pool! {
    /// Received frames, allocated in the radio's interrupt handler: never from a heap. The DMA
    /// writes into them: on ESP32-P4 they need lines of the cache of their own.
    pub static RX = default, spill = 1, align = 64;
}

tierpool::pool! {
    /// Packets on their way out. What is larger than a frame comes from the heap.
    pub static TX = [64 x 8, 256 x 8, 576 x 8], spill = 1, fallback = &HEAP;
}

tierpool::pool! {
    /// The frame that is in the air.
    pub static AIR = [508 x 1];
}

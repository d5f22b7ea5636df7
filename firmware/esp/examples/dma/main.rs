//! Pool buffers for the DMA of three drivers of esp-hal. No wiring is needed: what a driver sends,
//! it receives, by way of the chip's own pin matrix.
//!
//! | module | driver | shows |
//! |---|---|---|
//! | `spi` | SPI master | one packet is sent to two receivers, from where it lies |
//! | `uart` | UART by UHCI, which some chips have not | a message of a length that nobody knows before |
//! | `i2s` | I2S | one tone is sent over and over; a recording that is larger than any slot |
#![no_std]
#![no_main]

mod i2s;
#[cfg(feature = "record")]
#[path = "../../src/record.rs"]
mod record;
mod spi;
#[cfg(feature = "uhci")]
mod uart;

use esp_alloc::DmaCompatibleInternalMemory;
use esp_println::println;
use static_cell::ConstStaticCell;
use tierpool::allocator_api2_03::AllocatorFallback;
use tierpool_esp_hal::{DescriptorMemory, Descriptors};

esp_bootloader_esp_idf::esp_app_desc!();

/// What is larger than a slot comes from esp-alloc, as the DMA needs it.
// SAFETY: atomics work in internal RAM, where this memory lies.
static LARGE: AllocatorFallback<DmaCompatibleInternalMemory> =
    unsafe { AllocatorFallback::new(DmaCompatibleInternalMemory) };

tierpool::pool! { pub static BUFFERS = [512 x 16], align = 64, fallback = &LARGE; }

#[cfg(feature = "psram")]
mod psram {
    use esp_alloc::{DmaCompatibleExternalMemory, InternalMemory};
    use tierpool::allocator_api2_03::AllocatorFallback;

    /// The same, in PSRAM. Control blocks, which have atomics, lie in internal RAM.
    // SAFETY: as above.
    static LARGE: AllocatorFallback<DmaCompatibleExternalMemory, InternalMemory> =
        unsafe { AllocatorFallback::with_control(DmaCompatibleExternalMemory, InternalMemory) };

    tierpool::pool! { pub static RECORDINGS = [512 x 1], align = 128, fallback = &LARGE; }
}
#[cfg(not(feature = "psram"))]
use BUFFERS as RECORDINGS;
#[cfg(feature = "psram")]
use psram::RECORDINGS;

/// For sending and for receiving.
fn descriptors() -> (Descriptors, Descriptors) {
    static SEND: ConstStaticCell<DescriptorMemory<1>> = ConstStaticCell::new(Descriptors::memory());
    static RECEIVE: ConstStaticCell<DescriptorMemory<{ Descriptors::needed(i2s::RECORDING) }>> =
        ConstStaticCell::new(Descriptors::memory());
    (Descriptors::new(SEND.take()), Descriptors::new(RECEIVE.take()))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    println!("{info}");
    loop {
        core::hint::spin_loop()
    }
}

#[esp_hal::main]
fn main() -> ! {
    let chip = esp_hal::init(esp_hal::Config::default());
    esp_alloc::heap_allocator!(size: 32 * 1024);
    #[cfg(feature = "psram")]
    esp_alloc::psram_allocator!(chip.PSRAM, esp_hal::psram);

    #[cfg(feature = "esp32")]
    let (of_spi, of_i2s) = (chip.DMA_SPI2, chip.DMA_I2S0);
    #[cfg(feature = "esp32p4")]
    let (of_spi, of_i2s) = (chip.DMA_AXI_CH0, chip.DMA_CH1);
    #[cfg(not(any(feature = "esp32", feature = "esp32p4")))]
    let (of_spi, of_i2s) = (chip.DMA_CH0, chip.DMA_CH1);

    let mut sets = descriptors();
    // SAFETY, here and below: nobody configures the pin in another place.
    sets = spi::run(chip.SPI2, of_spi, unsafe { chip.GPIO2.split() }, sets);
    #[cfg(feature = "uhci")]
    {
        // SAFETY: as above.
        let pin = unsafe { chip.GPIO4.split() };
        sets = uart::run(chip.UART1, chip.UHCI0, chip.DMA_CH2, pin, sets);
    }
    // SAFETY: as above.
    i2s::run(chip.I2S0, of_i2s, unsafe { chip.GPIO5.split() }, sets);
    println!("{:#}\n{:#}", BUFFERS.stats(), RECORDINGS.stats());
    loop {
        core::hint::spin_loop()
    }
}

//! A packet relay on ESP32 chips.
//!
//! ```text
//!   core 0                                             core 1 (ESP32-C6: the main loop)
//!   timer interrupt, for a radio:                      router: hop count up,
//!     SPI by DMA ── RX ──► queue ────────────────────►   link header in front ── TX ──► sent
//!   main loop: statistics every second                 now and then a resource of 4 KiB
//!                                                        ── TX's fallback: PSRAM
//! ```
#![no_std]
#![no_main]

mod modem;
mod pools;
#[cfg(feature = "record")]
mod record;
mod relay;

#[cfg(feature = "iram")]
#[path = "../../suite/src/operations.rs"]
mod operations;

use core::cell::RefCell;
use critical_section::Mutex;
use esp_hal::Blocking;
use esp_hal::spi::master::{Config, Spi};
use esp_hal::time::{Duration, Instant, Rate};
use esp_hal::timer::{PeriodicTimer, timg::TimerGroup};
use esp_println::println;

esp_bootloader_esp_idf::esp_app_desc!();

/// A frame every 5 ms: more than a LoRa modem ever receives.
const FRAME_EVERY: Duration = Duration::from_millis(5);
const REPORT_EVERY: Duration = Duration::from_secs(1);

static RADIO: Mutex<RefCell<Option<PeriodicTimer<'static, Blocking>>>> =
    Mutex::new(RefCell::new(None));

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    println!("{info}");
    loop {
        core::hint::spin_loop()
    }
}

/// A frame has come in.
#[esp_hal::handler]
fn radio() {
    critical_section::with(|section| {
        if let Some(timer) = RADIO.borrow_ref_mut(section).as_mut() {
            timer.clear_interrupt();
        }
    });
    relay::receive();
}

#[esp_hal::main]
fn main() -> ! {
    let chip = esp_hal::init(esp_hal::Config::default());
    esp_alloc::heap_allocator!(size: 32 * 1024);
    #[cfg(feature = "psram")]
    esp_alloc::psram_allocator!(chip.PSRAM, esp_hal::psram);
    #[cfg(feature = "iram")]
    operations::keep();

    #[cfg(feature = "esp32")]
    let channel = chip.DMA_SPI2;
    #[cfg(feature = "esp32p4")]
    let channel = chip.DMA_AXI_CH0;
    #[cfg(not(any(feature = "esp32", feature = "esp32p4")))]
    let channel = chip.DMA_CH0;
    // What SPI sends on this pin, it receives.
    // SAFETY: nobody configures the pin in another place.
    let (miso, mosi) = unsafe { chip.GPIO2.split() };
    let spi = Spi::new(chip.SPI2, Config::default().with_frequency(Rate::from_mhz(8)))
        .expect("8 MHz")
        .with_miso(miso)
        .with_mosi(mosi)
        .with_dma(channel);
    let modem = modem::Modem::new(spi).expect("the only frame of its pool");
    // SAFETY: once, and the radio starts below.
    let mut inbox = unsafe { relay::inbox(modem) };
    #[cfg(feature = "two-cores")]
    let _router = {
        use esp_hal::system::{CpuControl, Stack};
        static mut STACK: Stack<8192> = Stack::new();
        // SAFETY: taken once, here.
        let stack = unsafe { &mut *(&raw mut STACK) };
        CpuControl::new(chip.CPU_CTRL).start_app_core(stack, move || {
            loop {
                if !relay::route(&mut inbox) {
                    core::hint::spin_loop()
                }
            }
        })
    };

    let mut timer = PeriodicTimer::new(TimerGroup::new(chip.TIMG0).timer0);
    timer.set_interrupt_handler(radio);
    timer.listen();
    let started = timer.start(FRAME_EVERY);
    critical_section::with(|section| RADIO.borrow_ref_mut(section).replace(timer));
    println!("relay: {} cores, radio {started:?}", esp_hal::system::Cpu::COUNT);

    let mut reported = Instant::now();
    loop {
        #[cfg(not(feature = "two-cores"))]
        relay::route(&mut inbox);
        if reported.elapsed() >= REPORT_EVERY {
            reported += REPORT_EVERY;
            println!("{}", relay::Report);
        }
    }
}

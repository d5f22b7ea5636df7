//! Printing, the running test's name and seed, panics.

use crate::board;
use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};

/// The console.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        board::write(text);
        Ok(())
    }
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($arguments:tt)*) => {{
        use core::fmt::Write;
        let _ = write!($crate::report::Console, $($arguments)*);
    }};
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    ($($arguments:tt)*) => {{
        use core::fmt::Write;
        let _ = writeln!($crate::report::Console, $($arguments)*);
    }};
}

/// What a panic names.
struct Running(UnsafeCell<&'static str>);
// SAFETY: written by core 0 while no job runs; read by a panic, whose job started after that.
unsafe impl Sync for Running {}
static TEST: Running = Running(UnsafeCell::new("start-up"));
static PANICKED: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU32 = AtomicU32::new(0);

/// Names what runs from here on, for a panic to name. Seed 0: none. Called on core 0 while core 1
/// is idle.
pub fn running(test: &'static str, seed: u32) {
    // SAFETY: see `Running`.
    unsafe { *TEST.0.get() = test };
    SEED.store(seed, Relaxed);
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    board::interrupts_off();
    // Relaxed: the first core to get here speaks, and ends the run; the other keeps quiet.
    while PANICKED.swap(true, Relaxed) {
        board::turn()
    }
    // SAFETY: see `Running`.
    let (test, seed) = (unsafe { *TEST.0.get() }, SEED.load(Relaxed));
    print!("\nFAILED: {test}, core {}", board::core());
    if seed != 0 {
        print!(", seed {seed}");
    }
    println!(": {}", info.message());
    if let Some(place) = info.location() {
        println!("  at {place}");
    }
    board::exit(101)
}

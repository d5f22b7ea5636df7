//! Runs code on both cores of a board, with seeded timer interrupts, and reports.
//!
//! | module | what |
//! |---|---|
//! | [`both`] | a job on two cores at once |
//! | [`ticks`] | timer interrupts at seeded moments: preemption, and work in a handler |
//! | [`report`] | printing, the running test's name and seed, panics |
//! | [`count`] | instructions of a piece of code |
//!
//! An image defines `#[unsafe(no_mangle)] fn main()`, which runs on core 0; core 1 waits for jobs.
//! QEMU ends with 0 when `main` returns and with 101 when either core panics.
#![no_std]

#[cfg(target_arch = "arm")]
pub use board_cortex_m as board;
#[cfg(target_arch = "riscv32")]
pub use board_rv32 as board;
#[cfg(target_arch = "xtensa")]
pub use board_xtensa as board;

pub mod both;
pub mod count;
pub mod report;
pub mod ticks;

unsafe extern "Rust" {
    fn main();
}

#[unsafe(no_mangle)]
extern "C" fn board_main(core: usize) -> ! {
    if core != 0 {
        both::wait_for_jobs()
    }
    // SAFETY: defined by the image, as the module documentation asks.
    unsafe { main() };
    board::exit(0)
}

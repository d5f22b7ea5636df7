//! Model checks of the shipped sources, compiled with `--cfg loom` (or `--cfg shuttle`). `cargo
//! xtask loom`, `cargo xtask shuttle` and `cargo xtask mutants` build and run it; by itself:
//!
//! ```text
//!   loom-tests list                  name · threads · bound · expectation · narrow, of every model, tab-separated
//!   loom-tests run NAME SECONDS      explores one model; prints interleavings, seconds and the verdict
//! ```
//!
//! One process explores one model: a model that aborts takes nothing else along.

#[cfg(loom)]
mod fixture;
#[cfg(loom)]
mod model;
#[cfg(loom)]
mod models;
#[cfg(shuttle)]
mod schedules;

#[cfg(loom)]
fn main() -> std::process::ExitCode {
    model::main(&models::all())
}

#[cfg(shuttle)]
fn main() -> std::process::ExitCode {
    schedules::main()
}

#[cfg(not(any(loom, shuttle)))]
fn main() {
    eprintln!("the models need `--cfg loom`: run `cargo xtask loom`");
    std::process::exit(2);
}

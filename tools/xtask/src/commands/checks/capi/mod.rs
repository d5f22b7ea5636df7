//! `cargo xtask capi`
//!
//! The C interface in `bindings/c/`, with the system's compilers, warnings as errors, under
//! Address- and UndefinedBehaviorSanitizer:
//!
//! | module | checks |
//! |---|---|
//! | [`header`] | the header is what cbindgen makes of the sources; its examples and those of the README compile and run |
//! | [`programs`] | the tests in `bindings/c/tests`, and that they can fail |
//! | [`packages`] | the library by CMake, by pkg-config, and as a component of ESP-IDF |
//! | [`arm`] | both headers with newlib, and a program for a Cortex-M4 |
//! | [`rv32`] | the static library for RV32: its size, and that no operation can panic |

mod arm;
mod header;
mod packages;
mod programs;
mod rv32;

use crate::{shell::Shell, step::Step};
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("C header is up to date", header::up_to_date),
        Step::new("C and C++ examples", header::examples),
        Step::new("C and C++ without warnings", programs::warnings),
        Step::new("C tests", programs::c),
        Step::new("C library with lanes and larger pools", programs::features),
        Step::new("C++ tests", programs::cpp),
        Step::new("C++ allocator on a trace, two threads", programs::replay),
        Step::new("C packages", packages::check),
        Step::new("C and C++ with newlib, Cortex-M4", arm::check),
        Step::new("C library for RV32", rv32::check),
    ]
}

/// Builds the static library with a `core` of its own; the target and the profile are to be added.
fn static_library(shell: &Shell) -> Command {
    let mut cargo = shell.debian_cargo();
    cargo.args([
        "rustc",
        "-Zbuild-std=core",
        "--locked",
        "--package",
        "tierpool-capi",
        "--lib",
        "--crate-type",
        "staticlib",
    ]);
    cargo
}

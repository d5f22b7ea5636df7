//! `cargo xtask capi`
//!
//! The C interface in `bindings/c/`, with the system's compilers, warnings as errors, under Address- and
//! UndefinedBehaviorSanitizer:
//!
//! | module | checks |
//! |---|---|
//! | [`header`] | the header is what cbindgen makes of the sources; its examples and those of the README compile and run |
//! | [`programs`] | the tests in `bindings/c/tests`, and that they can fail |
//! | [`arm`] | both headers with newlib, and a program for a Cortex-M4 |
//! | [`rv32`] | the static library for RV32: its size, and that no operation can panic |

mod arm;
mod header;
mod programs;
mod rv32;

use crate::step::Step;

pub const STEPS: &[Step] = &[
    Step { name: "C header is up to date", run: header::up_to_date },
    Step { name: "C and C++ examples", run: header::examples },
    Step { name: "C tests", run: programs::c },
    Step { name: "C library with larger pools", run: programs::features },
    Step { name: "C++ tests", run: programs::cpp },
    Step { name: "C++ allocator on a trace, two threads", run: programs::replay },
    Step { name: "C and C++ with newlib, Cortex-M4", run: arm::check },
    Step { name: "C library for RV32", run: rv32::check },
];

//! Both headers as firmware has them: with newlib and its libstdc++, and linked for a Cortex-M4.

use super::programs::{WARNINGS, test};
use super::static_library;
use crate::shell::Shell;
use crate::tools::{ARM_COMPILERS, DEBIAN_RUST};
use anyhow::Result;
use std::path::PathBuf;

const TARGET: &str = "thumbv7em-none-eabi";
const CORTEX_M4: [&str; 2] = ["-mcpu=cortex-m4", "-mthumb"];

/// With `-std=c++…` newlib declares the standard's functions alone, with `-std=gnu++…` what is
/// there.
const STANDARDS: [&str; 4] = ["c++17", "gnu++17", "c++20", "gnu++20"];

pub fn check(shell: &Shell) -> Result<()> {
    shell.need(&ARM_COMPILERS)?;
    let compiler = |name: &str, standard: &str| {
        let mut compiler = shell.command(name);
        compiler
            .arg(format!("-std={standard}"))
            .args(CORTEX_M4)
            .args(WARNINGS)
            .arg("-Ibindings/c/include");
        compiler
    };
    shell.run(compiler("arm-none-eabi-gcc", "c11").args([
        "-fsyntax-only",
        "-x",
        "c",
        "bindings/c/include/tierpool.h",
    ]))?;
    let program = test("arduino.cpp");
    for standard in STANDARDS {
        shell.run(compiler("arm-none-eabi-g++", standard).arg("-fsyntax-only").arg(&program))?;
    }
    let library = library(shell)?;
    // What newlib asks of the board, `nosys` answers with "no such thing".
    let mut linker = compiler("arm-none-eabi-g++", "c++17");
    linker
        .args(["-Os", "--specs=nosys.specs", "-Wl,--gc-sections"])
        .arg(program)
        .arg(library)
        .arg("-o");
    shell.run(linker.arg(Shell::scratch("capi-arm").join("arduino.elf")))?;
    shell.note(format!("C11, {}; linked", STANDARDS.join(", ")));
    Ok(())
}

/// By Debian's Rust, which has the sources of `core`. Not optimised, which takes a third of the
/// time: it is only linked.
fn library(shell: &Shell) -> Result<PathBuf> {
    shell.need(&DEBIAN_RUST)?;
    let folder = Shell::scratch("capi-arm");
    let mut cargo = static_library(shell);
    cargo
        .args(["--config", "profile.dev.debug=false", "--target", TARGET, "--target-dir"])
        .arg(&folder);
    shell.run(&mut cargo)?;
    Ok(folder.join(TARGET).join("debug/libtierpool_capi.a"))
}

//! `cargo xtask no-std`
//!
//! Builds the library with its default features where `core` is all there is: any use of `std` or
//! `alloc`, by the library or by a dependency, is a compile error. Each build stands beside one
//! that must fail, to show that the check can. Two ways lead to such a place:
//!
//! | the target | `core` and nothing else by |
//! |---|---|
//! | is installed in the toolchain (the host; `rustup target add …`) | a copy of its sysroot without the other crates |
//! | is not | Debian's Rust, which has the sources: `-Zbuild-std=core`, as `cargo xtask device` builds it, so that it is built once |

use crate::{shell::Shell, step::Step, tools};
use anyhow::Result;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("core alone, this host", host),
        Step::new("core alone, RV32 with atomics", riscv32imac),
        Step::new("core alone, Cortex-M4", |shell| default_features(shell, CORTEX_M4)),
        Step::new("core alone, RV32 without atomics", |shell| without_atomics(shell, RV32_PLAIN)),
        Step::new("core alone, Cortex-M0+", |shell| without_atomics(shell, CORTEX_M0)),
    ]
}

pub const RV32: &str = "riscv32imac-unknown-none-elf";
const RV32_PLAIN: &str = "riscv32imc-unknown-none-elf";
pub const CORTEX_M4: &str = "thumbv7em-none-eabihf";
pub const CORTEX_M0: &str = "thumbv6m-none-eabi";

/// Those whose `core` the images of the emulated boards need, too, or the check of orderings.
const IN_IMAGES: [&str; 2] = [RV32, CORTEX_M4];

const NO_ALLOC: &str = "can't find crate for `alloc`";

fn host(shell: &Shell) -> Result<()> {
    default_features(shell, &shell.host()?)
}

fn riscv32imac(shell: &Shell) -> Result<()> {
    default_features(shell, RV32)
}

fn default_features(shell: &Shell, target: &str) -> Result<()> {
    shell.run(&mut build(shell, target, "")?)?;
    shell.run_failing(&mut build(shell, target, "alloc")?, NO_ALLOC)?;
    Ok(())
}

/// A target without compare-and-swap needs one of the two features that bring it, and is refused
/// without.
fn without_atomics(shell: &Shell, target: &str) -> Result<()> {
    shell.run(&mut build(shell, target, "portable-atomic-critical-section")?)?;
    shell.run(&mut build(shell, target, "portable-atomic-unsafe-assume-single-core")?)?;
    shell.run_failing(&mut build(shell, target, "")?, "portable-atomic-critical-section")?;
    Ok(())
}

/// The build of the library for `target` with `core` alone.
fn build(shell: &Shell, target: &str, features: &str) -> Result<Command> {
    cargo(shell, "build", target, &["core"], features)
}

/// `cargo build` or `check` of the library for `target`, where these crates of Rust's own are all
/// there is.
pub fn cargo(
    shell: &Shell,
    verb: &str,
    target: &str,
    crates: &[&str],
    features: &str,
) -> Result<Command> {
    let sysroot = shell.run(shell.command("rustc").args(["--print", "sysroot"]))?.stdout;
    let installed = Path::new(sysroot.trim_end()).join("lib/rustlib").join(target).join("lib");
    let mut command = if installed.exists() {
        let mut command = shell.cargo([verb]);
        command
            .env("RUSTFLAGS", format!("--sysroot={}", only(crates, &installed, target)?.display()));
        command
    } else {
        shell.need(&tools::DEBIAN_RUST)?;
        let mut command = shell.debian_cargo();
        command.args([verb, "--config", "firmware/emulator.toml", "--release"]);
        command.arg(format!("-Zbuild-std={}", crates.join(",")));
        if !IN_IMAGES.contains(&target) {
            command.args(["--config", "profile.release.opt-level=0"]); // quicker
        }
        command.arg("--target-dir").arg(Shell::scratch("device"));
        command
    };
    command.args(["--package", "tierpool", "--target", target, "--features", features]);
    Ok(command)
}

/// A sysroot for `target` that links to these of the installed crates, and to `compiler_builtins`.
fn only(crates: &[&str], installed: &Path, target: &str) -> Result<PathBuf> {
    let sysroot = Shell::scratch("core-alone").join("sysroot").join(crates.join("-")).join(target);
    let wanted: Vec<String> =
        crates.iter().chain(&["compiler_builtins"]).map(|name| format!("lib{name}-")).collect();
    let folder = sysroot.join("lib/rustlib").join(target).join("lib");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(installed)? {
        let name = entry?.file_name();
        if wanted.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            symlink(installed.join(&name), folder.join(&name))?;
        }
    }
    Ok(sysroot)
}

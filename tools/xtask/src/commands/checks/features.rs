//! `cargo xtask features`
//!
//! Checks the library with each feature alone and with all together:
//!
//! | where | what there is of Rust's own crates |
//! |---|---|
//! | this host | all |
//! | RV32 with atomics, without an operating system | `core`; `alloc` for the features that need it; never `std` |
//! | Cortex-M4, and Cortex-M0+ without atomics: all together | `core`, so not those that need `alloc` |
//! | this host: those that bring macros | `core` |
//!
//! Macros run on this host, and Debian's compiler, which knows the other targets, would build them
//! once more: that took longer than all else.
//!
//! `esp-alloc` goes with one chip, ESP32-C6, and in this workspace with a stand-in for its lock,
//! `tests/esp-sync`: the real one is made of a chip's own instructions and does not build for a
//! host. `cargo xtask firmware` builds with it, for RV32.

use super::no_std;
use crate::{package::Package, shell::Shell, step::Step};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("each feature alone, all together, this host", host),
        Step::new("the same, RV32 with atomics", riscv32imac),
        Step::new("all together, Cortex-M4 and M0+", cortex_m),
        Step::new("the feature for nightly toolchains", nightly),
    ]
}

/// Features that firmware without a global allocator cannot have.
const NEED_ALLOC: &[&str] = &["alloc", "bytes"];
/// Features whose crates are built by macros.
const BRING_MACROS: &[&str] = &["defmt", "esp-alloc", "postcard-1"];
/// Features that no firmware can have.
const NEED_STD: &[&str] = &["std"];

fn host(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.features;
    let check = |features: &str| {
        shell.cargo([
            "check",
            "--package",
            "tierpool",
            "--no-default-features",
            "--features",
            features,
        ])
    };
    each_and_all(shell, &features, |features| {
        shell.run(&mut check(features))?;
        Ok(())
    })?;
    for features in features.iter().filter(|name| brings_macros(name)) {
        shell.run(&mut no_std::cargo(shell, "check", &shell.host()?, &["core"], features)?)?;
    }
    // The library itself chooses no chip.
    shell.run_failing(&mut check("esp-alloc"), "Expected exactly one of the following features")?;
    Ok(())
}

/// A feature that reaches for `std`, or for `alloc` and is not in the list above, does not compile
/// there.
fn riscv32imac(shell: &Shell) -> Result<()> {
    let check = |crates: &[&str], features: &str| {
        no_std::cargo(shell, "check", no_std::RV32, crates, features)
    };
    let features = of_firmware(shell)?;
    each_and_all(shell, &features, |features| {
        let crates: &[&str] = if needs_alloc(features) { &["core", "alloc"] } else { &["core"] };
        shell.run(&mut check(crates, features)?)?;
        Ok(())
    })?;
    for name in NEED_STD {
        shell.run_failing(&mut check(&["core", "alloc"], name)?, "can't find crate for `std`")?;
    }
    for name in NEED_ALLOC {
        shell.run_failing(&mut check(&["core"], name)?, "can't find crate for `alloc`")?;
    }
    Ok(())
}

/// All that need no allocator.
fn cortex_m(shell: &Shell) -> Result<()> {
    let mut features = of_firmware(shell)?;
    features.retain(|name| !needs_alloc(name));
    let all = features.join(",");
    for target in [no_std::CORTEX_M4, no_std::CORTEX_M0] {
        shell.run(&mut no_std::cargo(shell, "check", target, &["core"], &all)?)?;
    }
    shell.note(format!("{} features", features.len()));
    Ok(())
}

/// Those that are checked for processors of firmware.
fn of_firmware(shell: &Shell) -> Result<Vec<String>> {
    let mut features = Package::read(shell)?.features;
    features.retain(|name| !NEED_STD.contains(&name.as_str()) && !brings_macros(name));
    Ok(features)
}

fn needs_alloc(features: &str) -> bool {
    features.split(',').any(|name| NEED_ALLOC.contains(&name))
}

fn brings_macros(features: &str) -> bool {
    features.split(',').any(|name| BRING_MACROS.contains(&name))
}

/// Where another crate turns on `nightly` of allocator-api2, its trait is that of `core`, which is
/// unstable: the library's own feature allows for it. The stable toolchain is made a nightly one.
fn nightly(shell: &Shell) -> Result<()> {
    let check = |features: &str| {
        let mut cargo = shell.cargo(["check", "--package", "tierpool", "--features", features]);
        cargo.env("RUSTC_BOOTSTRAP", "1").arg("--target-dir").arg(Shell::scratch("nightly"));
        cargo
    };
    // The other versions beside it, since all of them implement their trait for pools.
    for features in [
        "nightly",
        "nightly,allocator-api2-02",
        "nightly,alloc,allocator-api2-02,allocator-api2-03",
    ] {
        shell.run(&mut check(features))?;
    }
    shell.run_failing(
        &mut check("allocator-api2-02,allocator-api2-02/nightly"),
        "use of unstable library feature `allocator_api`",
    )?;
    Ok(())
}

fn each_and_all(
    shell: &Shell,
    features: &[String],
    check: impl Fn(&str) -> Result<()>,
) -> Result<()> {
    for name in features {
        shell.progress(name);
        check(name)?;
    }
    shell.progress("all together");
    check(&features.join(","))?;
    shell.note(format!("{} features", features.len()));
    Ok(())
}

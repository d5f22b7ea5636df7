//! `cargo xtask firmware`
//!
//! The packet relay of `firmware/esp/` on esp-hal, and its example of DMA by three drivers:
//!
//! | chip | what is checked |
//! |---|---|
//! | ESP32-P4 (two cores, PSRAM), ESP32-C6 (one core) | both link completely; the latter with the hooks of the feature `record` |
//! | the same, feature `iram` | the relay links, and no pool operation reaches for flash |
//! | ESP32, ESP32-S3 | both type-check against esp-hal's Xtensa code, for which Debian's Rust has no assembler |

use super::device::{LLD, LLVM, flash::check_operations};
use crate::{shell::Shell, step::Step, tools::DEBIAN_RUST};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("firmware links, ESP32-P4", |shell| links(shell, &P4, "esp32p4")),
        Step::new("firmware runs with the flash cache off, ESP32-P4", |shell| {
            without_flash(shell, &P4)
        }),
        Step::new("firmware links, ESP32-C6, with the recorder", |shell| {
            links(shell, &C6, "esp32c6,record")
        }),
        Step::new("firmware runs with the flash cache off, ESP32-C6", |shell| {
            without_flash(shell, &C6)
        }),
        Step::new("firmware type-checks, ESP32", |shell| type_checks(shell, "esp32")),
        Step::new("firmware type-checks, ESP32-S3", |shell| type_checks(shell, "esp32s3")),
    ]
}

/// A chip that Debian's Rust can build for.
struct Chip {
    feature: &'static str,
    target: &'static str,
    /// Where flash is mapped into memory, code and constants; the image header that esp-hal leaves
    /// room for not.
    flash: std::ops::Range<u32>,
}

static P4: Chip = Chip {
    feature: "esp32p4",
    target: "riscv32imafc-unknown-none-elf",
    flash: 0x4000_0020..0x4400_0000,
};
static C6: Chip = Chip {
    feature: "esp32c6",
    target: "riscv32imac-unknown-none-elf",
    flash: 0x4200_0000..0x4300_0000,
};

fn links(shell: &Shell, chip: &Chip, features: &str) -> Result<()> {
    build(shell, chip, features, ALL)?;
    shell.note(format!("{features}, complete"));
    Ok(())
}

/// With `iram`, all code and constants of pool operations lie outside of flash. That the check can
/// tell is shown on the router, which stays in flash.
fn without_flash(shell: &Shell, chip: &Chip) -> Result<()> {
    let image = build(shell, chip, &format!("{},iram", chip.feature), &["--bins"])?;
    let checked = check_operations(shell, &image, &chip.flash)?;
    shell.note(format!("{checked} functions, all in RAM or ROM"));
    Ok(())
}

/// The relay and the example.
const ALL: &[&str] = &["--bins", "--examples"];

/// Builds these programs, and returns the place of the relay.
fn build(shell: &Shell, chip: &Chip, features: &str, what: &[&str]) -> Result<PathBuf> {
    for tool in [&DEBIAN_RUST, &LLVM, &LLD] {
        shell.need(tool)?;
    }
    let mut cargo = cargo(shell, "build", features);
    shell.run(cargo.env("RUSTC", "/usr/bin/rustc").args(["--target", chip.target]).args(what))?;
    Ok(Shell::scratch("esp").join(chip.target).join("release/relay"))
}

fn type_checks(shell: &Shell, chip: &str) -> Result<()> {
    shell.need(&DEBIAN_RUST)?;
    let folder = Shell::root().join("firmware/esp/typecheck");
    let target = folder.join(format!("xtensa-{chip}-none-elf.json"));
    let mut cargo = cargo(shell, "check", chip);
    cargo
        .env("RUSTC", folder.join("rustc.sh"))
        .arg("-Zjson-target-spec")
        .arg("--target")
        .arg(target)
        .args(ALL);
    shell.run(&mut cargo)?;
    shell.note(format!("{chip}, types only"));
    Ok(())
}

/// Debian's cargo in the folder of the relay.
fn cargo(shell: &Shell, what: &str, features: &str) -> Command {
    let mut cargo = shell.command("/usr/bin/cargo");
    cargo
        .current_dir(Shell::root().join("firmware/esp"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTFLAGS");
    cargo.args([what, "--locked", "--release", "--features", features]);
    cargo.arg("--target-dir").arg(Shell::scratch("esp"));
    cargo
}

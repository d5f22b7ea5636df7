//! The packages: a program is built and run with the library as CMake and pkg-config bring it, and
//! as a component of ESP-IDF, of which there is a stub. PlatformIO is a stub, too.
//!
//! ```text
//!   add_subdirectory ──► cargo, strip ──► archive ──install──► find_package, pkg-config
//!                                            └──► the stub of IDF, whose cargo only copies it
//! ```

use crate::shell::Shell;
use crate::tools::{ARM_COMPILERS, CMAKE, COMPILERS, PYTHON};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const CONSUMER: &str = "bindings/c/tests/package";
/// What the README says.
const MOST_MEGABYTES: u64 = 4;

/// A chip, and what the cargo of its component is told.
const CHIPS: [(&str, &[&str]); 3] = [
    (
        "esp32c3",
        &[
            "--target riscv32imc-unknown-none-elf",
            "--features tierpool/portable-atomic-unsafe-assume-single-core",
        ],
    ),
    ("esp32c6", &["--target riscv32imac-unknown-none-elf"]),
    ("esp32s3", &["--target xtensa-esp32s3-none-elf", "-Zbuild-std=core"]),
];

/// A chip as PlatformIO has it, and what cargo is told.
const BOARDS: [(&str, &str); 4] = [
    ("native", "staticlib --config"),
    ("esp32", "--target xtensa-esp32-none-elf"),
    ("esp32c3", "--features tierpool/portable-atomic-unsafe-assume-single-core"),
    ("nrf52840", "--target thumbv7em-none-eabihf"),
];

/// Flags of GCC for Arm, and the Rust target that they ask for.
const ARM: [(&str, &str); 3] = [
    ("-mcpu=cortex-m0plus -mthumb", "thumbv6m-none-eabi"),
    ("-mcpu=cortex-m4 -mthumb", "thumbv7em-none-eabi"),
    ("-mcpu=cortex-m33 -mthumb -mfloat-abi=hard", "thumbv8m.main-none-eabihf"),
];

pub fn check(shell: &Shell) -> Result<()> {
    shell.need(&COMPILERS)?;
    shell.need(&CMAKE)?;
    let folder = Shell::scratch("capi-package");
    fs::create_dir_all(&folder)?;
    let sources = format!("-DTIERPOOL_SOURCES={}", Shell::root().join("bindings/c").display());

    let within = folder.join("within");
    run(shell, CONSUMER, &within, &[&sources, "-DCMAKE_INSTALL_LIBDIR=lib"])?;
    let installed = folder.join("installed");
    shell.run(
        shell.command("cmake").arg("--install").arg(&within).arg("--prefix").arg(&installed),
    )?;

    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed.display());
    run(shell, CONSUMER, &folder.join("found"), &[&prefix])?;
    by_pkg_config(shell, &installed, &folder)?;
    let archive = installed.join("lib/libtierpool.a");
    for (chip, told) in CHIPS {
        component(shell, &folder, &archive, chip, told)?;
    }
    for (chip, told) in BOARDS {
        by_platformio(shell, &folder.join("platformio"), chip, told)?;
    }
    shell.need(&ARM_COMPILERS)?;
    for (flags, target) in ARM {
        by_toolchain(shell, &folder.join(target), flags, target)?;
    }

    let bytes = fs::metadata(&archive)?.len();
    ensure!(bytes <= MOST_MEGABYTES * 1_000_000, "the archive has {bytes} bytes");
    shell.note(format!(
        "add_subdirectory, find_package, pkg-config, a component, PlatformIO's script; an archive of {bytes} bytes"
    ));
    Ok(())
}

/// Configures and builds the consumer in `from`, and runs it.
fn run(shell: &Shell, from: &str, into: &Path, options: &[&str]) -> Result<()> {
    shell.run(shell.command("cmake").arg("-S").arg(from).arg("-B").arg(into).args(options))?;
    shell.run(shell.command("cmake").arg("--build").arg(into))?;
    printed(&shell.run(&mut shell.command(into.join("consumer")))?.stdout)
}

fn printed(line: &str) -> Result<()> {
    ensure!(line.starts_with("requests=1 hits=1 "), "the consumer printed {line:?}");
    Ok(())
}

fn by_pkg_config(shell: &Shell, installed: &Path, folder: &Path) -> Result<()> {
    let mut ask = shell.command("pkg-config");
    ask.env("PKG_CONFIG_PATH", installed.join("lib/pkgconfig"));
    let flags = shell.run(ask.args(["--cflags", "--libs", "tierpool"]))?.stdout;
    let program = folder.join("by-pkg-config");
    let mut compiler = shell.command("c++");
    compiler.arg("-std=c++17").arg(Path::new(CONSUMER).join("consumer.cpp"));
    shell.run(compiler.args(flags.split_whitespace()).arg("-o").arg(&program))?;
    printed(&shell.run(&mut shell.command(program))?.stdout)
}

/// A compiler for a chip is asked for its Rust target. Nothing is built.
fn by_toolchain(shell: &Shell, into: &Path, flags: &str, target: &str) -> Result<()> {
    let mut cmake = shell.command("cmake");
    cmake.args(["-S", "bindings/c", "-B"]).arg(into).arg(format!("-DCMAKE_C_FLAGS={flags}"));
    cmake.args(["-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_C_COMPILER=arm-none-eabi-gcc"]);
    let printed = shell.run(cmake.arg("-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"))?.stdout;
    let wanted = format!("-- tierpool: Rust target {target}\n");
    ensure!(printed.contains(&wanted), "{flags}: no {target} in\n{printed}");
    Ok(())
}

/// PlatformIO's script asks cargo for the chip's target, and links the archive. PlatformIO is a stub.
fn by_platformio(shell: &Shell, into: &Path, chip: &str, told: &str) -> Result<()> {
    shell.need(&PYTHON)?;
    fs::create_dir_all(into.join("bin"))?;
    let notes = into.join("arguments");
    let cargo = into.join("bin/cargo");
    fs::write(&cargo, format!("#!/bin/sh\necho \"$@\" > '{}'\n", notes.display()))?;
    shell.run(shell.command("chmod").arg("+x").arg(&cargo))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut python = shell.command("python3");
    python.env("PATH", format!("{}:{path}", into.join("bin").display()));
    python.arg(format!("{CONSUMER}/platformio.py")).arg(chip);
    python.arg(Shell::root().join("bindings/c")).arg(into);
    let added = shell.run(python.arg("board_build.tierpool_features=reserve"))?.stdout;
    let arguments = fs::read_to_string(&notes).context("cargo was not called")?;
    ensure!(arguments.contains(told), "{chip}: no `{told}` in `{arguments}`");
    ensure!(arguments.contains("--features reserve"), "{chip}: no feature in `{arguments}`");
    for line in ["CPPDEFINES TIERPOOL_RESERVE\n", "LIBS tierpool_capi", "LIBPATH "] {
        ensure!(added.contains(line), "{chip}: no `{line}` in `{added}`");
    }
    let folder = added.lines().find_map(|line| line.strip_prefix("LIBPATH ")).unwrap_or_default();
    let target = arguments.split("--target ").nth(1).and_then(|rest| rest.split(' ').next());
    let place = into.join("tierpool").join(target.unwrap_or_default()).join("release");
    ensure!(Path::new(folder) == place, "{chip}: {folder} is not where cargo puts the archive");
    Ok(())
}

/// The component for a chip asks cargo for the chip's target; here a script notes that, and gives
/// this machine's archive.
fn component(
    shell: &Shell,
    folder: &Path,
    archive: &Path,
    chip: &str,
    told: &[&str],
) -> Result<()> {
    let into = folder.join(chip);
    fs::create_dir_all(&into)?;
    let (cargo, notes): (PathBuf, _) = (into.join("cargo.sh"), into.join("arguments"));
    fs::write(
        &cargo,
        format!(
            "echo \"$@\" > '{}'\nwhile [ \"$1\" != --target ]; do shift; done\n\
             to='{}'/$2/release\nmkdir -p \"$to\"\ncp '{}' \"$to/libtierpool_capi.a\"\n",
            notes.display(),
            into.join("tierpool/cargo").display(),
            archive.display(),
        ),
    )?;
    let options = [
        format!("-DTIERPOOL_SOURCES={}", Shell::root().join("bindings/c").display()),
        format!("-DTIERPOOL_CARGO=sh;{}", cargo.display()),
        format!("-DIDF_TARGET={chip}"),
    ];
    run(shell, &format!("{CONSUMER}/idf"), &into, &options.each_ref().map(String::as_str))?;
    let arguments = fs::read_to_string(&notes).context("cargo was not called")?;
    for argument in told {
        ensure!(arguments.contains(argument), "{chip}: no `{argument}` in `{arguments}`");
    }
    Ok(())
}

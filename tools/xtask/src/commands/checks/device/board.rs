//! The three emulated boards.

use crate::shell::{Finished, Shell};
use crate::tools::{DEBIAN_RUST, Tool};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const LLVM: Tool = Tool {
    name: "LLVM 22",
    probe: &["llvm-objdump-22", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "llvm-22"],
};

pub const LLD: Tool = Tool {
    name: "LLD 22",
    probe: &["ld.lld-22", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "lld-22"],
};

const QEMU: Tool = Tool {
    name: "QEMU for RISC-V and Xtensa",
    probe: &["qemu-system-xtensa", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "qemu-system-misc"],
};

const QEMU_ARM: Tool = Tool {
    name: "QEMU for Arm",
    probe: &["qemu-system-arm", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "qemu-system-arm"],
};

const XTENSA_LINKER: Tool = Tool {
    name: "a linker for Xtensa",
    probe: &["xtensa-lx106-elf-ld", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "binutils-xtensa-lx106"],
};

/// What images are built for.
pub struct Target {
    /// As cargo is told.
    target: &'static str,
    /// The folder of `target` in the target directory.
    folder: &'static str,
    /// What else the disassembler needs to know.
    pub disassembler: &'static [&'static str],
}

/// A board: its target and its QEMU machine.
pub struct Board {
    /// As the images call themselves.
    pub name: &'static str,
    pub target: Target,
    emulator: &'static Tool<'static>,
    qemu: &'static [&'static str],
    /// QEMU's options for one host thread that counts instructions.
    counting: &'static [&'static str],
    /// Where the images look for their arguments (`ARGUMENTS` in the board's crate).
    arguments: u32,
}

pub static RV32: Board = Board {
    name: "rv32",
    target: Target {
        target: "riscv32imac-unknown-none-elf",
        folder: "riscv32imac-unknown-none-elf",
        disassembler: &[],
    },
    emulator: &QEMU,
    qemu: &["qemu-system-riscv32", "-M", "virt", "-m", "16M", "-bios", "none", "-serial", "stdio"],
    counting: &["-icount", "shift=0,sleep=off"],
    arguments: 0x80ff_0000,
};

pub static XTENSA: Board = Board {
    name: "xtensa",
    target: Target {
        target: "board-xtensa/xtensa-esp32.json",
        folder: "xtensa-esp32",
        disassembler: &["--mcpu=esp32"],
    },
    emulator: &QEMU,
    qemu: &[
        "qemu-system-xtensa",
        "-M",
        "sim",
        "-cpu",
        "de233_fpu",
        "-semihosting",
        "-serial",
        "none",
    ],
    counting: &["-icount", "shift=6,sleep=off"],
    arguments: 0x0060_0000,
};

pub static CORTEX_M: Board = Board {
    name: "cortex-m",
    target: Target {
        target: "thumbv8m.main-none-eabi",
        folder: "thumbv8m.main-none-eabi",
        disassembler: &[],
    },
    emulator: &QEMU_ARM,
    qemu: &["qemu-system-arm", "-M", "mps2-an521", "-semihosting", "-serial", "stdio"],
    counting: &["-icount", "shift=6,sleep=off"],
    arguments: 0x103f_0000,
};

/// Those that a check goes through, and how reports call them.
pub static ALL: [(&Board, &str); 3] =
    [(&RV32, "RV32"), (&XTENSA, "Xtensa"), (&CORTEX_M, "Cortex-M")];

/// One that no image runs on: they are linked, and looked at.
pub static ARM_V7M: Target =
    Target { target: "thumbv7em-none-eabihf", folder: "thumbv7em-none-eabihf", disassembler: &[] };

/// How the two cores run.
#[derive(Clone, Copy, PartialEq)]
pub enum Cores {
    /// On a host thread each.
    Parallel,
    /// In turns on one, with exact instruction counts.
    Counted,
}

impl Target {
    /// Builds a package of the workspace in `firmware`; returns the folder of its images.
    pub fn build(
        &self,
        shell: &Shell,
        workspace: &Path,
        package: &str,
        profile: &str,
    ) -> Result<PathBuf> {
        self.build_only(shell, workspace, package, profile, &[])
    }

    /// As `build`, with what else cargo is told. Images of one name replace each other, so each must
    /// be built before it runs.
    pub fn build_only(
        &self,
        shell: &Shell,
        workspace: &Path,
        package: &str,
        profile: &str,
        which: &[&str],
    ) -> Result<PathBuf> {
        for tool in [&DEBIAN_RUST, &LLVM, &LLD, &XTENSA_LINKER] {
            shell.need(tool)?;
        }
        let target = Shell::scratch("device");
        let mut cargo = shell.debian_cargo();
        cargo.current_dir(workspace).args([
            "build",
            "--config",
            "emulator.toml",
            "--locked",
            "--profile",
            profile,
            "--package",
            package,
            "--target",
            self.target,
        ]);
        cargo.args(which);
        shell.run(cargo.arg("--target-dir").arg(&target))?;
        Ok(target.join(self.folder).join(profile))
    }
}

impl Board {
    /// QEMU with an image, which must end within `seconds`.
    pub fn emulate(
        &self,
        shell: &Shell,
        image: &Path,
        cores: Cores,
        arguments: &[u32],
        seconds: u32,
    ) -> Result<Command> {
        shell.need(self.emulator)?;
        // A limit on every run: an image that hangs, or is not there, keeps QEMU going for ever.
        let mut command = shell.command("timeout");
        command.args(["--kill-after", "5"]).arg(seconds.to_string());
        command.args(self.qemu).args(["-smp", "2", "-display", "none", "-monitor", "none"]);
        command.args(match cores {
            Cores::Parallel => &["-accel", "tcg,thread=multi"],
            Cores::Counted => self.counting,
        });
        for (index, argument) in (0..).zip(arguments) {
            let address = self.arguments + 4 * index;
            command.args(["-device", &format!("loader,addr={address},data={argument},data-len=4")]);
        }
        command.arg("-kernel").arg(image);
        Ok(command)
    }

    /// Runs an image that must end well.
    pub fn run(
        &self,
        shell: &Shell,
        image: &Path,
        cores: Cores,
        arguments: &[u32],
        seconds: u32,
    ) -> Result<Finished> {
        shell.run(&mut self.emulate(shell, image, cores, arguments, seconds)?)
    }
}

/// The workspace of everything that runs on a board.
pub fn workspace() -> PathBuf {
    Shell::root().join("firmware")
}

//! Programs that a step needs beside cargo, and how to come by them.

use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::fmt;

/// A program, a way to ask whether it is there, and the way to bring it.
pub struct Tool<'a> {
    pub name: &'a str,
    /// A command that succeeds where the tool is present.
    pub probe: &'a [&'a str],
    /// The command that installs it, without questions.
    pub bring: &'a [&'a str],
}

pub const RUSTFMT: Tool = Tool {
    name: "rustfmt",
    probe: &["cargo", "fmt", "--version"],
    bring: &["rustup", "component", "add", "rustfmt"],
};

pub const CLIPPY: Tool = Tool {
    name: "clippy",
    probe: &["cargo", "clippy", "--version"],
    bring: &["rustup", "component", "add", "clippy"],
};

/// Debian's Rust with the sources of `core`, for targets that rustup has not installed. It is
/// called by its full path and does not disturb a rustup toolchain.
pub const DEBIAN_RUST: Tool = Tool {
    name: "the target by `rustup target add`, or Debian's Rust",
    probe: &["dpkg-query", "--show", "rustc-web", "cargo-web", "rust-web-src"],
    bring: &[
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "rustc-web",
        "cargo-web",
        "rust-web-src",
    ],
};

pub const VALGRIND: Tool = Tool {
    name: "Valgrind",
    probe: &["valgrind", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "valgrind"],
};

/// Of the version of the library in `benches/Cargo.toml`, or it refuses to run. Not optimised: it
/// only starts Valgrind, and building it takes most of a fresh machine's time for the figures.
pub const GUNGRAUN: Tool = Tool {
    name: "gungraun-runner 0.20.0",
    probe: &["sh", "-c", "gungraun-runner --version | grep -qx 'gungraun-runner 0.20.0'"],
    bring: &["cargo", "install", "gungraun-runner", "--version", "=0.20.0", "--locked", "--debug"],
};

/// Links 32-bit programs for this PC.
pub const LINKER_32: Tool = Tool {
    name: "a linker for 32-bit programs",
    probe: &["sh", "-c", "echo 'int main(void) { return 0; }' | cc -m32 -x c - -o /dev/null"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "gcc-multilib"],
};

/// The part of Chromium that has no windows: a third of the whole browser.
pub const BROWSER: Tool = Tool {
    name: "Chromium without windows",
    probe: &["chromium-headless-shell", "--version"],
    bring: &[
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "chromium-headless-shell",
        // Without a font it shows no letters.
        "fonts-dejavu-core",
    ],
};

pub const COMPILERS: Tool = Tool {
    name: "a C and a C++ compiler",
    probe: &["c++", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "gcc", "g++", "libc6-dev"],
};

pub const CLANG: Tool = Tool {
    name: "Clang",
    probe: &["clang++", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "clang"],
};

pub const PYTHON: Tool = Tool {
    name: "Python",
    probe: &["python3", "--version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "python3"],
};

pub const CMAKE: Tool = Tool {
    name: "CMake, make and pkg-config",
    probe: &["sh", "-c", "cmake --version && make --version && pkg-config --version"],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "cmake", "make", "pkg-config"],
};

pub const ARM_COMPILERS: Tool = Tool {
    name: "GCC for Arm with newlib",
    probe: &["sh", "-c", "echo '#include <string>' | arm-none-eabi-g++ -fsyntax-only -x c++ -"],
    bring: &[
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "gcc-arm-none-eabi",
        "libnewlib-arm-none-eabi",
        "libstdc++-arm-none-eabi-newlib",
    ],
};

/// A tool is not there: the step that needs it is skipped.
#[derive(Debug)]
pub struct Missing {
    tool: String,
    bring: String,
    /// Also with `CI=true`.
    pub may_be: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "needs {}: {}", self.tool, self.bring)
    }
}

impl std::error::Error for Missing {}

impl Shell {
    /// Makes sure of a tool: where it is missing, installs it with `CI=true`, else fails with
    /// [`Missing`].
    pub fn need(&self, tool: &Tool) -> Result<()> {
        if self.present(tool) {
            return Ok(());
        }
        let line = tool.bring.join(" ");
        if !self.ci {
            return Err(Missing { tool: tool.name.into(), bring: line, may_be: false }.into());
        }
        self.install(tool).with_context(|| format!("cannot install {}", tool.name))?;
        ensure!(self.present(tool), "{} is still missing after `{line}`", tool.name);
        Ok(())
    }

    /// As [`need`](Self::need), but for what cannot be had everywhere: [`Missing`], too, if it
    /// cannot be installed.
    pub fn may_need(&self, tool: &Tool) -> Result<()> {
        if self.present(tool) || (self.ci && self.install(tool).is_ok() && self.present(tool)) {
            return Ok(());
        }
        Err(Missing { tool: tool.name.into(), bring: tool.bring.join(" "), may_be: true }.into())
    }

    fn install(&self, tool: &Tool) -> Result<()> {
        if tool.bring[0] == "apt-get" && !self.apt_updated.replace(true) {
            self.run(self.command("apt-get").arg("update"))?;
        }
        self.run(
            self.command(tool.bring[0])
                .args(&tool.bring[1..])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
        Ok(())
    }

    fn present(&self, tool: &Tool) -> bool {
        let output = self.command(tool.probe[0]).args(&tool.probe[1..]).output();
        output.is_ok_and(|output| output.status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_brings_it() {
        let mut shell = Shell::new(false, false);
        shell.ci = false;
        let tool = Tool {
            name: "a tool",
            probe: &["no-such-program"],
            bring: &["apt-get", "install", "tool"],
        };
        let error = shell.need(&tool).unwrap_err();
        assert!(error.is::<Missing>());
        assert_eq!(error.to_string(), "needs a tool: apt-get install tool");
        assert!(shell.need(&Tool { probe: &["true"], ..tool }).is_ok());
    }

    #[test]
    fn optional_tools_may_be_missing_in_ci() {
        let mut shell = Shell::new(false, false);
        let tool = Tool { name: "a tool", probe: &["no-such-program"], bring: &["false", "now"] };
        for ci in [false, true] {
            shell.ci = ci;
            let error = shell.may_need(&tool).unwrap_err();
            assert!(error.downcast_ref().is_some_and(|missing: &Missing| missing.may_be));
            assert_eq!(error.to_string(), "needs a tool: false now");
            assert!(shell.may_need(&Tool { probe: &["true"], ..tool }).is_ok());
        }
    }

    #[test]
    fn in_ci_it_is_brought_or_fails() {
        let mut shell = Shell::new(false, false);
        shell.ci = true;
        let tool = Tool { name: "a tool", probe: &["no-such-program"], bring: &["true"] };
        assert_eq!(
            shell.need(&tool).unwrap_err().to_string(),
            "a tool is still missing after `true`"
        );
        let tool = Tool { bring: &["false", "now"], ..tool };
        let error = format!("{:#}", shell.need(&tool).unwrap_err());
        assert_eq!(error, "cannot install a tool: `false now` failed: exit status: 1");
    }
}

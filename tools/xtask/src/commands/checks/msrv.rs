//! `cargo xtask msrv`

use crate::{package::Package, shell::Shell, step::Step, tools::Tool};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![Step::new("oldest Rust", oldest)]
}

/// The `rust-version` of `Cargo.toml` is the Rust that runs all other steps, or one installed
/// beside it builds the library. (An older one than promised does not get here: cargo refuses.)
fn oldest(shell: &Shell) -> Result<()> {
    let package = Package::read(shell)?;
    let oldest = package.rust_version.as_str();
    let running = shell.run(shell.command("rustc").arg("--version"))?.stdout;
    if is_release(&running, oldest) {
        shell.note(format!("{oldest} is what runs all other steps"));
        return Ok(());
    }
    shell.need(&Tool {
        name: &format!("Rust {oldest}"),
        probe: &["rustup", "run", oldest, "rustc", "--version"],
        bring: &["rustup", "toolchain", "install", "--profile", "minimal", oldest],
    })?;
    let check = [
        "run",
        oldest,
        "cargo",
        "check",
        "--package",
        "tierpool",
        "--features",
        &package.host_features,
    ];
    shell.run(shell.command("rustup").args(check))?;
    shell.note(format!("{oldest} builds the library"));
    Ok(())
}

/// Whether `rustc 1.95.0 (…)` is a release of `1.95`, and not one of `1.9`.
fn is_release(rustc: &str, of: &str) -> bool {
    let version = rustc.split(' ').nth(1).and_then(|version| version.strip_prefix(of));
    version.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn releases() {
        let rustc = "rustc 1.95.0 (59807616e 2026-04-14)";
        assert!(super::is_release(rustc, "1.95") && super::is_release(rustc, "1.95.0"));
        assert!(!super::is_release(rustc, "1.9") && !super::is_release(rustc, "1.96"));
    }
}

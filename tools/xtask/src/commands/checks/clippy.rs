//! `cargo xtask clippy`
//!
//! The lint `incompatible_msrv`, an error by `Cargo.toml`, finds calls that are younger than the
//! oldest Rust that it promises.

use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step, tools};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("clippy, all features", all_features),
        Step::new("clippy, no features", no_features),
        Step::new("clippy, fuzz targets", fuzz_targets),
    ]
}

/// Those of the library, and that of an example that has one.
fn all_features(shell: &Shell) -> Result<()> {
    let features = format!("{},packet_relay/alloc", Package::read(shell)?.host_features);
    clippy(shell, &[WORKSPACE, &["--features", &features]].concat())
}

/// Also the default: it is empty.
fn no_features(shell: &Shell) -> Result<()> {
    clippy(shell, &["--package", "tierpool", "--no-default-features"])
}

/// A workspace of their own, which is built late: what they no longer go with shows here already.
/// No library of C++ is built for it, because nothing is linked.
fn fuzz_targets(shell: &Shell) -> Result<()> {
    shell.need(&tools::CLIPPY)?;
    let mut cargo = shell.cargo(["clippy", "--manifest-path", "verify/fuzz/Cargo.toml", "--bins"]);
    cargo.arg("--target-dir").arg(Shell::scratch("fuzz-clippy"));
    cargo.env("CUSTOM_LIBFUZZER_PATH", "nowhere/libfuzzer.a").args(["--", "-D", "warnings"]);
    shell.run(&mut cargo)?;
    Ok(())
}

fn clippy(shell: &Shell, what: &[&str]) -> Result<()> {
    shell.need(&tools::CLIPPY)?;
    shell
        .run(shell.cargo(["clippy", "--all-targets"]).args(what).args(["--", "-D", "warnings"]))?;
    Ok(())
}

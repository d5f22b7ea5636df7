//! Facts from the library's `Cargo.toml`, by way of `cargo metadata`.

use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Features that do not go with a processor that has compare-and-swap, such as a host's
/// (`portable-atomic` refuses them), with a stable toolchain (`cargo xtask features` has a step for
/// that one), or without AddressSanitizer (`cargo xtask capi` builds that).
const NOT_HERE: &[&str] = &["portable-atomic-unsafe-assume-single-core", "nightly", "asan"];

/// What is built with all features.
pub const WORKSPACE: &[&str] = &["--workspace"];

/// A feature that leaves a choice to the final binary, and the choice for our checks: ESP32-C6 is
/// an RV32IMAC.
const CHIP: (&str, &str) = ("esp-alloc", "esp-alloc,esp-alloc/esp32c6");

pub struct Package {
    /// The features of all processors with compare-and-swap, each as cargo takes it; `default` is
    /// none of its own.
    pub features: Vec<String>,
    /// The same, all at once, as `tierpool/a,tierpool/b`.
    pub host_features: String,
    /// Those that docs.rs turns on.
    pub docs_features: String,
    /// What docs.rs calls rustdoc with.
    pub docs_flags: String,
}

impl Package {
    pub fn read(shell: &Shell) -> Result<Package> {
        let mut command = shell.cargo(["metadata", "--no-deps", "--format-version", "1"]);
        let output = command.output().context("cargo metadata")?;
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let mut packages = metadata["packages"].as_array().into_iter().flatten();
        let package = packages.find(|it| it["name"] == "tierpool").context("no tierpool")?;
        let features = package["features"].as_object().context("no features")?.keys();
        let features =
            features.filter(|name| *name != "default" && !NOT_HERE.contains(&name.as_str()));
        let features: Vec<String> =
            features.map(|name| if name == CHIP.0 { CHIP.1 } else { name }.to_string()).collect();
        let qualified: Vec<String> =
            features.iter().map(|name| format!("tierpool/{name}")).collect();
        let docs = &package["metadata"]["docs"]["rs"];
        let listed = |name: &str| {
            let words = docs[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>();
            ensure!(!words.is_empty(), "no {name} for docs.rs");
            Ok(words)
        };
        Ok(Package {
            features,
            host_features: qualified.join(","),
            docs_features: listed("features")?.join(","),
            docs_flags: listed("rustdoc-args")?.join(" "),
        })
    }
}

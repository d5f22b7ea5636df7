//! Prints `tierpool.h`, made from the sources of `tierpool-capi` by cbindgen as
//! `bindings/c/cbindgen.toml` says.
//!
//! A package of its own, so that the other checks do not have to wait for cbindgen. `cargo xtask
//! capi` calls it.

use anyhow::{Error, Result, ensure};
use std::io::{Write, stdout};
use std::path::Path;

fn main() -> Result<()> {
    ensure!(
        std::env::args().len() == 1,
        "takes no arguments: prints tierpool.h to standard output"
    );
    let capi = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let config = cbindgen::Config::from_file(capi.join("cbindgen.toml")).map_err(Error::msg)?;
    let mut header = Vec::new();
    cbindgen::Builder::new().with_config(config).with_crate(capi).generate()?.write(&mut header);
    stdout().write_all(&header)?;
    Ok(())
}

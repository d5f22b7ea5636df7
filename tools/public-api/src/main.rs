//! Lists the public items of a crate, a line each, from the JSON that rustdoc makes of it:
//!
//! ```text
//!   public-api target/doc/tierpool.json
//! ```
//!
//! What a compiler adds by itself (auto traits, derives, blanket implementations) is left out.

use anyhow::{Context, Result};
use public_api::Builder;

fn main() -> Result<()> {
    let json = std::env::args().nth(1).context("usage: public-api JSON, a file of rustdoc's")?;
    let listed = Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| {
            format!("cannot read {json}: is the crate `public-api` as new as the compiler?")
        })?;
    listed.items().for_each(|item| println!("{item}"));
    Ok(())
}

//! One file a command.

pub mod bench;
pub mod capi;
pub mod clippy;
pub mod device;
pub mod doc;
pub mod faults;
pub mod features;
pub mod firmware;
pub mod fit;
pub mod fmt;
pub mod fuzz;
pub mod instructions;
pub mod litmus;
pub mod loom;
pub mod miri;
pub mod msrv;
pub mod mutants;
pub mod no_std;
pub mod orderings;
pub mod proof;
pub mod publish;
pub mod relay;
pub mod replay;
pub mod sanitizers;
pub mod soak;
pub mod unit;

use crate::step::Step;

/// What `cargo xtask check` runs: what one wants to know while working. Under three minutes on a warm tree.
pub fn quick() -> Vec<Step> {
    [fmt::STEPS, clippy::STEPS, unit::QUICK].concat()
}

/// What `cargo xtask test` runs, cheapest first.
pub fn all() -> Vec<Step> {
    [
        fmt::STEPS,
        msrv::STEPS,
        clippy::STEPS,
        doc::STEPS,
        no_std::STEPS,
        features::STEPS,
        unit::STEPS,
        publish::STEPS,
        relay::STEPS,
        capi::STEPS,
        instructions::STEPS,
        litmus::STEPS,
        loom::STEPS,
        device::STEPS,
        orderings::STEPS,
    ]
    .concat()
}

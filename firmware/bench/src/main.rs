//! Instructions of pool operations, exact, and what two cores that contend get done.
//!
//! Runs under `-icount`, the other core parked while counting. Every figure is one line,
//! `figure<TAB>operation<TAB>implementation<TAB>value`; `cargo xtask device` compares them with
//! `figures.tsv`.
#![no_std]
#![no_main]

mod contended;
mod critical;
mod heaps;
mod peers;
mod pools;

use harness::count::{self, Block};
use harness::println;

/// What one request asks for: the middle tier of the default geometry, half of the mark's
/// operations.
const SIZE: usize = 500;

fn figure(operation: &str, implementation: &str, code: fn()) {
    println!("figure\t{operation}\t{implementation}\t{}", count::instructions(code));
}

/// As `figure`, of two functions.
fn pair(operation: &str, implementation: &str, take: fn() -> Block, give: fn(Block)) {
    println!("figure\t{operation}\t{implementation}\t{}", count::pair(take, give));
}

#[unsafe(no_mangle)]
fn main() {
    pools::figures();
    peers::figures();
    heaps::figures();
    contended::figures();
}

//! The image for the checks of machine code.
#![no_std]
#![no_main]

#[path = "../operations.rs"]
mod operations;

#[unsafe(no_mangle)]
fn main() {
    operations::keep();
    harness::println!("only for the checks of machine code");
}

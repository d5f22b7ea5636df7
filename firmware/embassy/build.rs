//! The linker script of defmt, as in each program that uses it.
fn main() {
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
}

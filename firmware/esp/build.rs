//! Chooses what goes into esp-hal's linker script at its two hooks: with the feature `iram`, the
//! pool's code and descriptors; without it, nothing.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let place = if std::env::var_os("CARGO_FEATURE_IRAM").is_some() { "iram" } else { "flash" };
    println!("cargo:rustc-link-search={here}/ld/{place}");
    println!("cargo:rerun-if-changed=ld");
}

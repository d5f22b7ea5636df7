//! What must not compile, and what the compiler then says: every error of `pool!` names the tier and the reason.
//! After a change of a message: `TRYBUILD=overwrite cargo test --features std --test compile_fail`, and read the diff.
// The passing crate takes the global allocator for a fallback; no message depends on the width of the head.
#![cfg(all(feature = "std", not(tierpool_narrow_head)))]

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
    cases.pass("tests/compile_pass/*.rs");
    if cfg!(feature = "wait") {
        cases.compile_fail("tests/compile_fail/wait/*.rs");
        cases.pass("tests/compile_pass/wait/*.rs");
    }
}

//! `cargo xtask unit`

use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step, tools};
use anyhow::{Context, Result, ensure};

pub fn steps() -> Vec<Step> {
    let [none, optimised, browser] = [
        Step::new("tests, no features", no_features),
        Step::new("limits and secrets, optimised", optimised),
        Step::new("the page of `tierpool watch` in a browser", browser),
    ];
    let chips = Step::new("DMA buffers, by the rules of ESP32 and ESP32-P4", chips);
    [vec![none], quick(), vec![browser, optimised, chips]].into_iter().flatten().collect()
}

/// The part of it that is wanted while working.
pub fn quick() -> Vec<Step> {
    vec![
        Step::new("tests, all features, whole workspace", all_features),
        Step::new("documentation tests", doc_tests),
    ]
}

/// Also the default: it is empty.
fn no_features(shell: &Shell) -> Result<()> {
    test(shell, &["--package", "tierpool", "--no-default-features", "--lib", "--tests"])
}

fn all_features(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    test(shell, &[WORKSPACE, &["--features", &features, "--lib", "--bins", "--tests"]].concat())
}

/// What optimisation may change: sums that overflow wrap instead of panicking, debug assertions are
/// gone, and writes that nobody reads, such as those of a wipe, may be left out. The library and its
/// tests alone are optimised: what they use has been built for the other tests.
fn optimised(shell: &Shell) -> Result<()> {
    const FILES: [&str; 7] =
        ["misuse", "panics", "fallback", "before_main", "out_of_memory", "secrets", "wipe"];
    let features = Package::read(shell)?.host_features;
    let package = ["--package", "tierpool", "--features", &features];
    let options = ["opt-level=3", "debug-assertions=false", "overflow-checks=false"];
    let options = options.map(|option| format!("profile.dev.package.tierpool.{option}"));
    let options = options.each_ref().map(|option| ["--config", option]).concat();
    test(shell, &[&package[..], &options, &FILES.map(|file| ["--test", file]).concat()].concat())
}

/// What the DMA of these chips asks for. The tests above have chosen no chip: these are the rules of
/// ESP32-C6.
fn chips(shell: &Shell) -> Result<()> {
    for chip in ["esp32", "esp32p4"] {
        test(shell, &["--package", "tierpool-esp-hal", "--tests", "--features", chip])?;
    }
    Ok(())
}

/// Built as for the tests of all features, which come before it.
fn browser(shell: &Shell) -> Result<()> {
    shell.need(&tools::BROWSER)?;
    let features = Package::read(shell)?.host_features;
    let test_of = ["--features", &features, "--bin", "tierpool", "--", "--ignored"];
    test(shell, &[WORKSPACE, &test_of, &["a_browser_shows_the_page"]].concat())
}

fn doc_tests(shell: &Shell) -> Result<()> {
    test(
        shell,
        &[WORKSPACE, &["--features", &Package::read(shell)?.host_features, "--doc"]].concat(),
    )
}

/// Runs `cargo test` and notes how many tests passed; none at all is an error.
fn test(shell: &Shell, what: &[&str]) -> Result<()> {
    let printed = shell.run(shell.cargo(["test"]).args(what))?.stdout;
    let passed = printed.lines().filter_map(passed).sum::<Result<u64>>()?;
    ensure!(passed > 0, "no test ran");
    shell.note(format!("{passed} passed"));
    Ok(())
}

/// The count in a line `test result: ok. 12 passed; …`.
fn passed(line: &str) -> Option<Result<u64>> {
    let count = line.strip_prefix("test result: ok. ")?.split(' ').next()?;
    Some(count.parse().with_context(|| format!("cannot read `{line}`")))
}

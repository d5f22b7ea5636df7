//! `cargo xtask relay`

use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("packages of the packet relay", packages),
        Step::new("packet relay", relay),
        Step::new("packet relay, its whole heap a pool", relay_on_pool),
        Step::new("TCP between two interfaces over pools", smoltcp),
    ]
}

/// It is the first thing that a reader starts: from a clean checkout its first line must not wait for
/// packages that it does not need.
fn packages(shell: &Shell) -> Result<()> {
    const MOST: usize = 16;
    let mut tree = shell.cargo(["tree", "-p", "packet_relay", "--edges", "normal,build"]);
    let printed = shell.run(tree.args(["--prefix", "none", "--no-dedupe"]))?.stdout;
    let packages: BTreeSet<&str> =
        printed.lines().filter_map(|line| line.split(' ').next()).collect();
    ensure!(packages.contains("tierpool"), "no tree of the packages");
    ensure!(
        packages.len() <= MOST,
        "{} packages are built, more than {MOST}:\n{printed}",
        packages.len()
    );
    shell.note(format!("{} packages", packages.len()));
    Ok(())
}

/// The relay checks itself and says so in its exit code. Here, that it has moved packets, that its
/// JSON can be read, and that its check can fail.
fn relay(shell: &Shell) -> Result<()> {
    let report = passed(shell, &mut run(shell, "", "3"))?;
    let forgetful = &mut run(shell, "", "1");
    let found =
        shell.run_failing(forgetful.args(["--leak", "1000", "--track"]), "have not come home")?;
    // The table finds the line that forgets them.
    let file = "examples/packet_relay/src/radio.rs";
    let source = std::fs::read_to_string(Shell::root().join(file))?;
    let line = source.lines().position(|line| line.contains("forget(")).context("no `forget`")?;
    let place = format!("by {file}:{}", line + 1);
    ensure!(found.contains(&place), "`{place}` is not named: {found}");
    shell.note(format!("{} packets", report["packets"]["received"]));
    Ok(())
}

/// With `alloc` a pool is the global allocator. It must have served most of what the program asked
/// for.
fn relay_on_pool(shell: &Shell) -> Result<()> {
    let report = passed(shell, &mut run(shell, "alloc", "2"))?;
    let count = |what| {
        report["pools"]["program"][what]
            .as_u64()
            .with_context(|| format!("no pools.program.{what}"))
    };
    let (hits, requests) = (count("hits")?, count("requests")?);
    ensure!(hits * 2 > requests, "the pool served {hits} of {requests} requests of the program");
    shell.note(format!("the pool served {hits} of the program's {requests} requests"));
    Ok(())
}

/// 10 MB each way. The pools must have run out meanwhile, and the checks of content and of buffers
/// can fail.
fn smoltcp(shell: &Shell) -> Result<()> {
    let run = || {
        let mut cargo = shell.cargo(["run", "--release", "-p", "smoltcp_relay"]);
        cargo.args(["--", "--json"]);
        cargo
    };
    let report: Value = serde_json::from_str(&shell.run(&mut run())?.stdout)
        .context("what it prints is no JSON")?;
    let count = |host: &str, what: &str| {
        report[host][what].as_u64().with_context(|| format!("no {host}.{what}"))
    };
    for host in ["left", "right"] {
        ensure!(count(host, "bytes_received")? == 10_000_000, "{host} has not received 10 MB");
    }
    let held_back = report["held_back"].as_u64().context("no held_back")?;
    ensure!(
        held_back > 0 && report["passed"] == true,
        "no pool ran out, or it does not say that it passed"
    );
    shell.run_failing(run().args(["--fault", "leak"]), "LEFT: 1 buffers have not come home")?;
    shell.run_failing(
        run().args(["--fault", "content"]),
        "right: byte 5000000 is not what was sent",
    )?;
    shell.note(format!("10 MB each way, held back {held_back} times"));
    Ok(())
}

fn run(shell: &Shell, features: &str, seconds: &str) -> Command {
    let mut cargo = shell.cargo(["run", "--release", "-p", "packet_relay", "--features", features]);
    cargo.args(["--", "--json", "--seconds", seconds]);
    cargo
}

/// The report of a relay that says that it has moved packets and passed.
fn passed(shell: &Shell, relay: &mut Command) -> Result<Value> {
    let report: Value = serde_json::from_str(&shell.run(relay)?.stdout)
        .context("what the relay prints is no JSON")?;
    let received = report["packets"]["received"].as_u64().context("no packets.received")?;
    ensure!(
        received > 0 && report["passed"] == true,
        "the relay moved nothing, or does not say that it passed"
    );
    Ok(report)
}

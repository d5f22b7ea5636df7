//! `cargo xtask relay`

use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub const STEPS: &[Step] = &[Step { name: "packet relay", run: relay }];

/// The relay checks itself and says so in its exit code. Here, that it has moved packets, that its JSON can be read,
/// and that its check can fail.
fn relay(shell: &Shell) -> Result<()> {
    let relay = |seconds| shell.cargo(["run", "--release", "--example", "packet_relay", "--", "--json", "--seconds", seconds]);
    let printed = shell.run(&mut relay("3"))?.stdout;
    let report: Value = serde_json::from_str(&printed).context("what the relay prints is no JSON")?;
    let received = report["packets"]["received"].as_u64().context("no packets.received")?;
    ensure!(received > 0 && report["passed"] == true, "the relay moved nothing, or does not say that it passed");
    shell.run_failing(relay("1").arg("--leak"), "have not come home")?;
    shell.note(format!("{received} packets"));
    Ok(())
}

//! The example on embassy (`firmware/embassy`): an executor on each core, a pool between them.
//!
//! The image looks at its outcome itself: each packet whole and in its turn, on the right core; the
//! radio has waited for slots; the pool is idle at the end. Here, that it can fail, and that what
//! it has logged by defmt can be read.

use super::board::{CORTEX_M, Cores, workspace};
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// What goes wrong, by the second argument of the image, and what it says then
/// (`firmware/embassy/src/board.rs`).
const WRONG: [(u32, &str); 3] = [
    (1, "buffers are still out"),
    (2, "the radio never waited for a slot"),
    (3, "is not the next one"),
];

/// Lines of statistics in a run, one after so many packets.
const REPORTS: u64 = 3;
const REPORT_EVERY: u64 = 100;

pub fn check(shell: &Shell) -> Result<()> {
    let target = &CORTEX_M.target;
    let folder = target.build(shell, &workspace(), "embassy-example", "release")?;
    let image = folder.join("embassy-example");
    let waits = [
        run(shell, &image, Cores::Counted).context("by counted instructions")?,
        run(shell, &image, Cores::Parallel).context("two host threads")?,
    ];
    for (wrong, reason) in WRONG {
        let counted = [1, wrong];
        let mut command = CORTEX_M.emulate(shell, &image, Cores::Counted, &counted, 60)?;
        shell.run_failing(&mut command, reason)?;
    }
    let [counted, parallel] = waits;
    shell.note(format!("waited {counted} times; on two host threads {parallel}"));
    Ok(())
}

/// Runs the image to its end, reads its log, and returns how often the radio has waited.
fn run(shell: &Shell, image: &Path, cores: Cores) -> Result<u64> {
    let counted = u32::from(cores == Cores::Counted);
    let mut command = CORTEX_M.emulate(shell, image, cores, &[counted], 60)?;
    // Bytes, and no text as of other images: so not by the shell.
    let output = command.output().context("cannot start QEMU")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the image failed with {}: {printed}", output.status);
    let file = Shell::scratch("device").join("embassy.defmt");
    fs::write(&file, &output.stdout)?;
    let decoder = ["run", "--quiet", "--package", "defmt-log", "--features", "decoder", "--"];
    let log = shell.run(shell.cargo(decoder).arg(image).arg(&file))?.stdout;
    read(&log).with_context(|| format!("in the log:\n{log}"))
}

/// Reads the lines of statistics, and the last line.
fn read(log: &str) -> Result<u64> {
    let mut lines = log.lines();
    let mut waited = 0;
    for report in 1..=REPORTS {
        let line = lines.next().context("a line of statistics is missing")?;
        let sent = report * REPORT_EVERY;
        let text = format!("{sent} packets sent, the radio waited ");
        let (_, rest) = line.split_once(&text).with_context(|| format!("no `{text}`"))?;
        let (number, stats) = rest.split_once(" times; RX requests=").context("no statistics")?;
        waited = number.parse()?;
        let requests: u64 = stats.split(' ').next().unwrap_or_default().parse()?;
        ensure!(requests >= sent, "{sent} packets of {requests} requests");
        ensure!(stats.contains("hit_rate=100% [64="), "no tiers, or a request that failed");
    }
    let last = lines.next().context("the last line is missing")?;
    ensure!(last.contains("the pool is idle after"), "not the last line: {last}");
    Ok(waited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_of_the_embassy_example() {
        let line = |sent: u64, waited| {
            format!(
                "INFO {sent} packets sent, the radio waited {waited} times; RX requests={} hits={0} \
                 misses=0 fallbacks=0 hit_rate=100% [64=0/4, 256=3/4]\n",
                sent + 2
            )
        };
        let reports = line(100, 7) + &line(200, 8) + &line(300, 9);
        let end = "INFO the pool is idle after 350 packets\n";
        assert_eq!(read(&(reports.clone() + end)).unwrap(), 9);
        assert!(read(&reports).is_err());
        assert!(read(&(line(100, 7) + end)).is_err());
        assert!(read(&(reports.replace("100%", "99%") + end)).is_err());
        assert!(read(&(reports.replace("requests=202", "requests=199") + end)).is_err());
    }
}

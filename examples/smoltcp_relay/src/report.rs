//! What the exchange has shown, for people and as JSON.

use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use tierpool::Pool;

use crate::figures::{grouped, pool_json};
use crate::host::Outcome;
use crate::{LEFT, RIGHT};

const HOSTS: [&str; 2] = ["left", "right"];
const POOLS: [(&str, &Pool); 2] = [("LEFT", &LEFT), ("RIGHT", &RIGHT)];

/// Taken when both threads are joined and everything is dropped.
pub struct Report {
    bytes: u64,
    elapsed: Duration,
    hosts: [Outcome; 2],
    faults: Vec<String>,
}

impl Report {
    pub fn new(bytes: u64, elapsed: Duration, hosts: [Outcome; 2]) -> Report {
        let mut faults = Vec::new();
        for (name, host) in HOSTS.iter().zip(&hosts) {
            if let Some(position) = host.first_wrong {
                faults.push(format!("{name}: byte {position} is not what was sent"));
            }
            if !host.closed || host.received != bytes {
                faults.push(format!(
                    "{name}: sent {} and received {} of {bytes} bytes, then nothing moved",
                    host.sent, host.received
                ));
            }
        }
        for (name, pool) in POOLS {
            if !pool.is_idle() {
                let astray: usize = pool.stats().tiers().iter().map(|tier| tier.in_use).sum();
                faults.push(format!("{name}: {astray} buffers have not come home"));
            }
        }
        Report { bytes, elapsed, hosts, faults }
    }

    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }

    #[cfg(test)]
    pub fn faults(self) -> Vec<String> {
        self.faults
    }

    /// How often a host was told "not now".
    pub fn held_back(&self) -> u64 {
        self.hosts.iter().map(|host| host.counts.held_back).sum()
    }

    /// Both directions together.
    fn megabytes_per_second(&self) -> f64 {
        2.0 * self.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    pub fn json(&self) -> Value {
        let host = |host: &Outcome| {
            json!({
                "bytes_sent": host.sent,
                "bytes_received": host.received,
                "frames_sent": host.counts.sent,
                "frames_received": host.counts.received,
                "held_back": host.counts.held_back,
                "replies_lost": host.counts.replies_lost,
            })
        };
        json!({
            "seconds": self.elapsed.as_secs_f64(),
            "megabytes_per_second": self.megabytes_per_second(),
            "left": host(&self.hosts[0]),
            "right": host(&self.hosts[1]),
            "held_back": self.held_back(),
            "pools": { "left": pool_json(&LEFT.stats()), "right": pool_json(&RIGHT.stats()) },
            "faults": self.faults,
            "passed": self.passed(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [left, right] = &self.hosts;
        let rate = self.megabytes_per_second();
        writeln!(
            f,
            "{} bytes each way in {:.2} s, {rate:.1} MB/s in all",
            grouped(self.bytes),
            self.elapsed.as_secs_f64()
        )?;
        writeln!(f, "\n  {:<32}{:>14}{:>14}", "", HOSTS[0], HOSTS[1])?;
        for (name, both) in [
            ("bytes sent", [left.sent, right.sent]),
            ("bytes received, all checked", [left.received, right.received]),
            ("frames sent", [left.counts.sent, right.counts.sent]),
            ("frames received", [left.counts.received, right.counts.received]),
            ("held back for want of a buffer", [left.counts.held_back, right.counts.held_back]),
            ("replies lost", [left.counts.replies_lost, right.counts.replies_lost]),
        ] {
            let [left, right] = both.map(grouped);
            writeln!(f, "  {name:<32}{left:>14}{right:>14}")?;
        }
        for (name, pool) in POOLS {
            writeln!(f, "\n{name}\n{:#}", pool.stats())?;
        }
        writeln!(f)?;
        for fault in &self.faults {
            writeln!(f, "FAILED: {fault}")?;
        }
        if self.passed() {
            write!(f, "All bytes have arrived as they were sent, every buffer has come home.")?;
        }
        Ok(())
    }
}

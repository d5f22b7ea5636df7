//! A line a pool: where there is no terminal, and as CSV.

use super::model::Pool;
use super::snapshot::{Clock, Tier};

/// `RX  120 requests/s  0 misses/s  hit rate 99.1 %  256: 3/16 (peak 5)  512: 0/16 (peak 2)`
pub fn line(pool: &Pool) -> String {
    let mut line = format!("{}  {}  hit rate {:.1} %", pool.name, rates(pool), pool.now.hit_rate());
    for (tier, peak) in pool.now.tiers.iter().zip(&pool.peaks) {
        let about = if tier.exact { "" } else { "~" };
        line += &format!("  {}: {about}{}/{} (peak {peak})", tier.bytes, tier.in_use, tier.slots);
        if let Some(reserve) = tier.reserve {
            line += &format!(" + {}/{}", reserve.in_use, reserve.slots);
        }
    }
    if let Some(oldest) = pool.holders.first() {
        line += &format!("  oldest held by {}", oldest.name);
    }
    line
}

/// What happens in a second, or in all, while that is not known.
pub fn rates(pool: &Pool) -> String {
    match pool.rate {
        Some(rate) => format!("{:.1} requests/s  {:.1} misses/s", rate.requests, rate.misses),
        None => format!("{} requests  {} misses", pool.now.requests, pool.now.misses),
    }
}

/// The first line of the CSV.
pub const HEADINGS: &str = "seconds,pool,requests,hits,misses,fallbacks,bytes,slots,in_use,cached,peak,tier_served,tier_missed";

/// A line for each tier of the newest snapshot. What was not printed is left empty.
pub fn csv(pool: &Pool) -> Vec<String> {
    let now = &pool.now;
    let name = if pool.name.contains([',', '"', '\n']) {
        format!("\"{}\"", pool.name.replace('"', "\"\""))
    } else {
        pool.name.clone()
    };
    let seconds = match now.clock {
        Clock::Lines => String::new(),
        Clock::Device | Clock::Arrival => format!("{:.3}", now.seconds),
    };
    let row = |tier: &Tier| {
        let counts = match tier.counts {
            Some(it) => format!("{},{},{},{}", it.cached, it.peak, it.served, it.missed),
            None => ",,,".into(),
        };
        format!(
            "{seconds},{name},{},{},{},{},{},{},{},{counts}",
            now.requests, now.hits, now.misses, now.fallbacks, tier.bytes, tier.slots, tier.in_use
        )
    };
    now.tiers.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::model::tests::model;

    #[test]
    fn a_pool_in_one_line() {
        tierpool::pool! { static TEXT = [64 x 4, 512 x 2], spill = 1; }
        let first = TEXT.stats().to_string();
        let held = [TEXT.alloc(60), TEXT.alloc(500)];
        held.iter().flatten().for_each(|buffer| buffer.mark(&"parked"));
        let table = format!("{:#}", TEXT.stats());
        let told = |lines: &[(f64, &str)]| line(&model(lines).pools[0]);
        assert_eq!(
            told(&[(1.0, &first)]),
            "TEXT  0 requests  0 misses  hit rate 100.0 %  64: 0/4 (peak 0)  512: 0/2 (peak 0)"
        );
        assert_eq!(
            told(&[(1.0, &first), (1.5, &table)]),
            "TEXT  4.0 requests/s  0.0 misses/s  hit rate 100.0 %  64: 1/4 (peak 1)  512: 1/2 (peak 1)  oldest held by parked"
        );
    }

    #[test]
    fn a_row_for_each_tier() {
        tierpool::pool! { static TEXT = [64 x 4, 512 x 2], spill = 1; }
        let line = TEXT.stats().to_string();
        let _held = TEXT.alloc(60);
        let table = format!("{:#}", TEXT.stats());
        let rows = |lines: &[(f64, &str)]| csv(&model(lines).pools[0]);
        assert_eq!(rows(&[(0.0, &line)])[1], "0.000,TEXT,0,0,0,0,512,2,0,,,,");
        assert_eq!(rows(&[(0.5, &table)])[0], "0.500,TEXT,1,1,0,0,64,4,1,0,1,1,0");
        let columns = HEADINGS.split(',').count();
        assert!(rows(&[(0.5, &table)]).iter().all(|row| row.split(',').count() == columns));
        let unnamed = line.split_once(' ').unwrap().1;
        assert!(rows(&[(0.0, unnamed)])[0].starts_with("0.000,\"[64 x 4, 512 x 2]\",0,"));
    }
}

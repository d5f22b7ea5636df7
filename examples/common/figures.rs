//! Figures as the examples print them.

use serde_json::{Value, json};
use tierpool::Stats;

/// A pool's statistics.
pub fn pool_json(stats: &Stats) -> Value {
    let tier = |tier: &tierpool::TierStats| {
        json!({
            "size": tier.size,
            "slots": tier.slots,
            "served": tier.served,
            "missed": tier.missed,
            "in_use": tier.in_use,
            "peak": tier.peak,
        })
    };
    json!({
        "requests": stats.requests(),
        "hits": stats.hits(),
        "misses": stats.misses(),
        "exhausted": stats.exhausted(),
        "oversized": stats.oversized(),
        "fallbacks": stats.fallbacks(),
        "fallback_live": stats.fallback_live(),
        "hit_percent": hit_percent(stats),
        "tiers": stats.tiers().iter().map(tier).collect::<Vec<_>>(),
    })
}

pub fn hit_percent(stats: &Stats) -> f64 {
    f64::from(stats.hit_permille()) / 10.0
}

/// `1 234 567`
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_in_groups() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(super::grouped),
            ["0", "999", "1 000", "1 234 567"]
        );
    }
}

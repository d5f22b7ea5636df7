//! How the counts of a pool are printed.
//!
//! | format | prints |
//! |---|---|
//! | `{}` | one line: requests, and slots in use of each tier |
//! | `{:#}` | a table: a row for each tier, and a line of sums; with `track`, a row for each holder |
//! | `{:?}` | the fields, and the tiers of the pool |

use core::fmt;

#[cfg(feature = "reserve")]
use crate::pool::stats::ReserveStats;
use crate::pool::stats::{Stats, TierStats};

/// Prints the fields, and the tiers of the pool.
impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Stats");
        #[cfg(feature = "names")]
        fields.field("name", &self.name);
        fields
            .field("exhausted", &self.exhausted)
            .field("oversized", &self.oversized)
            .field("fallbacks", &self.fallbacks)
            .field("from_caches", &self.from_caches)
            .field("retries", &self.retries)
            .field("moved", &self.moved)
            .field("fallback_live", &self.fallback_live)
            .field("tiers", &self.tiers());
        #[cfg(feature = "track")]
        fields.field("holders", &self.holders());
        fields.finish()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "names")]
        if let Some(name) = self.name {
            write!(f, "{name}{}", if f.alternate() { '\n' } else { ' ' })?;
        }
        if f.alternate() { self.table(f) } else { self.line(f) }
    }
}

impl Stats {
    /// Prints the line of `{}`.
    fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.hit_permille() / 10;
        let (requests, hits, misses, fallbacks) =
            (self.requests(), self.hits(), self.misses(), self.fallbacks);
        write!(
            f,
            "requests={requests} hits={hits} misses={misses} fallbacks={fallbacks} hit_rate={percent}%"
        )?;
        for tier in self.tiers() {
            write!(f, " {}={}{}/{}", tier.size, approximately(tier), tier.in_use, tier.slots)?;
            #[cfg(feature = "reserve")]
            if tier.reserve.slots > 0 {
                write!(f, "+{}/{}", tier.reserve.in_use, tier.reserve.slots)?;
            }
        }
        Ok(())
    }

    /// Prints the table of `{:#}`.
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>6} {:>7} {:>7} {:>7} {:>7} {:>13} {:>13}",
            "bytes", "slots", "in use", "cached", "peak", "served", "missed"
        )?;
        for tier in self.tiers() {
            let mark = approximately(tier);
            let width = 7 - mark.len();
            write!(f, "{:>6} {:>7} {mark}{:>width$} ", tier.size, tier.slots, tier.in_use)?;
            let (at_most, width) = if tier.lanes > 1 { ("<=", 5) } else { ("", 7) };
            writeln!(
                f,
                "{:>7} {at_most}{:>width$} {:>13} {:>13}",
                tier.cached, tier.peak, tier.served, tier.missed
            )?;
            #[cfg(feature = "reserve")]
            if let ReserveStats { slots: slots @ 1.., in_use, peak, served } = tier.reserve {
                writeln!(f, "     + {slots:>7} {in_use:>7} {:>7} {peak:>7} {served:>13}", "")?;
            }
        }
        let (requests, hits, permille) = (self.requests(), self.hits(), self.hit_permille());
        write!(
            f,
            "requests {requests}, hits {hits} ({}.{} %, from caches {}), ",
            permille / 10,
            permille % 10,
            self.from_caches
        )?;
        write!(f, "exhausted {}, oversized {}, ", self.exhausted, self.oversized)?;
        write!(f, "from the fallback {} (now {})", self.fallbacks, self.fallback_live)?;
        // Only few programs have these counts, so they stand here only if they are not zero.
        for (what, times) in [("tries of waiting tasks", self.retries), ("moved down", self.moved)]
        {
            if times > 0 {
                write!(f, ", {what} {times}")?;
            }
        }
        #[cfg(feature = "track")]
        write!(f, "{}", self.holders)?;
        Ok(())
    }
}

/// Prints one line: `256 bytes: 3 of 16 in use, 0 cached, peak 5, served 12, missed 0`. A `~`
/// stands before figures that changed while they were counted.
impl fmt::Display for TierStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TierStats { size, slots, in_use, cached, peak, served, missed, .. } = self;
        let (about, at_most) = (approximately(self), if self.lanes > 1 { "<=" } else { "" });
        write!(
            f,
            "{size} bytes: {about}{in_use} of {slots} in use, {about}{cached} cached, peak {at_most}{peak}, served {served}, missed {missed}"
        )
    }
}

/// The mark of a figure that changed while it was counted.
pub(crate) fn approximately(tier: &TierStats) -> &'static str {
    if tier.exact { "" } else { "~" }
}

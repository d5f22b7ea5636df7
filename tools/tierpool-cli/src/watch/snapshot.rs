//! The counts of a pool at one moment, as far as its text tells them.

/// One statistics line, or one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The name of the pool, with the feature `names`, or the word that the program puts in front.
    pub name: Option<String>,
    /// When it was printed, and by which clock.
    pub seconds: f64,
    pub clock: Clock,
    pub requests: u64,
    pub hits: u64,
    pub misses: u64,
    pub fallbacks: u64,
    /// By rising size.
    pub tiers: Vec<Tier>,
    /// What only the table tells.
    pub sums: Option<Sums>,
}

/// Where a time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clock {
    /// The device printed it.
    Device,
    /// The line came at this time.
    Arrival,
    /// No time is known: these are no seconds, but lines of the log.
    #[default]
    Lines,
}

/// A tier of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tier {
    pub bytes: u64,
    pub slots: u64,
    pub in_use: u64,
    /// False: it changed while it was counted.
    pub exact: bool,
    pub reserve: Option<Reserve>,
    /// What only the table tells.
    pub counts: Option<Counts>,
}

/// The counts of a tier in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub cached: u64,
    pub peak: u64,
    /// The peak is a sum over lanes: an upper bound.
    pub at_most: bool,
    pub served: u64,
    pub missed: u64,
}

/// Reserved slots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reserve {
    pub slots: u64,
    pub in_use: u64,
    /// Peak and served, which only the table tells.
    pub counts: Option<(u64, u64)>,
}

/// The last line of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub from_caches: u64,
    pub exhausted: u64,
    pub oversized: u64,
    pub fallback_live: u64,
    pub retries: u64,
    pub moved: u64,
}

/// Who holds buffers: a row of the feature `track`.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    pub buffers: u64,
    /// Bytes of their slots, and requests since the oldest was taken; unknown of `others`.
    pub bytes_and_age: Option<(u64, u64)>,
    pub name: String,
}

/// True for what can be slots in use, and slots: of 1022 in each of the lanes that there may be.
pub fn is_use(in_use: u64, slots: u64) -> bool {
    in_use <= slots && (1..1_000_000).contains(&slots)
}

impl Snapshot {
    /// Sizes and slots: what stays the same for the life of a pool.
    pub fn shape(&self) -> Vec<(u64, u64)> {
        self.tiers.iter().map(|tier| (tier.bytes, tier.slots)).collect()
    }

    /// The hit rate, in percent; 100 before the first request.
    pub fn hit_rate(&self) -> f64 {
        if self.requests == 0 { 100.0 } else { 100.0 * self.hits as f64 / self.requests as f64 }
    }
}

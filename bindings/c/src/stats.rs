//! What a pool has counted, as figures and as text.

use core::ffi::c_char;
use core::fmt;

use tierpool::{Pool, Stats, TierStats};

use crate::error::tierpool_error::{self, *};
use crate::geometry::TIERPOOL_MAX_TIERS;
use crate::init::{pool_at, tierpool_pool};
use crate::{out, text};

/// The counts of one tier.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tierpool_tier_stats {
    /// Bytes of a slot.
    pub bytes: usize,
    /// Number of slots.
    pub slots: usize,
    /// Slots held now.
    pub in_use: usize,
    /// Largest number of slots that were away at once. In a pool with lanes it is an upper bound: the
    /// sum over the lanes.
    pub peak: usize,
    /// Requests that this tier has served, spilled ones included.
    pub served: u64,
    /// Requests that found this tier empty, whether a larger one then served them or not.
    pub missed: u64,
    /// The tier stood still while `in_use` was counted.
    pub exact: bool,
    /// Number of reserved slots. They are not among `slots`, and all figures above leave them out.
    pub reserve_slots: usize,
    /// Reserved slots held now.
    pub reserve_in_use: usize,
    /// Largest number of reserved slots that were held at once.
    pub reserve_peak: usize,
    /// Requests that the reserve has served.
    pub reserve_served: u64,
}

/// A snapshot of a pool's counts. Exact while nobody allocates or frees.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tierpool_stats {
    /// All requests: for handles, memory, growth and copies.
    pub requests: u64,
    /// Requests that a tier served.
    pub hits: u64,
    /// Requests that no tier served. The fallback may have: `fallbacks`. Whether a heap of the
    /// caller then did, the pool does not know.
    pub misses: u64,
    /// Those that a tier fits, but none that may serve them had a free slot.
    pub exhausted: u64,
    /// Those larger than the largest tier.
    pub oversized: u64,
    /// Requests that the fallback of the geometry served.
    pub fallbacks: u64,
    /// Buffers of the fallback that handles hold now.
    pub fallback_live: u32,
    /// How many of the tiers below there are.
    pub tier_count: usize,
    /// By rising size.
    pub tiers: [tierpool_tier_stats; TIERPOOL_MAX_TIERS],
}

/// Reads all counts of a pool.
///
/// Interrupt handler: better not (it scans all slots' states). Cost: up to four compare-and-swaps a
/// tier; about 3.5 KB of stack on 64-bit hosts, 2.5 KB on 32-bit targets.
///
/// # Errors
/// `TIERPOOL_NULL`.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `stats` is null or valid to write.
///
/// ```c
/// tierpool_stats stats;
/// if (tierpool_stats_read(pool, &stats) == TIERPOOL_OK) {
///     printf("%zu of %zu slots\n", stats.tiers[0].in_use, stats.tiers[0].slots);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_stats_read(
    pool: *const tierpool_pool,
    stats: *mut tierpool_stats,
) -> tierpool_error {
    // SAFETY: null or a pool, null or valid, by the caller.
    let (Ok(pool), Some(stats)) = (unsafe { (pool_at(pool), out(stats)) }) else {
        return TIERPOOL_NULL;
    };
    let read = pool.stats();
    let stats = stats.write(tierpool_stats {
        requests: read.requests(),
        hits: read.hits(),
        misses: read.misses(),
        exhausted: read.exhausted(),
        oversized: read.oversized(),
        fallbacks: read.fallbacks(),
        fallback_live: read.fallback_live(),
        ..tierpool_stats::default()
    });
    for (to, from) in stats.tiers.iter_mut().zip(read.tiers()) {
        stats.tier_count += 1;
        *to = tierpool_tier_stats {
            bytes: from.size,
            slots: from.slots,
            in_use: from.in_use,
            peak: from.peak,
            served: from.served,
            missed: from.missed,
            exact: from.exact,
            ..tierpool_tier_stats::default()
        };
        #[cfg(feature = "reserve")]
        {
            to.reserve_slots = from.reserve.slots;
            to.reserve_in_use = from.reserve.in_use;
            to.reserve_peak = from.reserve.peak;
            to.reserve_served = from.reserve.served;
        }
    }
    TIERPOOL_OK
}

/// Makes of `stats` what has happened since `earlier`, a snapshot of the same pool: it subtracts
/// the requests. What is true of a moment stays: slots in use, and peaks. For the peak of the time
/// between, call `tierpool_reset_peak` at the earlier one.
///
/// A difference below 0, of snapshots that are confused, is 0.
///
/// Interrupt handler: yes. Cost: no atomic operation, a subtraction a tier and count.
///
/// # Errors
/// `TIERPOOL_NULL`.
///
/// # Safety
/// Both are null or valid to read, `stats` also to write. They are not the same.
///
/// ```c
/// tierpool_stats noon, since;
/// if (tierpool_stats_read(pool, &noon) == TIERPOOL_OK && tierpool_stats_read(pool, &since) == TIERPOOL_OK) {
///     tierpool_stats_since(&since, &noon);
///     printf("%llu requests\n", (unsigned long long)since.requests);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_stats_since(
    stats: *mut tierpool_stats,
    earlier: *const tierpool_stats,
) -> tierpool_error {
    // SAFETY: null or valid, and two of them, by the caller.
    let (Some(stats), Some(earlier)) = (unsafe { (stats.as_mut(), earlier.as_ref()) }) else {
        return TIERPOOL_NULL;
    };
    let subtract = |count: &mut u64, before: u64| *count = count.saturating_sub(before);
    subtract(&mut stats.requests, earlier.requests);
    subtract(&mut stats.hits, earlier.hits);
    subtract(&mut stats.misses, earlier.misses);
    subtract(&mut stats.exhausted, earlier.exhausted);
    subtract(&mut stats.oversized, earlier.oversized);
    subtract(&mut stats.fallbacks, earlier.fallbacks);
    for (tier, before) in stats.tiers.iter_mut().zip(&earlier.tiers) {
        subtract(&mut tier.served, before.served);
        subtract(&mut tier.missed, before.missed);
        subtract(&mut tier.reserve_served, before.reserve_served);
    }
    TIERPOOL_OK
}

/// Forgets the peaks of all tiers: from now on they tell the largest number of slots since this
/// call. Null does nothing.
///
/// Interrupt handler: yes. Cost: one load a slot, and one compare-and-swap a free slot that was
/// used since the last reset.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// tierpool_reset_peak(pool); // at midnight
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_reset_peak(pool: *mut tierpool_pool) {
    // SAFETY: null or a pool, by the caller.
    if let Ok(pool) = unsafe { pool_at(pool) } {
        pool.reset_peak();
    }
}

/// The number of free slots of the tier that serves requests for `bytes` bytes, without its
/// reserve. 0 if no tier fits, and for a null pool. Others may take slots at any time.
///
/// Interrupt handler: yes. Cost: one load a slot of the tier.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// if (tierpool_free_slots(pool, 1000) < 4) {
///     puts("time to ask the sender for a pause");
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_free_slots(pool: *const tierpool_pool, bytes: usize) -> usize {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.map_or(0, |pool| pool.free_slots(bytes))
}

/// As Rust prints them, without what a pool of C does not have: caches, and mostly a fallback, whose
/// 0 would be read as "nothing went to `malloc`".
struct Text {
    stats: Stats,
    table: bool,
    /// The pool has a fallback, whose figures are printed, too.
    fallback: bool,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.table { self.table(f) } else { self.line(f) }
    }
}

impl Text {
    fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stats, percent) = (&self.stats, self.stats.hit_permille() / 10);
        write!(f, "requests={} hits={} misses={}", stats.requests(), stats.hits(), stats.misses())?;
        if self.fallback {
            write!(f, " fallbacks={}", stats.fallbacks())?;
        }
        write!(f, " hit_rate={percent}%")?;
        for tier in stats.tiers() {
            write!(f, " {}={}{}/{}", tier.size, approximately(tier), tier.in_use, tier.slots)?;
            #[cfg(feature = "reserve")]
            if tier.reserve.slots > 0 {
                write!(f, "+{}/{}", tier.reserve.in_use, tier.reserve.slots)?;
            }
        }
        Ok(())
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>6} {:>7} {:>7} {:>7} {:>13} {:>13}",
            "bytes", "slots", "in use", "peak", "served", "missed"
        )?;
        for tier in self.stats.tiers() {
            let mark = approximately(tier);
            let width = 7 - mark.len();
            write!(f, "{:>6} {:>7} {mark}{:>width$} ", tier.size, tier.slots, tier.in_use)?;
            // The peaks of lanes add up to an upper bound.
            let (at_most, width) =
                if cfg!(feature = "lanes") && tier.lanes > 1 { ("<=", 5) } else { ("", 7) };
            writeln!(f, "{at_most}{:>width$} {:>13} {:>13}", tier.peak, tier.served, tier.missed)?;
            #[cfg(feature = "reserve")]
            if tier.reserve.slots > 0 {
                let reserve = &tier.reserve;
                let (slots, in_use) = (reserve.slots, reserve.in_use);
                let (peak, served) = (reserve.peak, reserve.served);
                writeln!(f, "     + {slots:>7} {in_use:>7} {peak:>7} {served:>13}")?;
            }
        }
        let (stats, permille) = (&self.stats, self.stats.hit_permille());
        write!(
            f,
            "requests {}, hits {} ({}.{} %), ",
            stats.requests(),
            stats.hits(),
            permille / 10,
            permille % 10
        )?;
        write!(f, "exhausted {}, oversized {}", stats.exhausted(), stats.oversized())?;
        if self.fallback {
            write!(f, ", fallbacks {} ({} live)", stats.fallbacks(), stats.fallback_live())?;
        }
        Ok(())
    }
}

/// The mark of a figure that moved while it was counted.
fn approximately(tier: &TierStats) -> &'static str {
    if tier.exact { "" } else { "~" }
}

/// Prints the counts, or nothing for a null pool.
///
/// # Safety
/// As `tierpool_stats_print`.
unsafe fn print(pool: *const tierpool_pool, table: bool, text: *mut c_char, bytes: usize) -> usize {
    // SAFETY: null or a pool, by the caller.
    match unsafe { pool_at(pool) } {
        Ok(pool) => {
            let shown = Text { stats: pool.stats(), table, fallback: pool.has_fallback() };
            // SAFETY: the buffer is valid, by the caller.
            unsafe { text::print(text, bytes, format_args!("{shown}")) }
        }
        // SAFETY: the same.
        Err(_) => unsafe { text::print(text, bytes, format_args!("")) },
    }
}

/// Prints the counts as one line, `requests=… hits=… misses=… hit_rate=…% 256=1/16 …` (slots in use
/// and in all), into a buffer of `bytes` bytes: cut where that ends, always closed by a zero byte.
/// Returns the length of the whole line, as `snprintf` does; 0 for a null pool.
///
/// Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `text` is null or has `bytes` bytes to write.
///
/// ```c
/// char line[160];
/// tierpool_stats_print(pool, line, sizeof line);
/// puts(line);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_stats_print(
    pool: *const tierpool_pool,
    text: *mut c_char,
    bytes: usize,
) -> usize {
    // SAFETY: the caller's promises.
    unsafe { print(pool, false, text, bytes) }
}

/// As `tierpool_stats_print`, as a table with a line for each tier.
///
/// Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`.
///
/// # Safety
/// As `tierpool_stats_print`.
///
/// ```c
/// char table[1024];
/// tierpool_stats_table(pool, table, sizeof table);
/// puts(table);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_stats_table(
    pool: *const tierpool_pool,
    text: *mut c_char,
    bytes: usize,
) -> usize {
    // SAFETY: the caller's promises.
    unsafe { print(pool, true, text, bytes) }
}

/// As `tierpool_stats_print`: how many requests there were of which sizes, as the program `tierpool
/// fit` reads it, which finds tiers that fit better. About 20 bytes for each size class that was asked
/// for, and at most 2.5 KB. Needs a library that is built with the feature `histogram`, and
/// `TIERPOOL_HISTOGRAM` for the header; else there is nothing to print, and it returns 0.
///
/// Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`, and a load a size class.
///
/// # Safety
/// As `tierpool_stats_print`.
///
/// ```c
/// static char sizes[2500];
/// if (tierpool_histogram_print(pool, sizes, sizeof sizes) > 0) {
///     puts(sizes);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_histogram_print(
    pool: *const tierpool_pool,
    text: *mut c_char,
    bytes: usize,
) -> usize {
    // SAFETY: null or a pool, by the caller.
    let pool = unsafe { pool_at(pool) };
    #[cfg(feature = "histogram")]
    let shown = pool.map(Pool::histogram);
    #[cfg(not(feature = "histogram"))]
    let shown = pool.map(|_| "");
    // SAFETY: the buffer is valid, by the caller.
    shown.map_or(0, |shown| unsafe { text::print(text, bytes, format_args!("{shown}")) })
}

/// True if every slot is free; then all that was done with them has happened before. Meant for
/// moments of rest: while others allocate and free, the answer is out of date. False for a null
/// pool.
///
/// Interrupt handler: better not (it walks the lists). Cost: one compare-and-swap a tier.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// if (!tierpool_is_idle(pool)) {
///     puts("somebody holds a slot");
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_is_idle(pool: *const tierpool_pool) -> bool {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.is_ok_and(Pool::is_idle)
}

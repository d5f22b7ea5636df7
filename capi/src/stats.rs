//! What a pool has counted, as figures and as text.

use core::ffi::c_char;

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
    /// Largest number of slots that were away at once.
    pub peak: usize,
    /// Requests that this tier has served, spilled ones included.
    pub served: u64,
    /// Requests that found this tier empty, whether a larger one then served them or not.
    pub missed: u64,
    /// The tier stood still while `in_use` was counted.
    pub exact: bool,
}

/// A snapshot of a pool's counts. Exact while nobody allocates or frees.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tierpool_stats {
    /// All requests: for handles, memory, growth and copies.
    pub requests: u64,
    /// Requests that a tier served.
    pub hits: u64,
    /// Requests that no tier served.
    pub misses: u64,
    /// Those that a tier fits, but none that may serve them had a free slot.
    pub exhausted: u64,
    /// Those larger than the largest tier.
    pub oversized: u64,
    /// How many of the tiers below there are.
    pub tier_count: usize,
    /// By rising size.
    pub tiers: [tierpool_tier_stats; TIERPOOL_MAX_TIERS],
}

/// Reads all counts of a pool.
///
/// Interrupt handler: better not (it scans all slots' states). Cost: up to four compare-and-swaps a tier; about 2 KB of stack on 64-bit
/// hosts, 1.5 KB on 32-bit targets.
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
pub unsafe extern "C" fn tierpool_stats_read(pool: *const tierpool_pool, stats: *mut tierpool_stats) -> tierpool_error {
    // SAFETY: null or a pool, null or valid, by the caller.
    let (Ok(pool), Some(stats)) = (unsafe { (pool_at(pool), out(stats)) }) else { return TIERPOOL_NULL };
    let read = pool.stats();
    let stats = stats.write(tierpool_stats {
        requests: read.requests(),
        hits: read.hits(),
        misses: read.misses(),
        exhausted: read.exhausted,
        oversized: read.oversized,
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
        };
    }
    TIERPOOL_OK
}

/// Prints the counts as one line, `requests=… hits=… misses=… fallbacks=0 hit_rate=…% 256=1/16 …` (slots in use and in
/// all), into a buffer of `bytes` bytes: cut where that ends, always closed by a zero byte. Returns the length of the whole
/// line, as `snprintf` does; 0 for a null pool.
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
pub unsafe extern "C" fn tierpool_stats_print(pool: *const tierpool_pool, text: *mut c_char, bytes: usize) -> usize {
    // SAFETY: null or a pool, by the caller.
    match unsafe { pool_at(pool) } {
        // SAFETY: the buffer is valid, by the caller.
        Ok(pool) => unsafe { text::print(text, bytes, format_args!("{}", pool.stats())) },
        // SAFETY: the same.
        Err(_) => unsafe { text::print(text, bytes, format_args!("")) },
    }
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
pub unsafe extern "C" fn tierpool_stats_table(pool: *const tierpool_pool, text: *mut c_char, bytes: usize) -> usize {
    // SAFETY: null or a pool, by the caller.
    match unsafe { pool_at(pool) } {
        // SAFETY: the buffer is valid, by the caller.
        Ok(pool) => unsafe { text::print(text, bytes, format_args!("{:#}", pool.stats())) },
        // SAFETY: the same.
        Err(_) => unsafe { text::print(text, bytes, format_args!("")) },
    }
}

/// True if every slot is free; then all that was done with them has happened before. Meant for moments of rest: while others
/// allocate and free, the answer is out of date. False for a null pool.
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
    unsafe { pool_at(pool) }.is_ok_and(tierpool::Pool::is_idle)
}

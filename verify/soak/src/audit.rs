//! Conservation, checked while all workers stand still:
//!
//! ```text
//!   slots of a size = those that can be taken now + those that workers hold + those in caches
//!                     └ taken one by one,           └ by their own count,     └ by the caches' own count
//!                       none twice, none held         none in two pools
//!   blocks out of the heaps that count = buffers of them that workers hold
//!   whoever waits and has not been woken: no slot of its size is free
//! ```
//!
//! and the pool's statistics must say the same. Free slots of a pool that wipes must be zero.

use crate::objects::{self, OBJECTS, RECYCLED};
use crate::pools::{FREES_LATER, FREES_NOW, POOLS, Tested};
use crate::worker::Holdings;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::ptr::NonNull;
use tierpool_testkit::{give_back, take_all};

/// Checks everything; the error says what is lost, and where.
pub fn audit(holdings: &[Holdings]) -> Result<()> {
    let mut held: BTreeSet<usize> =
        holdings.iter().flat_map(|held| held.buffers.iter().copied()).collect();
    let (mut live, mut counted) = (0, 0);
    for (number, tested) in POOLS.iter().enumerate() {
        let cached = holdings.iter().filter_map(|held| held.cached.get(number)).sum();
        let asleep = holdings
            .iter()
            .flat_map(|held| &held.waiting)
            .filter(|(pool, _)| *pool == number)
            .map(|(_, bytes)| *bytes);
        let behind = audit_pool(tested, &mut held, cached, asleep)?;
        live += behind;
        counted += if tested.counted { behind } else { 0 };
    }
    // What is left over lies in no pool.
    ensure!(held.len() == live, "heaps: workers hold {} buffers, the pools say {live}", held.len());
    let out = [FREES_NOW.outstanding(), FREES_LATER.outstanding()];
    let blocks = (out[0].0 + out[1].0, out[0].1 + out[1].1);
    ensure!(
        blocks == (counted, counted),
        "heaps: {counted} buffers are held, but payloads and control blocks out are {blocks:?}"
    );
    ensure!(
        counted > 0 || fallback_bytes() == 0,
        "heaps: no buffer is held, but {} bytes are out",
        fallback_bytes()
    );
    audit_objects(holdings.iter().map(|held| held.objects).sum())
}

/// Bytes of payload that the heaps have out.
pub fn fallback_bytes() -> usize {
    FREES_NOW.bytes() + FREES_LATER.bytes()
}

/// Checks a pool, takes its slots out of `held`, and returns how many buffers of the fallback are
/// in use.
fn audit_pool(
    tested: &Tested,
    held: &mut BTreeSet<usize>,
    in_caches: usize,
    asleep: impl Iterator<Item = usize>,
) -> Result<usize> {
    let Tested { name, pool, .. } = tested;
    pool.reclaim();
    let stats = pool.stats();
    let mut free = Vec::new();
    take_all(pool, |slot| free.push(slot));
    let result = compare(tested, &free, held, &stats);
    held.retain(|&home| !pool.owns(home as *const u8));
    // SAFETY: taken just now, and not used any more.
    unsafe { give_back(pool, free.iter().map(|slot| slot.cast())) };
    result?;
    let cached: usize = stats.tiers().iter().map(|tier| tier.cached).sum();
    ensure!(cached == in_caches, "{name}: caches hold {in_caches} slots, the pool says {cached}");
    for bytes in asleep {
        let full = stats
            .tiers()
            .iter()
            .find(|tier| tier.size >= bytes)
            .is_none_or(|tier| tier.in_use + tier.cached == tier.slots);
        ensure!(
            full,
            "{name}: somebody waits for {bytes} bytes and was not woken, but a slot is free"
        );
    }
    Ok(stats.fallback_live() as usize)
}

/// Tiers of one size are one here, since they share it.
fn compare(
    tested: &Tested,
    free: &[NonNull<[u8]>],
    held: &BTreeSet<usize>,
    stats: &tierpool::Stats,
) -> Result<()> {
    let name = tested.name;
    let addresses: BTreeSet<usize> =
        free.iter().map(|slot| slot.cast::<u8>().addr().get()).collect();
    ensure!(addresses.len() == free.len(), "{name}: a slot is free twice");
    ensure!(addresses.is_disjoint(held), "{name}: a slot is free, but held");
    let held_here = held.iter().filter(|&&home| tested.pool.owns(home as *const u8)).count();
    let in_use: usize = stats.tiers().iter().map(|tier| tier.in_use + tier.reserve.in_use).sum();
    ensure!(held_here == in_use, "{name}: workers hold {held_here} slots, the pool says {in_use}");

    let sizes: BTreeSet<usize> = tested.tiers.iter().map(|&(size, _)| size).collect();
    for size in sizes {
        let sum = |count: fn(&tierpool::TierStats) -> usize| -> usize {
            stats.tiers().iter().filter(|tier| tier.size == size).map(count).sum()
        };
        let (slots, in_use, cached) =
            (sum(|tier| tier.slots), sum(|tier| tier.in_use), sum(|tier| tier.cached));
        let free = free.iter().filter(|slot| slot.len() == size).count();
        ensure!(
            free + in_use + cached == slots,
            "{name}, {size} bytes: {free} free + {in_use} held + {cached} cached of {slots} slots"
        );
    }
    let exact = stats.tiers().iter().all(|tier| tier.exact == (tier.cached == 0));
    ensure!(exact, "{name}: the statistics moved, but nobody did");
    if tested.wipes {
        // SAFETY: the slots are ours, and their memory was zero at first, so all of it is
        // initialised.
        let zero = |slot: &NonNull<[u8]>| unsafe { slot.as_ref() }.iter().all(|&byte| byte == 0);
        ensure!(free.iter().all(zero), "{name}: a free slot was not wiped");
    }
    Ok(())
}

fn audit_objects(held: usize) -> Result<()> {
    let (stats, live) = (OBJECTS.stats(), objects::live());
    ensure!(
        stats.in_use == held && live == held,
        "objects: {held} held, {} in the pool, {live} alive",
        stats.in_use
    );
    let taken: Vec<_> =
        std::iter::from_fn(|| OBJECTS.alloc(objects::Counted::new(false)).ok()).collect();
    ensure!(
        taken.len() + held == objects::SLOTS,
        "objects: {} free + {held} held of {} slots",
        taken.len(),
        objects::SLOTS
    );
    Ok(())
}

/// At the end, when nobody holds anything.
pub fn all_home() -> Result<()> {
    audit(&[])?;
    for tested in POOLS.iter() {
        ensure!(tested.pool.is_idle(), "{}: not idle", tested.name);
    }
    ensure!(OBJECTS.is_idle() && RECYCLED.is_idle(), "objects: not idle");
    ensure!(fallback_bytes() == 0, "heaps: {} bytes are out", fallback_bytes());
    Ok(())
}

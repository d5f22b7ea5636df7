//! The pools under test: all options mixed, and a few slots each, so that they are exhausted time
//! and again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tierpool::{Config, Fallback, GlobalHeap, Pool, Waiters};
use tierpool_testkit::{Choices, Heap, fresh_pool};

/// A pool under test.
pub struct Tested {
    /// For messages.
    pub name: &'static str,
    /// The pool itself.
    pub pool: &'static Pool,
    /// Its tiers, as (bytes of a slot, slots).
    pub tiers: Vec<(usize, usize)>,
    /// Slots are zero while they are free.
    pub wipes: bool,
    /// Workers may have raw slots of it. Where not, every raw free must be refused.
    pub raw: bool,
    /// Requests may wait.
    pub waiters: bool,
    /// Its fallback is one of the heaps here, which count.
    pub counted: bool,
    /// Calls of its hook.
    pub woken: AtomicU64,
}

/// The heap of pools whose fallback frees at once.
pub(crate) static FREES_NOW: Heap<true> = Heap::new();
/// The heap of pools whose fallback may free only later.
pub(crate) static FREES_LATER: Heap<false> = Heap::new();

/// All pools under test.
pub static POOLS: LazyLock<Vec<Tested>> = LazyLock::new(all);

tierpool::pool! {
    /// Made by the macro, unlike the others.
    static STATIC = [64 x 8, 256 x 8 + 3, 512 x 4 + 2], spill = 1;
}

/// The options of one of the others.
struct Options {
    tiers: &'static [(usize, usize)],
    align: usize,
    spill: usize,
    wipes: bool,
    heap: Option<&'static dyn Fallback>,
    hook: bool,
    raw: bool,
    waiters: bool,
}

const PLAIN: Options = Options {
    tiers: &[(32, 8), (128, 8), (512, 8)],
    align: 1,
    spill: 0,
    wipes: false,
    heap: None,
    hook: false,
    raw: true,
    waiters: false,
};

fn all() -> Vec<Tested> {
    let options = [
        ("plain", PLAIN),
        ("waited for", Options { tiers: &[(64, 3), (256, 2)], hook: true, waiters: true, ..PLAIN }),
        (
            "spilling",
            Options {
                tiers: &[(32, 4), (32, 4), (64, 4), (500, 4)],
                spill: 2,
                hook: true,
                waiters: true,
                ..PLAIN
            },
        ),
        (
            "aligned",
            Options { tiers: &[(64, 6), (200, 6)], align: 64, heap: Some(&FREES_NOW), ..PLAIN },
        ),
        (
            "wiping",
            Options {
                tiers: &[(48, 6), (200, 6)],
                spill: 1,
                wipes: true,
                hook: true,
                raw: false,
                ..PLAIN
            },
        ),
        ("wiping, raw", Options { tiers: &[(10, 5), (100, 5), (1000, 2)], wipes: true, ..PLAIN }),
        (
            "frees later",
            Options {
                tiers: &[(40, 4), (100, 4), (1000, 2)],
                align: 16,
                spill: 1,
                wipes: true,
                heap: Some(&FREES_LATER),
                hook: true,
                raw: false,
                waiters: true,
            },
        ),
        (
            "frees now",
            Options {
                tiers: &[(1, 2), (16, 2), (600, 3)],
                wipes: true,
                heap: Some(&FREES_NOW),
                ..PLAIN
            },
        ),
        (
            "one slot",
            Options {
                tiers: &[(256, 1)],
                align: 4096,
                heap: Some(&FREES_LATER),
                hook: true,
                waiters: true,
                raw: false,
                ..PLAIN
            },
        ),
    ];
    let mut tested: Vec<_> = options.iter().map(|(name, options)| made(name, options)).collect();
    // Never raw: those who have raw slots read what only memory that is zero at first allows.
    tested.push(Tested::new("static", &STATIC, &Options { raw: false, ..PLAIN }));
    // What lies behind it counts nothing.
    let global =
        Options { tiers: &[(64, 2), (1000, 2)], spill: 1, heap: Some(&GlobalHeap), ..PLAIN };
    tested.push(Tested { counted: false, ..made("global", &global) });
    tested
}

fn made(name: &'static str, options: &Options) -> Tested {
    let mut config = Config::new(options.tiers)
        .align(options.align)
        .spill(options.spill)
        .zero_on_free(options.wipes);
    if let Some(heap) = options.heap {
        config = config.fallback(heap);
    }
    if options.hook {
        config = config.on_free(count);
    }
    if options.waiters {
        config = config.waiters(Box::leak(Box::new(Waiters::<4>::new())));
    }
    Tested::new(name, fresh_pool(&config).expect("a valid geometry"), options)
}

/// The hook of all pools.
fn count(pool: &'static Pool) {
    let tested = POOLS.iter().find(|tested| std::ptr::eq(tested.pool, pool));
    tested.expect("a pool under test").woken.fetch_add(1, Relaxed);
}

impl Tested {
    fn new(name: &'static str, pool: &'static Pool, options: &Options) -> Tested {
        let tiers = pool.stats().tiers().iter().map(|tier| (tier.size, tier.slots)).collect();
        Tested {
            name,
            pool,
            tiers,
            wipes: options.wipes,
            raw: options.raw,
            waiters: options.waiters,
            counted: true,
            woken: AtomicU64::new(0),
        }
    }
}

/// The pool in which an address lies; none if it is in a heap.
pub fn owner(address: usize) -> Option<&'static Tested> {
    POOLS.iter().find(|tested| tested.pool.owns(address as *const u8))
}

/// A size in bytes: mostly what fits a tier of the pool, sometimes what fits none.
pub fn size(choices: &mut dyn Choices, tested: &Tested) -> usize {
    let largest = tested.tiers.last().map_or(0, |&(size, _)| size);
    match choices.below(16) {
        0..=7 => choices.below(largest.min(64) + 1),
        8..=14 => choices.below(largest + 1),
        _ => choices.below(5001),
    }
}

/// Calls that the heaps refused, and payloads or control blocks that they misaligned, so far.
pub fn of_heaps() -> [(&'static str, u64); 2] {
    [
        ("calls that a heap refused", (FREES_NOW.refused() + FREES_LATER.refused()) as u64),
        (
            "misaligned memory from a heap",
            (FREES_NOW.misaligned() + FREES_LATER.misaligned()) as u64,
        ),
    ]
}

/// The heaps serve every call again.
pub fn mend_heaps() {
    FREES_NOW.allow(usize::MAX);
    FREES_LATER.allow(usize::MAX);
    FREES_NOW.skew(0, 0);
    FREES_LATER.skew(0, 0);
}

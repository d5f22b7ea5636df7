//! More tiers, and more slots: what does a pair cost? Requests by handle, and raw with the checked
//! free, both of a length that the compiler does not know, so that it cannot leave out the walk
//! over the tiers.
//!
//! | setting | pool | request |
//! |---|---|---|
//! | tiers | 1 to 8 tiers of 64, 128, … bytes | the smallest and the largest size |
//! | slots | 8 to 1022 of 512 bytes | 500 bytes: the slot that was freed last |
//! | slots, half held | the same | 500 bytes, in place of a random one of those held: all state words are in use |

use std::alloc::Layout;
use std::hint::black_box;

use crate::opaque::opaque;

use tierpool::Pool;

use crate::candidates::{Candidate, Kind, LEN};
use crate::questions::{Effort, column, costs};
use crate::record::{Mark, Output, Record};
use crate::round::Column;
use crate::spread::Spread;

pub const NAME: &str = "growth";

const SWAPS: f64 = 2.0;
/// What counts as flat: the dearest setting over the cheapest.
const FLAT: f64 = 1.25;

macro_rules! pools {
    ($($pool:ident = $tiers:tt;)*) => { $(tierpool::pool! { static $pool = $tiers; })* };
}

pools! {
    TIERS_1 = [64 x 16];
    TIERS_2 = [64 x 16, 128 x 16];
    TIERS_4 = [64 x 16, 128 x 16, 256 x 16, 512 x 16];
    TIERS_8 = [64 x 16, 128 x 16, 256 x 16, 512 x 16, 1024 x 16, 2048 x 16, 4096 x 16, 8192 x 16];
    SLOTS_8 = [512 x 8];
    SLOTS_64 = [512 x 64];
    SLOTS_256 = [512 x 256];
    SLOTS_1022 = [512 x 1022];
}

/// Figures that ought to be the same: the names of their candidates begin so.
const GROUPS: [&str; 7] = [
    "handle, smallest of ",
    "handle, largest of ",
    "raw, smallest of ",
    "raw, largest of ",
    "handle, slots ",
    "raw, slots ",
    "handle, half held, slots ",
];

pub fn ask(output: &mut Output<'_>, effort: &Effort) -> anyhow::Result<()> {
    let candidates = candidates();
    let columns = costs(output, effort, NAME, 1, &candidates, SWAPS)?;
    for group in GROUPS {
        let group: Vec<_> = candidates
            .iter()
            .filter(|it| it.name.starts_with(group))
            .map(|it| column(&columns, it.name))
            .collect();
        // In each round the dearest over the cheapest would pick the noise: the medians tell which
        // two are compared.
        let median = |column: &&Column| Spread::of(column.costs()).map_or(f64::NAN, |it| it.median);
        let by_median = |a: &&Column, b: &&Column| median(a).total_cmp(&median(b));
        let (Some(dearest), Some(cheapest)) =
            (group.iter().copied().max_by(by_median), group.iter().copied().min_by(by_median))
        else {
            continue;
        };
        let mark = format!("{} ÷ {}", dearest.name, cheapest.name);
        output.line(&Record::Mark(Mark::new(NAME, mark, FLAT, dearest.over(cheapest))))?;
    }
    Ok(())
}

pub fn candidates() -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut add = |name, pool, len| all.extend([handle(name, pool, len), raw(name, pool, len)]);
    add(["handle, smallest of 1 tier", "raw, smallest of 1 tier"], &TIERS_1, 64);
    add(["handle, smallest of 2 tiers", "raw, smallest of 2 tiers"], &TIERS_2, 64);
    add(["handle, smallest of 4 tiers", "raw, smallest of 4 tiers"], &TIERS_4, 64);
    add(["handle, smallest of 8 tiers", "raw, smallest of 8 tiers"], &TIERS_8, 64);
    add(["handle, largest of 1 tier", "raw, largest of 1 tier"], &TIERS_1, 64);
    add(["handle, largest of 2 tiers", "raw, largest of 2 tiers"], &TIERS_2, 128);
    add(["handle, largest of 4 tiers", "raw, largest of 4 tiers"], &TIERS_4, 512);
    add(["handle, largest of 8 tiers", "raw, largest of 8 tiers"], &TIERS_8, 8192);
    add(["handle, slots 8", "raw, slots 8"], &SLOTS_8, LEN);
    add(["handle, slots 64", "raw, slots 64"], &SLOTS_64, LEN);
    add(["handle, slots 256", "raw, slots 256"], &SLOTS_256, LEN);
    add(["handle, slots 1022", "raw, slots 1022"], &SLOTS_1022, LEN);
    all.extend([
        half_held("handle, half held, slots 8", &SLOTS_8, 8),
        half_held("handle, half held, slots 64", &SLOTS_64, 64),
        half_held("handle, half held, slots 256", &SLOTS_256, 256),
        half_held("handle, half held, slots 1022", &SLOTS_1022, 1022),
    ]);
    all
}

fn handle(names: [&'static str; 2], pool: &'static Pool, len: usize) -> Candidate {
    Candidate::new(names[0], Kind::Own, move |work| {
        work.repeat(|| drop(opaque(pool.alloc(black_box(len)))))
    })
}

fn raw(names: [&'static str; 2], pool: &'static Pool, len: usize) -> Candidate {
    Candidate::new(names[1], Kind::Own, move |work| {
        work.repeat(|| {
            let layout = Layout::from_size_align(black_box(len), 1).expect("a small layout");
            let slot = opaque(pool.allocate(layout).expect("a free slot"));
            // SAFETY: allocated just now.
            unsafe { pool.deallocate(slot.cast()) }.expect("a slot of the pool");
        })
    })
}

fn half_held(name: &'static str, pool: &'static Pool, slots: usize) -> Candidate {
    Candidate::new(name, Kind::Own, move |work| {
        let mut held: Vec<_> =
            (0..slots / 2).map(|_| pool.alloc(LEN).expect("a free slot")).collect();
        let mut random = 0x2545_F491u32;
        work.repeat(|| {
            // Xorshift: as cheap as random comes, and the same for all.
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let at = ((u64::from(random) * held.len() as u64) >> 32) as usize;
            held[at] = opaque(pool.alloc(black_box(LEN)).expect("a free slot"));
        })
    })
}

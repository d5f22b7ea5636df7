//! What can be done to handles and pools.
#![expect(missing_docs, reason = "named after the methods and parameters that they stand for")]

/// One pool of a case.
#[derive(Clone, Debug)]
pub struct Shape {
    pub tiers: &'static [(usize, usize)],
    pub align: usize,
    pub spill: usize,
    pub zero_on_free: bool,
    pub heap: bool,
}

/// How an allocation is asked for.
#[derive(Clone, Copy, Debug)]
pub enum How {
    Plain,
    Pooled,
    Headroom(usize),
    Zeroed,
    Copied,
}

/// Which end of a `BytesMut` gets room, and whether it is filled.
#[derive(Clone, Copy, Debug)]
pub enum Grow {
    Reserve,
    Extend,
    Push,
    Resize,
    ReserveFront,
    Prepend,
}

/// One step. `at` picks a handle (modulo their number), `pool` one of the two; `payer` is that of
/// an `_in` form.
#[derive(Clone, Debug)]
pub enum Op {
    Alloc { pool: usize, how: How, bytes: usize },
    Static { bytes: usize },
    // on a `BytesMut`
    Grow { at: usize, how: Grow, bytes: usize, payer: Option<usize> },
    AdvanceMut { at: usize, bytes: usize },
    TruncateMut { at: usize, len: usize },
    Reset { at: usize, headroom: usize },
    WriteMut { at: usize },
    Freeze { at: usize },
    IntoRaw { at: usize },
    SplitMut { at: usize, pos: usize, front: bool },
    SplitAll { at: usize },
    Unsplit { at: usize, other: usize },
    DropMut { at: usize },
    // on a `Bytes`
    Clone { at: usize },
    Slice { at: usize, from: usize, to: usize },
    SliceClamped { at: usize, from: usize, len: usize },
    SliceRef { at: usize, from: usize, to: usize },
    SplitTo { at: usize, pos: usize },
    SplitOff { at: usize, pos: usize },
    Advance { at: usize, bytes: usize },
    Truncate { at: usize, len: usize },
    MakeMut { at: usize, payer: Option<usize> },
    IntoMut { at: usize, payer: Option<(usize, usize)> },
    TryIntoMut { at: usize },
    Compact { at: usize, pool: usize },
    Drop { at: usize },
    // on a raw allocation
    Allocate { pool: usize, bytes: usize },
    Deallocate { at: usize, sized: bool },
    FromRaw { at: usize },
    BadFree { at: usize },
    // on a pool
    Reclaim { pool: usize },
    HeapServes { pool: usize, calls: Option<usize> },
}

/// The geometries of cases: few slots, equal sizes, sizes that are no multiple of anything.
pub const TIERS: [&[(usize, usize)]; 5] = [
    &[(16, 2)],
    &[(8, 3), (16, 2), (40, 2)],
    &[(10, 2), (10, 1), (24, 3)],
    &[(1, 1), (32, 4)],
    &[(16, 6), (48, 3), (64, 2)],
];

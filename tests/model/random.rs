//! How random sequences of operations are made.

use proptest::collection::vec;
use proptest::prelude::*;

use tierpool_testkit::model::ops::{Grow, How, Op, Shape, TIERS};

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop::sample::select(&TIERS),
        prop::sample::select(&[1, 16]),
        0..2usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(tiers, align, spill, zero_on_free, heap)| Shape {
            tiers,
            align,
            spill,
            zero_on_free,
            heap,
        })
}

pub fn setup() -> impl Strategy<Value = [Shape; 2]> {
    [shape(), shape()]
}

/// Mostly what fits a tier, sometimes what fits none, rarely what fits no memory.
fn bytes() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..=20usize, 8 => 21..=70usize, 2 => 71..=300usize, 1 => (0..=70usize).prop_map(|n| usize::MAX - n)]
}

pub fn steps() -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..120)
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..16usize;
    let pool = || 0..2usize;
    let payer = || prop_oneof![3 => Just(None), 1 => pool().prop_map(Some)];
    let how = prop_oneof![
        3 => Just(How::Plain),
        3 => Just(How::Pooled),
        3 => bytes().prop_map(How::Headroom),
        1 => Just(How::Zeroed),
        3 => Just(How::Copied),
    ];
    let grow = prop::sample::select(&[
        Grow::Reserve,
        Grow::Extend,
        Grow::Push,
        Grow::Resize,
        Grow::ReserveFront,
        Grow::Prepend,
    ]);
    let on_pool = prop_oneof![
        12 => (pool(), how, bytes()).prop_map(|(pool, how, bytes)| Op::Alloc { pool, how, bytes }),
        1 => bytes().prop_map(|bytes| Op::Static { bytes }),
        2 => (pool(), bytes()).prop_map(|(pool, bytes)| Op::Allocate { pool, bytes }),
        1 => pool().prop_map(|pool| Op::Reclaim { pool }),
        2 => (pool(), prop::option::of(0..4usize)).prop_map(|(pool, calls)| Op::HeapServes { pool, calls }),
    ];
    let on_mut = prop_oneof![
        12 => (at(), grow, bytes(), payer()).prop_map(|(at, how, bytes, payer)| Op::Grow { at, how, bytes, payer }),
        2 => (at(), bytes()).prop_map(|(at, bytes)| Op::AdvanceMut { at, bytes }),
        1 => (at(), bytes()).prop_map(|(at, len)| Op::TruncateMut { at, len }),
        2 => (at(), bytes()).prop_map(|(at, headroom)| Op::Reset { at, headroom }),
        2 => at().prop_map(|at| Op::WriteMut { at }),
        10 => at().prop_map(|at| Op::Freeze { at }),
        2 => at().prop_map(|at| Op::IntoRaw { at }),
        6 => (at(), bytes(), any::<bool>()).prop_map(|(at, pos, front)| Op::SplitMut { at, pos, front }),
        2 => at().prop_map(|at| Op::SplitAll { at }),
        3 => (at(), at()).prop_map(|(at, other)| Op::Unsplit { at, other }),
        3 => at().prop_map(|at| Op::DropMut { at }),
    ];
    let on_bytes = prop_oneof![
        6 => at().prop_map(|at| Op::Clone { at }),
        3 => (at(), bytes(), bytes()).prop_map(|(at, from, to)| Op::Slice { at, from, to }),
        1 => (at(), bytes(), bytes()).prop_map(|(at, from, len)| Op::SliceClamped { at, from, len }),
        1 => (at(), bytes(), bytes()).prop_map(|(at, from, to)| Op::SliceRef { at, from, to }),
        2 => (at(), bytes()).prop_map(|(at, pos)| Op::SplitTo { at, pos }),
        2 => (at(), bytes()).prop_map(|(at, pos)| Op::SplitOff { at, pos }),
        2 => (at(), bytes()).prop_map(|(at, bytes)| Op::Advance { at, bytes }),
        1 => (at(), bytes()).prop_map(|(at, len)| Op::Truncate { at, len }),
        5 => (at(), payer()).prop_map(|(at, payer)| Op::MakeMut { at, payer }),
        5 => (at(), prop::option::of((pool(), bytes()))).prop_map(|(at, payer)| Op::IntoMut { at, payer }),
        2 => at().prop_map(|at| Op::TryIntoMut { at }),
        3 => (at(), pool()).prop_map(|(at, pool)| Op::Compact { at, pool }),
        8 => at().prop_map(|at| Op::Drop { at }),
    ];
    let on_raw = prop_oneof![
        2 => (at(), any::<bool>()).prop_map(|(at, sized)| Op::Deallocate { at, sized }),
        1 => at().prop_map(|at| Op::FromRaw { at }),
        1 => at().prop_map(|at| Op::BadFree { at }),
    ];
    prop_oneof![17 => on_pool, 25 => on_mut, 28 => on_bytes, 5 => on_raw]
}

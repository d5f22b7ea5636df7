//! RVWMO: The RISC-V Instruction Set Manual, Volume I, chapter "RVWMO Memory Consistency Model",
//! with its rules of preserved program order by their numbers; instructions as in the table
//! "Mappings from C/C++ primitives to RISC-V primitives" of the same chapter's appendix.
//!
//! | C11 | instructions |
//! |---|---|
//! | load, Acquire | `l`, `fence r,rw` |
//! | store, Release | `fence rw,w`, `s` |
//! | compare-and-swap, Acquire / Release | `lr.aq` … `sc` / `lr` … `sc.rl` |
//! | swap, add, Acquire / Release | `amo.aq` / `amo.rl` |
//! | fence, Acquire / Release / AcqRel / SeqCst | `fence r,rw` / `rw,w` / `tso` / `rw,rw` |
//!
//! SeqCst accesses are not used here and not mapped.

use super::{accesses, across, union, up_to};
use crate::execution::{Execution, Kind, Rmw};
use crate::program::Order;
use crate::relation::Relation;

pub fn consistent(execution: &Execution) -> bool {
    let Execution { rf, co, .. } = *execution;
    let external = execution.external();
    (co | (rf & external) | execution.fr() | preserved(execution)).is_acyclic()
}

/// Preserved program order.
fn preserved(execution: &Execution) -> Relation {
    let Execution { po, rf, rmw, addr, data, ctrl, .. } = *execution;
    let (reads, writes, all) = (execution.reads(), execution.writes(), accesses(execution));
    let po_loc = po & execution.same_loc();
    let rfi = rf - execution.external();
    // 1. An access, and a later store to the same place.
    let rule_1 = po_loc.then(writes.id());
    // 2. Two loads of one place with no store to it between them, which return different stores'
    //    values.
    let between = po_loc.then(writes.id()).then(po_loc);
    let same_source = rf.inverse().then(rf);
    let rule_2 = reads.id().then(po_loc).then(reads.id()) - between - same_source;
    // 3. A load that returns the value of an earlier atomic instruction of its thread.
    let atomic_writes = execution.set(|event| event.kind == Kind::Write && event.part_of.is_some());
    let rule_3 = atomic_writes.id().then(rfi);
    let fences = fences(execution);
    // 5. and 6. Acquire and release annotations, 8. a paired store-conditional.
    let half = |event: &crate::execution::Event, kind| match event.part_of {
        Some(Rmw::CompareAndSwap) => event.kind == kind,
        Some(Rmw::Single) => true,
        None => false,
    };
    let acquire = execution.set(|event| event.order.acquires() && half(event, Kind::Read));
    let release = execution.set(|event| event.order.releases() && half(event, Kind::Write));
    let annotated = acquire.id().then(po) | po.then(release.id());
    // 9. to 11. Dependencies.
    let dependent = addr | data | ctrl.then(writes.id());
    // 12. and 13. Through a store, and behind an address.
    let through = (addr | data).then(writes.id()).then(rfi);
    let behind = addr.then(po).then(writes.id());
    let ppo = union([rule_1, rule_2, rule_3, fences, annotated, rmw, dependent, through, behind]);
    all.id().then(ppo).then(all.id())
}

/// 4. Fences, also those that plain loads and stores with an ordering bring along.
fn fences(execution: &Execution) -> Relation {
    let (reads, writes) = (execution.reads(), execution.writes());
    let all = reads | writes;
    let one = |at: usize| {
        let event = &execution.events[at];
        let plain = event.part_of.is_none();
        match (event.kind, event.order) {
            (Kind::Read, order) if plain && order.acquires() => {
                Relation::from_fn(across(execution, at)) & reads.times(all)
            }
            (Kind::Write, order) if plain && order.releases() => {
                Relation::from_fn(up_to(execution, at)) & all.times(writes)
            }
            (Kind::Fence, order) => {
                let both = Relation::from_fn(across(execution, at));
                match order {
                    Order::Acquire => both & reads.times(all),
                    Order::Release => both & all.times(writes),
                    Order::AcqRel => both & (reads.times(all) | writes.times(writes)),
                    Order::SeqCst => both & all.times(all),
                    Order::Plain | Order::Relaxed => Relation::EMPTY,
                }
            }
            _ => Relation::EMPTY,
        }
    };
    union((0..execution.events.len()).map(one))
}

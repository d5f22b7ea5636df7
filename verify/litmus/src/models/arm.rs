//! Arm, multi-copy atomic: C. Pulte, S. Flur, W. Deacon, J. French, S. Sarkar, P. Sewell,
//! "Simplifying ARM Concurrency", POPL 2018; with `ldapr` (Q) as in the Arm Architecture Reference
//! Manual, section B2.3.
//!
//! ```text
//!   obs = rfe ∪ fre ∪ coe
//!   dob = addr ∪ data ∪ ctrl;[W] ∪ addr;po;[W] ∪ (ctrl ∪ data);coi ∪ (addr ∪ data);rfi
//!   aob = rmw ∪ [range(rmw)];rfi;[A ∪ Q]
//!   bob = po;[dmb];po ∪ [L];po;[A] ∪ [R];po;[dmb ld];po ∪ [A ∪ Q];po ∪ po;[L] ∪ po;[L];coi
//!   consistent: obs ∪ dob ∪ aob ∪ bob acyclic
//! ```
//!
//! | C11 | annotated (AArch64) | barriers (32-bit) |
//! |---|---|---|
//! | load, Acquire | `ldapr` | `ldr`, `dmb` |
//! | store, Release | `stlr` | `dmb`, `str` |
//! | read-modify-write, Acquire / Release | `ldaxr` … `stxr` / `ldxr` … `stlxr` | `ldrex` … `strex`, `dmb` / `dmb`, `ldrex` … `strex` |
//! | fence, Acquire / others | `dmb ld` / `dmb` | `dmb` |

use super::{accesses, across, union, up_to};
use crate::execution::{Execution, Kind};
use crate::program::Order;
use crate::relation::Relation;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    Annotated,
    Barriers,
}

pub fn consistent(execution: &Execution, mapping: Mapping) -> bool {
    let Execution { po, rf, co, rmw, addr, data, ctrl, .. } = *execution;
    let (external, writes) = (execution.external(), execution.writes());
    let (rfi, coi) = (rf - external, co - external);
    let obs = (rf | co | execution.fr()) & external;
    let dob = union([
        addr | data,
        ctrl.then(writes.id()),
        addr.then(po).then(writes.id()),
        (ctrl | data).then(coi),
        (addr | data).then(rfi),
    ]);
    let acquire = execution.set(|event| event.kind == Kind::Read && event.order.acquires());
    let release = execution.set(|event| event.kind == Kind::Write && event.order.releases());
    let exclusive = execution.set(|event| event.kind == Kind::Write && event.part_of.is_some());
    let annotated = mapping == Mapping::Annotated;
    let aob = if annotated { rmw | exclusive.id().then(rfi).then(acquire.id()) } else { rmw };
    // `ldaxr` (A) is ordered behind an earlier `stlr`, `ldapr` (Q) is not.
    let strong = execution.set(|event| event.part_of.is_some()) & acquire;
    let sequential = execution.set(|event| event.order == Order::SeqCst) & acquire;
    let bob = union([
        acquire.id().then(po),
        po.then(release.id()),
        po.then(release.id()).then(coi),
        release.id().then(po).then((strong | sequential).id()),
    ]);
    let barriers = barriers(execution, mapping);
    let all = accesses(execution).id();
    let ordered = if annotated { bob | barriers } else { barriers };
    (obs | dob | aob | all.then(ordered).then(all)).is_acyclic()
}

fn barriers(execution: &Execution, mapping: Mapping) -> Relation {
    let reads = execution.reads();
    let all = accesses(execution);
    let one = |at: usize| {
        let event = &execution.events[at];
        let both = all.times(all);
        match (event.kind, event.order) {
            (Kind::Fence, Order::Acquire) if mapping == Mapping::Annotated => {
                Relation::from_fn(across(execution, at)) & reads.times(all)
            }
            (Kind::Fence, Order::Acquire | Order::Release | Order::AcqRel | Order::SeqCst) => {
                Relation::from_fn(across(execution, at)) & both
            }
            _ if mapping == Mapping::Annotated => Relation::EMPTY,
            // The barrier of a read-modify-write lies before both halves, or behind both.
            (Kind::Read, order) => {
                let last = execution.rmw;
                let behind =
                    (0..execution.events.len()).find(|&write| last.has(at, write)).unwrap_or(at);
                let mut barrier = Relation::EMPTY;
                if order.acquires() {
                    barrier = barrier | Relation::from_fn(across(execution, behind));
                }
                if order.releases() && event.part_of.is_some() {
                    barrier = barrier | Relation::from_fn(up_to(execution, at));
                }
                barrier & both
            }
            (Kind::Write, order) if event.part_of.is_none() && order.releases() => {
                Relation::from_fn(up_to(execution, at)) & both
            }
            _ => Relation::EMPTY,
        }
    };
    union((0..execution.events.len()).map(one))
}

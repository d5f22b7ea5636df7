//! RC11: O. Lahav, V. Vafeiadis, J. Kang, C.-K. Hur, D. Dreyer, "Repairing Sequential Consistency
//! in C/C++11", PLDI 2017. Release sequences are those of C++20 (P0982): read-modify-writes alone.
//!
//! ```text
//!   rs  = [W] ; (rf ; rmw)*                       release sequence
//!   sw  = [rel] ; ([F] ; sb)? ; rs ; rf ; (sb ; [F])? ; [acq]
//!   hb  = (sb ∪ sw)⁺
//!   eco = (rf ∪ mo ∪ rb)⁺
//!   consistent: hb ; eco? irreflexive · psc acyclic · sb ∪ rf acyclic
//! ```
//!
//! The last of these forbids load buffering, which C11 as it is written and processors allow: that
//! is why the other columns are there.

use crate::execution::{Execution, Kind};
use crate::program::Order;
use crate::relation::Relation;

pub fn consistent(execution: &Execution) -> bool {
    let Execution { po: sb, rf, .. } = *execution;
    let (hb, eco) = (happens_before(execution), communication(execution));
    hb.is_irreflexive()
        && hb.then(eco).is_irreflexive()
        && (sb | rf).is_acyclic()
        && sequentially_consistent(execution, hb, eco)
}

fn communication(execution: &Execution) -> Relation {
    (execution.rf | execution.co | execution.fr()).closure()
}

fn happens_before(execution: &Execution) -> Relation {
    let Execution { po: sb, rf, rmw, .. } = *execution;
    let fences = execution.set(|event| event.kind == Kind::Fence).id();
    let releasing = execution.set(|event| event.kind != Kind::Read && event.order.releases()).id();
    let acquiring = execution.set(|event| event.kind != Kind::Write && event.order.acquires()).id();
    let atomic = execution.set(|event| event.order != Order::Plain).id();
    let sequence = execution.writes().id().then(rf.then(rmw).closure().or_none());
    let before = releasing.then(fences.then(sb).or_none()).then(atomic).then(sequence);
    let behind = rf.then(atomic).then(sb.then(fences).or_none()).then(acquiring);
    // What was written at start has happened before everything.
    let initial = Relation::from_fn(|a, b| {
        execution.events.get(a).is_some_and(|event| event.thread == usize::MAX)
            && execution.events.get(b).is_some_and(|event| event.thread != usize::MAX)
    });
    (sb | before.then(behind) | initial).closure()
}

/// The order of all SeqCst accesses and fences.
fn sequentially_consistent(execution: &Execution, hb: Relation, eco: Relation) -> bool {
    let Execution { po: sb, co: mo, .. } = *execution;
    let same = execution.same_loc();
    let sc = execution.set(|event| event.order == Order::SeqCst);
    let fences = (sc & execution.set(|event| event.kind == Kind::Fence)).id();
    let elsewhere = sb - same;
    let scb = sb | elsewhere.then(hb).then(elsewhere) | (hb & same) | mo | execution.fr();
    let base =
        (sc.id() | fences.then(hb.or_none())).then(scb).then(sc.id() | hb.or_none().then(fences));
    let strong = fences.then(hb | hb.then(eco).then(hb)).then(fences);
    (base | strong).is_acyclic()
}

/// Two accesses to one location, one of them a write and one of them plain, and neither before the
/// other.
pub fn races(execution: &Execution) -> bool {
    let hb = happens_before(execution);
    let events = &execution.events;
    (0..events.len()).any(|a| {
        (a + 1..events.len()).any(|b| {
            let (x, y) = (&events[a], &events[b]);
            let plain = x.order == Order::Plain || y.order == Order::Plain;
            let writes = x.kind == Kind::Write || y.kind == Kind::Write;
            let memory = x.kind != Kind::Fence && y.kind != Kind::Fence && x.loc == y.loc;
            memory && plain && writes && x.thread != y.thread && !hb.has(a, b) && !hb.has(b, a)
        })
    })
}

//! The recorded traces are what the project's notes say of them, counted from the packed data.

use tierpool_traces::summary::{CLASSES, Summary};
use tierpool_traces::{Event, Trace, log, packed};

#[test]
fn transport() {
    let summary = Summary::of(&Trace::reticulum_transport());
    assert_eq!(CLASSES, [16, 32, 64, 256, 512, 1024]);
    assert_eq!(summary.allocations, [18_940, 47_572, 9_995, 7_812, 1_789, 455, 481]);
    assert_eq!(summary.allocations.iter().sum::<usize>(), 87_044);
    assert_eq!(summary.events, 173_950);
    assert_eq!(summary.peak_bytes, 147_863);
    assert_eq!(summary.peak_blocks, 2_196);
    assert_eq!(summary.left, 138);
}

#[test]
fn loopback() {
    let summary = Summary::of(&Trace::reticulum_loopback());
    assert_eq!(summary.allocations.iter().sum::<usize>(), 560);
    assert_eq!(summary.events, 982);
}

#[test]
fn both_survive_both_forms() {
    for trace in [Trace::reticulum_transport(), Trace::reticulum_loopback()] {
        let read = log::read(trace.to_string().as_bytes()).unwrap();
        assert!(read.trace == trace && read.skipped.is_empty() && read.exact);
        assert_eq!(packed::unpack(&packed::pack(&trace)), Ok(trace));
    }
}

/// IDs are the lowest not in use, so a table of `peak_blocks` entries serves a replay and no entry
/// is taken twice.
#[test]
fn ids_fit_a_table() {
    let trace = Trace::reticulum_transport();
    let mut table = vec![false; trace.peak_blocks()];
    for event in trace.events() {
        let (Event::Alloc { id, .. } | Event::Free { id }) = event;
        let taken = &mut table[id as usize];
        assert_eq!(*taken, matches!(event, Event::Free { .. }));
        *taken = !*taken;
    }
    assert!(table.iter().filter(|&&taken| taken).count() == 138);
}

//! Every `Relaxed` access of the sources, and what makes it enough. A mutation can weaken a strong ordering; what is relaxed
//! already it cannot. So each has a row here: models that would fail if it were too little, and the argument.
//!
//! [`unnamed`] lists accesses that no row names, and rows that name none: the command fails if there are any. `load_settled` is
//! relaxed, too (`src/protocol/atomics/mod.rs`).

use crate::mutation::{line_at, mentions, sources};
use anyhow::Result;
use std::fs;
use std::path::Path;

/// In `file`, within the function `within` (by the start of its declaration), wherever it says `access`.
pub struct Relaxed {
    pub file: &'static str,
    pub within: &'static str,
    pub access: &'static str,
    /// Why it is enough.
    pub because: &'static str,
    /// Models that explore it, if it takes part in a protocol.
    pub models: &'static [&'static str],
}

/// Accesses without a row, as `file:line: text`, and rows without an access.
pub fn unnamed(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut used = vec![false; RELAXED.len()];
    for file in sources(root, "src")? {
        let text = fs::read_to_string(root.join(&file))?;
        // Unit tests come last, and race with nobody.
        let shipped = text.split("mod tests {").next().unwrap_or_default();
        for at in mentions(shipped, &["Relaxed", ".load_settled("]) {
            let row = RELAXED.iter().position(|row| row.file == file && row.names(&text, at));
            match row {
                Some(row) => used[row] = true,
                None => found.push(line_at(&file, &text, at)),
            }
        }
    }
    let idle = RELAXED.iter().zip(used).filter(|(_, used)| !used);
    found.extend(idle.map(|(row, _)| format!("{}: no `{}` in `{}` any more", row.file, row.access, row.within)));
    Ok(found)
}

impl Relaxed {
    /// The access at `at` is this row's.
    fn names(&self, text: &str, at: usize) -> bool {
        let function = text[..at].lines().rev().find(|line| line.contains("fn ") && !line.trim_start().starts_with("//"));
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let within = |(offset, part): (usize, &str)| (offset..offset + part.len()).contains(&(at - start));
        function.is_some_and(|function| function.contains(self.within)) && line.match_indices(self.access).any(within)
    }
}

const fn row(
    file: &'static str,
    within: &'static str,
    access: &'static str,
    because: &'static str,
    models: &'static [&'static str],
) -> Relaxed {
    Relaxed { file, within, access, because, models }
}

const MODEL_ONLY: &str = "in models alone, before their threads begin";

pub const RELAXED: &[Relaxed] = &[
    // ---- counts
    row(
        "src/protocol/counter.rs",
        "fn add(",
        "low.fetch_add(events, Relaxed)",
        "publishes nothing; the Release of the flip behind it carries it",
        &["count_across_a_flip", "count_by_two_across_a_wrap"],
    ),
    row(
        "src/protocol/counter.rs",
        "fn get(",
        "low.load(Relaxed)",
        "not older than the flip that the Acquire above saw; the parity mends one flip more",
        &["count_across_a_flip", "count_by_two_across_a_wrap"],
    ),
    row(
        "src/protocol/counter.rs",
        "fn get(",
        "flips.load(Relaxed)",
        "only compared: finds that half a turn has passed in between, a matter of time and not of order",
        &["count_across_a_wrap"],
    ),
    row("src/protocol/counter.rs", "fn begin_before_flip(", ", Relaxed)", MODEL_ONLY, &[]),
    row("src/pool/histogram.rs", "fn count(", "fetch_add(1, Relaxed)", "a count of one word that publishes nothing", &[]),
    row("src/pool/histogram.rs", "fn read(", "load(Relaxed)", "each count is one that could have been; they are not of one moment", &[]),
    // ---- the free list
    row(
        "src/protocol/free_list/mod.rs",
        "fn pop(",
        "compare_exchange_weak(head, new, Relaxed, Relaxed)",
        "publishes nothing; the Acquire of the load has seen all it needs, and the tag says that it still holds; failed: loaded again",
        &["payload_handover", "aba", "link_of_an_older_push", "exhaustion_at_an_instant"],
    ),
    row(
        "src/protocol/free_list/mod.rs",
        "fn pop_chain(",
        "compare_exchange_weak(head, new, Relaxed, Relaxed)",
        "as in `pop`, for all slots of the chain",
        &["chain_pop_against_push", "aba_of_a_chain_pop", "cached_slot_handover"],
    ),
    row(
        "src/protocol/free_list/mod.rs",
        "fn push(",
        "load(Relaxed)",
        "compared, never followed",
        &["pop_against_push", "push_against_push"],
    ),
    row("src/protocol/free_list/mod.rs", "fn push(", "new, Release, Relaxed)", "failed: loaded again", &["push_against_push"]),
    row(
        "src/protocol/free_list/mod.rs",
        "fn arm(",
        "load(Relaxed)",
        "compared, never followed",
        &["wake_is_not_lost", "both_waiters_are_seen"],
    ),
    row("src/protocol/free_list/mod.rs", "fn arm(", "waited, Release, Relaxed)", "failed: loaded again", &["wake_is_not_lost"]),
    row(
        "src/protocol/free_list/statistics.rs",
        "fn served(",
        "word.load(Relaxed)",
        "not older than the flip that the Acquire above saw; the parity mends one flip more",
        &["served_across_a_flip", "served_across_a_wrap"],
    ),
    row(
        "src/protocol/free_list/statistics.rs",
        "fn served(",
        "flips.load(Relaxed)",
        "only compared: finds that half a turn has passed in between, a matter of time and not of order",
        &["served_across_a_wrap"],
    ),
    row(
        "src/protocol/free_list/statistics.rs",
        "fn hands(",
        "load(Relaxed)",
        "only compared, with the second look; the marks may arrive late, so the count is exact at quiescence alone",
        &["statistics_at_quiescence", "statistics_while_moving"],
    ),
    row("src/protocol/free_list/statistics.rs", "fn begin_before_flip(", "load(Relaxed)", MODEL_ONLY, &[]),
    row("src/protocol/free_list/statistics.rs", "fn begin_before_flip(", ", Relaxed)", MODEL_ONLY, &[]),
    // ---- the state word
    row(
        "src/protocol/slot_state.rs",
        "fn link(",
        ".load_settled(",
        "a current link came with the head that led to it (Acquire); a stale one dies with the swap, whose tag has moved",
        &["pop_against_push", "aba", "chain_pop_over_a_shared_slot"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn set_free(",
        "store(USED.wrapping_add_signed(link), Relaxed)",
        "the push's Release publishes it",
        &["pop_against_push_over_a_gap", "chain_push_against_pop"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn set_cached(",
        "store(CACHED, Relaxed)",
        "for statistics and wrong frees; the owner has the address",
        &["recycle_against_drop"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn set_held(",
        "store(initial_state, Relaxed)",
        "nobody else may write the word of a popped slot; whoever gets the buffer gets the mark with it",
        &["payload_handover", "handle_cycle_against_cycle"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn retain(",
        "fetch_add(1, Relaxed)",
        "the handle that is cloned keeps the buffer alive",
        &["clone_against_drop", "clones_at_the_end_of_the_count"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn kind(",
        ".load_settled(",
        "does not change while the caller's handle exists",
        &["sticky_wiped_last_drop"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn is_plain(",
        ".load_settled(",
        "the only holder, since an Acquire or since the allocation",
        &["handle_cycle_against_cycle", "object_handover"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn claim_raw(",
        "compare_exchange(RAW, to, Relaxed, Relaxed)",
        "pointer and payload came to the caller by its own synchronisation; one of two wins, the other touches nothing",
        &["double_free_by_two", "double_free_against_reuse", "free_against_from_raw"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn in_use(",
        "load(Relaxed)",
        "a snapshot, which a second look at the head may confirm",
        &["statistics_while_moving"],
    ),
    row(
        "src/protocol/slot_state.rs",
        "fn hands(",
        "load(Relaxed)",
        "a snapshot, which a second look at the head may confirm",
        &["statistics_while_moving"],
    ),
    row("src/protocol/slot_state.rs", "fn was_used(", "load(Relaxed)", "changes once, from no to yes", &["statistics_while_moving"]),
    row(
        "src/protocol/slot_state.rs",
        "fn set_handles(",
        "store(UNIQUE_SLOT | handles - 1, Relaxed)",
        "in models alone, while no other thread uses the buffer",
        &[],
    ),
    // ---- places for wakers
    row(
        "src/protocol/waker_cell.rs",
        "fn claim(",
        "fetch_or(OWNED, Relaxed)",
        "the owner looks again, with Acquire, before it writes anything",
        &["waker_place_from_owner_to_owner"],
    ),
    row(
        "src/protocol/waker_cell.rs",
        "fn wake(",
        ".load_settled(",
        "of the registration that the Acquire above saw, or younger; then the ticket has moved, and they are not used",
        &["stale_waker_is_not_used", "waker_is_seen_whole"],
    ),
    row(
        "src/protocol/waker_cell.rs",
        "fn wake(",
        "!WAITING, Release, Relaxed)",
        "failed: overtaken, the words are not used",
        &["stale_waker_is_not_used"],
    ),
    row("src/protocol/waker_cell.rs", "fn fmt(", "load(Relaxed)", "for people", &[]),
    row("src/protocol/waker_cell.rs", "fn before_wrap(", ".wrapping_neg(), Relaxed)", MODEL_ONLY, &[]),
    row(
        "src/protocol/waker_cell.rs",
        "fn register(",
        ".cast_mut(), Relaxed)",
        "the Release of the swap publishes both words",
        &["waker_is_seen_whole", "new_waker_against_the_wake_of_the_old"],
    ),
    row(
        "src/protocol/waker_cell.rs",
        "fn register(",
        ".load_settled(",
        "while nobody waits only the owner changes the state",
        &["new_waker_against_the_wake_of_the_old", "stale_waker_is_not_used"],
    ),
    row(
        "src/protocol/waker_cell.rs",
        "fn is_waiting_for(",
        ".load_settled(",
        "the owner's own words",
        &["waiter_is_not_lost", "two_waiters_for_one_slot"],
    ),
    row(
        "src/protocol/waker_cell.rs",
        "fn retract(",
        "!WAITING, Relaxed, Relaxed)",
        "publishes nothing, and what it gives back is the owner's; failed: looked at again, with Acquire",
        &["waiter_dropped_against_its_wake"],
    ),
    row("src/protocol/waker_cell.rs", "fn retract(", ".load_settled(", "the owner's own words", &["waiter_dropped_against_its_wake"]),
    // ---- the fallback
    row(
        "src/protocol/deferred.rs",
        "fn push(",
        "store(head, Relaxed)",
        "the Release of the swap publishes the link",
        &["deferred_push_against_drain"],
    ),
    row(
        "src/protocol/deferred.rs",
        "fn take_all(",
        "head.load(Relaxed)",
        "spares a swap; what is missed waits for the next drain",
        &["deferred_push_against_drain"],
    ),
    row(
        "src/protocol/deferred.rs",
        "fn next(",
        "link.load(Relaxed)",
        "the Acquire of the swap has seen all links",
        &["deferred_two_pushes_against_drain"],
    ),
    row(
        "src/protocol/deferred.rs",
        "fn count_made(",
        "fetch_add(1, Relaxed)",
        "a count; it is read as 0 only after the decrement, which releases",
        &["fallback_last_drop_seen_when_idle", "never_idle_by_way_of_the_fallback"],
    ),
    // ---- the shim
    row("src/protocol/atomics/mod.rs", "fn load_settled(", "load(Relaxed)", "each use of it has a row of its own", &[]),
    row(
        "src/protocol/atomics/mod.rs",
        "fn replace(",
        "load(Relaxed)",
        "compared by the swap",
        &["deferred_two_pushes_against_drain", "arm_against_two_frees"],
    ),
    row(
        "src/protocol/atomics/mod.rs",
        "fn replace(",
        "new, order, Relaxed)",
        "failed: loaded again",
        &["deferred_two_pushes_against_drain"],
    ),
    row(
        "src/protocol/atomics/loom_atomics.rs",
        "fn load(",
        "turn.fetch_add(1, Ordering::Relaxed)",
        "pairs with nothing, so that models are no stronger than the code",
        &[],
    ),
    // ---- the network driver
    row(
        "src/interop/net_driver.rs",
        "fn is_link_up(",
        "link_up.load(Relaxed)",
        "one word that says all; if it is out of date, a wake-up follows",
        &["wake_after_a_store_is_not_lost"],
    ),
    row("src/interop/net_driver.rs", "fn consume", "dropped.fetch_add(1, Relaxed)", "a count of one word that publishes nothing", &[]),
    row("src/interop/net_driver.rs", "fn dropped(", "dropped.load(Relaxed)", "a count of one word", &[]),
    row(
        "src/interop/net_driver.rs",
        "fn set(",
        "LinkState::Up), Relaxed)",
        "the Release of the wake-up behind it publishes it",
        &["wake_after_a_store_is_not_lost"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn a() {\n    x.load(Relaxed);\n}\n// fn c(\nfn b() {\n    x.load(Relaxed); y.store(Relaxed);\n}\n";

    #[test]
    fn a_row_names_its_access_in_its_function_only() {
        let row = row("", "fn b(", "x.load(Relaxed)", "", &[]);
        let named: Vec<_> = mentions(TEXT, &["Relaxed"]).map(|at| row.names(TEXT, at)).collect();
        assert_eq!(named, [false, true, false]);
    }

    #[test]
    fn the_sources_have_no_other() {
        let found = unnamed(crate::shell::Shell::root()).unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

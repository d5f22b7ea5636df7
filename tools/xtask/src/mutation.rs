//! The ways in which the sources are made wrong, one at a time, and the models that must notice.
//!
//! Every access in the sources that is stronger than `Relaxed` has to be weakened by one of these: [`uncovered`] lists
//! those that none touches, and the command fails if there are any. A mutation that no longer finds its place is an
//! error, too, so the table follows the sources.

use anyhow::{Context, Result};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// In `file`, at the first place behind `behind`, `wrong` takes the place of `right`.
pub struct Mutation {
    pub name: &'static str,
    pub file: &'static str,
    behind: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// Models that may notice, quickest first.
    pub killers: &'static [&'static str],
}

impl Mutation {
    /// The place of the mutation in the text of its file.
    fn place(&self, text: &str) -> Result<Range<usize>> {
        let find = |part: &str, from: usize| text[from..].find(part).map(|at| from + at);
        let start = find(self.behind, 0).and_then(|from| find(self.right, from));
        let start = start.with_context(|| format!("{}: `{}` no longer has its place in {}", self.name, self.right, self.file))?;
        Ok(start..start + self.right.len())
    }

    /// The text of its file, mutated.
    pub fn apply(&self, text: &str) -> Result<String> {
        let place = self.place(text)?;
        Ok(format!("{}{}{}", &text[..place.start], self.wrong, &text[place.end..]))
    }
}

/// Accesses of `src/` that are stronger than `Relaxed` and that no mutation weakens, as `file:line: text`.
pub fn uncovered(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in sources(root, "src")? {
        let text = fs::read_to_string(root.join(&file))?;
        let mut weakened = Vec::new();
        for mutation in MUTATIONS.iter().filter(|mutation| mutation.file == file) {
            if strong(mutation.wrong).count() < strong(mutation.right).count() {
                weakened.push(mutation.place(&text)?);
            }
        }
        let open = strong(&text).filter(|at| !weakened.iter().any(|place| place.contains(at)));
        found.extend(open.map(|at| line_at(&file, &text, at)));
    }
    Ok(found)
}

/// Orderings stronger than `Relaxed` outside of `src/protocol/`, as `file:line: text`.
pub fn outside_protocol(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in sources(root, "src")?.into_iter().filter(|file| !file.starts_with("src/protocol/")) {
        let text = fs::read_to_string(root.join(&file))?;
        found.extend(strong(&text).map(|at| line_at(&file, &text, at)));
    }
    Ok(found)
}

/// The line of a place, as `file:line: text`.
pub fn line_at(file: &str, text: &str, at: usize) -> String {
    let line = text[..at].matches('\n').count();
    format!("{file}:{}: {}", line + 1, text.lines().nth(line).unwrap_or_default().trim())
}

/// Of the models that are named as killers, or by `others`, those that do not exist. A model that cannot be run would pass for
/// one that notices.
pub fn missing_models(root: &Path, others: impl Iterator<Item = &'static str>) -> Result<Vec<&'static str>> {
    let mut models = String::new();
    for file in sources(root, "loom-tests/src/models")? {
        models += &fs::read_to_string(root.join(file))?;
    }
    let killers = MUTATIONS.iter().flat_map(|mutation| mutation.killers).copied();
    Ok(killers.chain(others).filter(|name| !models.contains(&format!("(\"{name}\", "))).collect())
}

/// All Rust files in a folder of `root` and in those below it.
pub fn sources(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(sources(root, &path)?);
        } else if path.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Where a text names an ordering stronger than `Relaxed`.
pub fn strong(text: &str) -> impl Iterator<Item = usize> {
    mentions(text, &["Acquire", "Release", "AcqRel", "SeqCst"])
}

/// Where a text has one of these words, comments and imports apart.
pub fn mentions<'t>(text: &'t str, words: &'static [&'static str]) -> impl Iterator<Item = usize> + 't {
    let mut start = 0;
    text.split_inclusive('\n').flat_map(move |line| {
        let at = start;
        start += line.len();
        let code = line.split("//").next().unwrap_or_default();
        let code = if code.contains("use ") { "" } else { code };
        words.iter().flat_map(move |word| code.match_indices(word).map(move |(offset, _)| at + offset))
    })
}

pub const MUTATIONS: &[Mutation] = &[
    // ---- orderings
    Mutation {
        name: "pop: load of the head relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["payload_handover"],
    },
    Mutation {
        name: "push: swap of the head relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push(",
        right: "new, Release,",
        wrong: "new, Relaxed,",
        killers: &["payload_handover"],
    },
    Mutation {
        name: "push to a waiter: swap of the head relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push_to_waiter(",
        right: "replace(Release,",
        wrong: "replace(Relaxed,",
        killers: &["woken_waiter_sees_the_slot_done"],
    },
    Mutation {
        name: "push to a waiter: load behind the sentinel relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push_to_waiter(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["wake_is_not_lost"],
    },
    Mutation {
        name: "arm: swap relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn arm(",
        right: "waited, Release,",
        wrong: "waited, Relaxed,",
        killers: &["wake_is_not_lost"],
    },
    Mutation {
        name: "count: addition of the flip relaxed",
        file: "src/protocol/counter.rs",
        behind: "fn add(",
        right: "fetch_add(1, Release)",
        wrong: "fetch_add(1, Relaxed)",
        killers: &["count_across_a_flip"],
    },
    Mutation {
        name: "count: load of the flips relaxed",
        file: "src/protocol/counter.rs",
        behind: "fn get(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["count_across_a_flip"],
    },
    Mutation {
        name: "served: addition of the flip relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn count_flip(",
        right: "fetch_add(1, Release)",
        wrong: "fetch_add(1, Relaxed)",
        killers: &["served_across_a_flip"],
    },
    Mutation {
        name: "served: load of the flips relaxed",
        file: "src/protocol/free_list/statistics.rs",
        behind: "fn served(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["served_across_a_flip"],
    },
    Mutation {
        name: "idle: load of the head relaxed",
        file: "src/protocol/free_list/statistics.rs",
        behind: "fn head_if_all_free(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["idle_means_done"],
    },
    Mutation {
        name: "idle: second look by a load",
        file: "src/protocol/free_list/statistics.rs",
        behind: "fn head_now(",
        right: "self.head.word.fetch_or(0, Release)",
        wrong: "self.head.word.load(Relaxed)",
        killers: &["idle_while_moving_means_done"],
    },
    Mutation {
        name: "idle: no second look",
        file: "src/pool/upkeep.rs",
        behind: "fn is_idle(",
        right: "complete == sum(|list| Some(list.head_now()))",
        wrong: "true",
        killers: &["never_idle_between_tiers"],
    },
    Mutation {
        name: "idle: the fallback not looked at",
        file: "src/pool/upkeep.rs",
        behind: "fn is_idle(",
        right: "self.state.deferred.live() == 0",
        wrong: "true",
        killers: &["never_idle_by_way_of_the_fallback"],
    },
    Mutation {
        name: "drop: test for the only handle relaxed",
        file: "src/protocol/slot_state.rs",
        behind: "fn value(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "drop: decrement relaxed",
        file: "src/protocol/slot_state.rs",
        behind: "fn release(",
        right: "fetch_sub(1, Release)",
        wrong: "fetch_sub(1, Relaxed)",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "drop: load of the last holder relaxed",
        file: "src/protocol/slot_state.rs",
        behind: "fn release(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "drop: the last of several does not free",
        file: "src/protocol/slot_state.rs",
        behind: "fn release(",
        right: "if old & COUNT != 0",
        wrong: "if old | COUNT != 0",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "make_mut: test for uniqueness relaxed",
        file: "src/protocol/slot_state.rs",
        behind: "fn is_unique(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["make_mut_against_drop", "try_into_mut_against_drop"],
    },
    Mutation {
        name: "fallback: load of the live count relaxed",
        file: "src/protocol/deferred.rs",
        behind: "fn live(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["fallback_last_drop_seen_when_idle"],
    },
    Mutation {
        name: "fallback: decrement of the live count relaxed",
        file: "src/protocol/deferred.rs",
        behind: "fn count_freed(",
        right: "fetch_sub(1, Release)",
        wrong: "fetch_sub(1, Relaxed)",
        killers: &["fallback_last_drop_seen_when_idle"],
    },
    Mutation {
        name: "deferred list: swap of the push relaxed",
        file: "src/protocol/deferred.rs",
        behind: "fn push(",
        right: "replace(Release,",
        wrong: "replace(Relaxed,",
        killers: &["deferred_push_against_drain"],
    },
    Mutation {
        name: "deferred list: swap of the drain relaxed",
        file: "src/protocol/deferred.rs",
        behind: "fn take_all(",
        right: "null_mut(), Acquire)",
        wrong: "null_mut(), Relaxed)",
        killers: &["deferred_push_against_drain"],
    },
    Mutation {
        name: "waker: release of the place relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn drop(&mut self)",
        right: "fetch_and(!OWNED, Release)",
        wrong: "fetch_and(!OWNED, Relaxed)",
        killers: &["waker_place_from_owner_to_owner"],
    },
    Mutation {
        name: "waker: load of the taker relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn wake(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["waker_is_seen_whole"],
    },
    Mutation {
        name: "waker: swap of the taker relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn wake(",
        right: "state & !WAITING, Release,",
        wrong: "state & !WAITING, Relaxed,",
        killers: &["woken_waiter_finds_the_slot"],
    },
    Mutation {
        name: "waker: load of the woken relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn waiting(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["woken_waiter_finds_the_slot"],
    },
    Mutation {
        name: "waker: registration relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn register(",
        right: "| WAITING, AcqRel)",
        wrong: "| WAITING, Relaxed)",
        killers: &["waker_is_seen_whole"],
    },
    Mutation {
        name: "waker: registration that publishes nothing",
        file: "src/protocol/waker_cell.rs",
        behind: "fn register(",
        right: "| WAITING, AcqRel)",
        wrong: "| WAITING, Acquire)",
        killers: &["waker_is_seen_whole"],
    },
    Mutation {
        name: "waker: registration that sees nothing",
        file: "src/protocol/waker_cell.rs",
        behind: "fn register(",
        right: "| WAITING, AcqRel)",
        wrong: "| WAITING, Release)",
        killers: &["wake_after_a_store_is_not_lost"],
    },
    Mutation {
        name: "waker: wake after a store relaxed",
        file: "src/protocol/waker_cell.rs",
        behind: "fn wake_after_store(",
        right: "fetch_or(0, Release)",
        wrong: "fetch_or(0, Relaxed)",
        killers: &["wake_after_a_store_is_not_lost"],
    },
    Mutation {
        name: "wait: the waker left in its place for the next try",
        file: "src/wait.rs",
        behind: "fn poll_alloc(",
        right: "            place.retract();\n        }\n",
        wrong: "        }\n",
        killers: &["panic_in_a_poll_leaves_no_waker"],
    },
    // ---- the free list
    Mutation {
        name: "pop: tag not moved",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "let new = self.popped(head, link);",
        wrong: "let new = self.with_index(head, self.index(self.popped(head, link)));",
        killers: &["aba"],
    },
    Mutation {
        name: "pop: a tag that stops at its end",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "let new = self.popped(head, link);",
        wrong: "let new = if self.popped(head, link) < head && self.index(head) <= self.slots { self.with_index(head, self.index(self.popped(head, link))) } else { self.popped(head, link) };",
        killers: &["aba_across_a_wrap"],
    },
    Mutation {
        name: "pop: tag of 1 bit",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "let new = self.popped(head, link);",
        wrong: "let new = self.popped(head, link) & (HeadWord::from(self.mask) * 2 + 1);",
        killers: &["aba"],
    },
    Mutation {
        name: "pop: tag of 2 bits",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "let new = self.popped(head, link);",
        wrong: "let new = self.popped(head, link) & (HeadWord::from(self.mask) * 4 + 3);",
        killers: &["aba_after_four_pops"],
    },
    Mutation {
        name: "pop: swap without comparing",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok()",
        wrong: "self.head.word.swap(new, Relaxed) != HeadWord::MAX",
        killers: &["pop_against_pop"],
    },
    Mutation {
        name: "pop: plain store in place of the swap",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok()",
        wrong: "{ self.head.word.store(new, Relaxed); true }",
        killers: &["pop_against_pop"],
    },
    Mutation {
        name: "pop: plain store to the head added",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "return Some(index);",
        wrong: "self.head.word.store(new, Relaxed); return Some(index);",
        killers: &["two_slots_two_cycles", "pop_against_push"],
    },
    Mutation {
        name: "pop: link read after the swap",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop(",
        right: "self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok()",
        wrong: "self.head.word.compare_exchange_weak(head, head + HeadWord::from(self.mask) + 1, Relaxed, Relaxed).is_ok() && {
            // SAFETY: as before.
            let late = unsafe { self.state(index) }.link();
            let claimed = head + HeadWord::from(self.mask) + 1;
            self.head.word.compare_exchange(claimed, self.popped(head, late), Relaxed, Relaxed).is_ok()
        }",
        killers: &["two_slots_two_cycles", "aba"],
    },
    Mutation {
        name: "chain pop: load of the head relaxed",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop_chain(",
        right: "load(Acquire)",
        wrong: "load(Relaxed)",
        killers: &["cached_slot_handover"],
    },
    Mutation {
        name: "chain pop: tag not moved",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop_chain(",
        right: "head.wrapping_add(HeadWord::from(self.mask) + 1)",
        wrong: "head",
        killers: &["aba_by_a_chain_pop"],
    },
    Mutation {
        name: "chain pop: no range check, only the end is known",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop_chain(",
        right: "next < self.slots &&",
        wrong: "next != self.slots &&",
        killers: &["chain_pop_over_a_shared_slot"],
    },
    Mutation {
        name: "chain pop: swap without comparing",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn pop_chain(",
        right: "self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok()",
        wrong: "self.head.word.swap(new, Relaxed) != HeadWord::MAX",
        killers: &["chain_pop_against_chain_pop"],
    },
    Mutation {
        name: "chain push: slots linked to the wrong ones",
        file: "src/cache/magazine.rs",
        behind: "fn give_back(",
        right: "link_to(above, first)",
        wrong: "link_to(above, above + 1)",
        killers: &["chain_push_against_pop"],
    },
    Mutation {
        name: "recycle: a shared slot is kept",
        file: "src/protocol/slot_state.rs",
        behind: "fn unique_slot(",
        right: "value & (UNIQUE_SLOT | COUNT) == UNIQUE_SLOT",
        wrong: "value & UNIQUE_SLOT == UNIQUE_SLOT",
        killers: &["recycle_against_drop"],
    },
    Mutation {
        name: "push: plain store in place of the swap",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push(",
        right: "self.head.word.compare_exchange_weak(head, new, Release, Relaxed).is_ok()",
        wrong: "{ self.head.word.store(new, Release); true }",
        killers: &["push_against_push"],
    },
    Mutation {
        name: "compare-and-swap loops: plain store in place of the swap",
        file: "src/protocol/atomics/mod.rs",
        behind: "fn replace(&self, order: Ordering, mut",
        right: "self.compare_exchange_weak(old, new, order, Relaxed).is_ok()",
        wrong: "{ self.store(new, order); true }",
        killers: &["deferred_two_pushes_against_drain"],
    },
    Mutation {
        name: "push: mark and link written after the swap",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push(",
        right: "state.set_free(Self::link(last, top));",
        wrong: "if self.head.word.compare_exchange_weak(head, self.with_index(head, first), Release, Relaxed).is_ok() {
                state.set_free(Self::link(last, top));
                return true;
            }",
        killers: &["pop_against_push_over_a_gap"],
    },
    Mutation {
        name: "push: the waited sentinel ignored",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push(",
        right: "top > self.slots",
        wrong: "false",
        killers: &["wake_is_not_lost"],
    },
    Mutation {
        name: "push to a waiter: the sentinel kept as a link",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push_to_waiter(",
        right: ".min(self.slots)",
        wrong: "",
        killers: &["arm_against_two_frees"],
    },
    Mutation {
        name: "push to a waiter: the hook not called",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn push_to_waiter(",
        right: "let waited = self.index(head) > self.slots;",
        wrong: "let waited = false;",
        killers: &["wake_is_not_lost"],
    },
    Mutation {
        name: "arm: an armed list not swapped again",
        file: "src/protocol/free_list/mod.rs",
        behind: "fn arm(",
        right: "let waited = ",
        wrong: "if self.index(head) > self.slots { return true; } let waited = ",
        killers: &["both_waiters_are_seen"],
    },
    // ---- the state word
    Mutation {
        name: "free mark: USED bit dropped",
        file: "src/protocol/slot_state.rs",
        behind: "fn set_free(",
        right: "USED.wrapping_add_signed(link)",
        wrong: "link as u32 & (u32::MAX >> (32 - LINK_BITS))",
        killers: &["statistics_at_quiescence"],
    },
    Mutation {
        name: "clone: the end of the count not noticed",
        file: "src/protocol/slot_state.rs",
        behind: "fn retain(",
        right: "& OVERFLOW != 0",
        wrong: "& 0 != 0",
        killers: &["clones_at_the_end_of_the_count"],
    },
    Mutation {
        name: "clone: load and store in place of the addition",
        file: "src/protocol/slot_state.rs",
        behind: "fn retain(",
        right: "self.word.fetch_add(1, Relaxed)",
        wrong: "{ let old = self.word.load(Relaxed); self.word.store(old + 1, Relaxed); old }",
        killers: &["clone_against_drop"],
    },
    Mutation {
        name: "drop: load and store in place of the decrement",
        file: "src/protocol/slot_state.rs",
        behind: "fn release(",
        right: "self.word.fetch_sub(1, Release)",
        wrong: "{ let old = self.word.load(Acquire); self.word.store(old - 1, Release); old }",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "drop: two handles taken for one",
        file: "src/buf/handle/mod.rs",
        behind: "fn release(",
        right: "value == UNIQUE_SLOT",
        wrong: "value & !1 == UNIQUE_SLOT",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "drop: last handle not noticed by the decrement",
        file: "src/protocol/slot_state.rs",
        behind: "fn release(",
        right: "old & COUNT != 0",
        wrong: "true",
        killers: &["last_drop_of_two"],
    },
    Mutation {
        name: "make_mut: two handles taken for one",
        file: "src/protocol/slot_state.rs",
        behind: "fn is_unique(",
        right: "& COUNT == 0",
        wrong: "& COUNT <= 1",
        killers: &["make_mut_against_drop"],
    },
    Mutation {
        name: "raw free: swap in place of the compare-and-swap",
        file: "src/protocol/slot_state.rs",
        behind: "fn claim_raw(",
        right: "self.word.compare_exchange(RAW, to, Relaxed, Relaxed).is_ok()",
        wrong: "self.word.swap(to, Relaxed) == RAW",
        killers: &["double_free_against_reuse"],
    },
    Mutation {
        name: "raw free: load and store in place of the compare-and-swap",
        file: "src/protocol/slot_state.rs",
        behind: "fn claim_raw(",
        right: "self.word.compare_exchange(RAW, to, Relaxed, Relaxed).is_ok()",
        wrong: "{ let raw = self.word.load(Relaxed) == RAW; if raw { self.word.store(to, Relaxed); } raw }",
        killers: &["double_free_by_two"],
    },
    // ---- waiting
    Mutation {
        name: "waker: no ticket",
        file: "src/protocol/waker_cell.rs",
        behind: "fn register(",
        right: "state.wrapping_add(TICKET) | WAITING",
        wrong: "state | WAITING",
        killers: &["stale_waker_is_not_used"],
    },
    Mutation {
        name: "waker: a ticket that stops at its end",
        file: "src/protocol/waker_cell.rs",
        behind: "fn register(",
        right: "state.wrapping_add(TICKET) | WAITING",
        wrong: "state.saturating_add(TICKET) | WAITING",
        killers: &["stale_waker_is_not_used_where_the_ticket_wraps"],
    },
    Mutation {
        name: "waker: load and store in place of the claim",
        file: "src/protocol/waker_cell.rs",
        behind: "fn claim(",
        right: "self.state.fetch_or(OWNED, Relaxed)",
        wrong: "{ let old = self.state.load(Relaxed); self.state.store(old | OWNED, Relaxed); old }",
        killers: &["waker_place_from_owner_to_owner"],
    },
    Mutation {
        name: "waker: plain store in place of the taker's swap",
        file: "src/protocol/waker_cell.rs",
        behind: "fn wake(",
        right: "self.state.compare_exchange(state, state & !WAITING, Release, Relaxed).is_ok()",
        wrong: "{ self.state.store(state & !WAITING, Release); true }",
        killers: &["two_frees_wake_a_waiter_once"],
    },
    Mutation {
        name: "waker: taken back by a plain store",
        file: "src/protocol/waker_cell.rs",
        behind: "fn retract(",
        right: "self.cell.state.compare_exchange(state, state & !WAITING, Relaxed, Relaxed).is_ok()",
        wrong: "{ self.cell.state.store(state & !WAITING, Relaxed); true }",
        killers: &["waiter_dropped_against_its_wake"],
    },
    Mutation {
        name: "waker: wake after a store by a load",
        file: "src/protocol/waker_cell.rs",
        behind: "fn wake_after_store(",
        right: "self.state.fetch_or(0, Release);",
        wrong: "",
        killers: &["wake_after_a_store_is_not_lost"],
    },
    Mutation {
        name: "wait: armed before the waker is registered",
        file: "src/wait.rs",
        behind: "fn poll_alloc(",
        right: "let place = self.place()?;
            place.register(cx.waker());
            if pool.arm(capacity, 1) {",
        wrong: "let armed = pool.arm(capacity, 1);
            let place = self.place()?;
            place.register(cx.waker());
            if armed {",
        killers: &["waiter_is_not_lost"],
    },
    Mutation {
        name: "wait: registered without being armed",
        file: "src/wait.rs",
        behind: "fn poll_alloc(",
        right: "pool.arm(capacity, 1)",
        wrong: "true",
        killers: &["waiter_is_not_lost"],
    },
    Mutation {
        name: "wait: only one waiter is woken",
        file: "src/pool/notify.rs",
        behind: "fn notify(",
        right: "wake_all(self.waiters)",
        wrong: "wake_all(self.waiters.get(..1).unwrap_or_default())",
        killers: &["cancelled_waiter_takes_no_wake_along"],
    },
    // ---- what lies above
    Mutation {
        name: "copy-on-write: no second look when exhausted",
        file: "src/buf/copy_on_write.rs",
        behind: "fn into_mut_in(",
        right: "bytes.into_mut_in_place(headroom).map_err(|bytes| IntoMutError { bytes, error })",
        wrong: "{ core::mem::forget(bytes); Err(IntoMutError { bytes: Bytes::new(), error }) }",
        killers: &["into_mut_in_when_exhausted"],
    },
    Mutation {
        name: "slice: a second handle that is not counted",
        file: "src/buf/handle/mod.rs",
        behind: "fn share(",
        right: "state.retain();",
        wrong: "let _ = state;",
        killers: &["halves_of_a_split"],
    },
    Mutation {
        name: "deferred list: drain that does not take the list",
        file: "src/protocol/deferred.rs",
        behind: "fn take_all(",
        right: "self.head.swap(ptr::null_mut(), Acquire)",
        wrong: "{ let all = self.head.load(Acquire); self.head.store(ptr::null_mut(), Relaxed); all }",
        killers: &["deferred_push_against_drain"],
    },
    Mutation {
        name: "objects: slot pushed before the value is moved out",
        file: "src/object_pool.rs",
        behind: "fn into_inner(",
        right: "let value = unsafe { object.slot().read() };\n        object.free();",
        wrong: "object.free();\n        let value = unsafe { object.slot().read() };",
        killers: &["object_moved_out"],
    },
    Mutation {
        name: "spill: not tried",
        file: "src/pool/request.rs",
        behind: "fn take_spilled(",
        right: "fitting.get(..=self.spill)",
        wrong: "fitting.get(..1)",
        killers: &["into_exhaustion_with_spill"],
    },
    Mutation {
        name: "exhausted: one walk is enough",
        file: "src/pool/request.rs",
        behind: "fn take_spilled(",
        right: "again && sum == before",
        wrong: "true",
        killers: &["exhaustion_at_an_instant"],
    },
    Mutation {
        name: "exhausted: a second walk that compares nothing",
        file: "src/pool/request.rs",
        behind: "fn take_spilled(",
        right: "again && sum == before",
        wrong: "again",
        killers: &["exhaustion_there_and_back"],
    },
    Mutation {
        name: "exhausted: a second look that does not ask whether the list is empty",
        file: "src/protocol/free_list/statistics.rs",
        behind: "fn empty_now(",
        right: "(self.index(head) >= self.slots).then_some(head)",
        wrong: "Some(head & !HeadWord::from(self.mask))",
        killers: &["exhaustion_at_an_instant"],
    },
    Mutation {
        name: "exhausted: a miss counted in each walk",
        file: "src/pool/request.rs",
        behind: "fn take_spilled(",
        right: "if !again {",
        wrong: "{",
        killers: &["exhaustion_when_it_is_true"],
    },
    Mutation {
        name: "exhausted: heads by a load",
        file: "src/protocol/free_list/statistics.rs",
        behind: "fn head_now(",
        right: "self.head.word.fetch_or(0, Release)",
        wrong: "self.head.word.load(Acquire)",
        killers: &["exhaustion_at_an_instant"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_imports_name_no_access() {
        let text = "use x::{Acquire};\n// Acquire: because\nload(Acquire); // Release\n";
        assert_eq!(strong(text).collect::<Vec<_>>(), [text.find("load(").unwrap() + 5]);
    }

    #[test]
    fn a_mutation_applies_behind_its_anchor_only() {
        let mutation = Mutation { name: "", file: "", behind: "fn b", right: "x", wrong: "y", killers: &[] };
        assert_eq!(mutation.apply("fn a x; fn b x; x").unwrap(), "fn a x; fn b y; x");
        assert!(mutation.apply("fn a x; fn b").is_err());
    }
}

//! The races of the protocol, one program each. Its outcome must be impossible in every model.
//!
//! An instruction is `called` what the protocol's table in `DESIGN.md` calls it. Instructions of
//! one name are one line of the sources, so they are weakened together, in all programs.

use crate::program::Order::*;
use crate::program::*;

// Names of the accesses whose ordering is stronger than Relaxed, as in DESIGN.md.
const POP_LOAD: &str = "pop: load head";
const PUSH: &str = "push: swap head";
const CHAIN_LOAD: &str = "chain pop: load head";
const CHAIN_PUSH: &str = "chain push: swap head";
const DROP_LOAD: &str = "drop: load count";
const DROP_SUB: &str = "drop: subtract";
const DROP_LAST: &str = "drop: last, load";
const UNIQUE: &str = "`is_unique`, `make_mut`";
const ARM: &str = "arm: swap";
const WAITED_SWAP: &str = "push over `EMPTY_WAITED`: swap head";
const WAITED_LOAD: &str = "push over `EMPTY_WAITED`: load it again";
const REGISTER: &str = "waker: register";
const TAKE_LOAD: &str = "waker: take: load state";
const TAKE_SWAP: &str = "waker: take: swap";
const OWNER_LOAD: &str = "waker: owner's load";
const GIVE_UP: &str = "waker: giving up the place";
const WAKE_AFTER: &str = "waker: wake after a store";
const LIVE_SUB: &str = "live count of the fallback: decrement";
const LIVE_LOAD: &str = "`is_idle`: load live count";
const LIVE_ARM: &str = "live count: a waiter sets its bit";
const LIVE_CLEAR: &str = "live count: the last drop clears the bit";
const DEFER: &str = "deferred list: push";
const TAKE_ALL: &str = "deferred list: take all";
const IDLE_HEAD: &str = "`is_idle`: load head";
const LOOK: &str = "second look: head again";
const SETTLE: &str = "settle (C): swap a word from zero";
const SETTLED: &str = "settle (C): the swap fails";
const PUBLISH: &str = "settle (C): publish";
const PUBLISHED: &str = "settle (C): published";
const FLIP: &str = "count: flips, add";
const FLIP_LOAD: &str = "count: flips, load";

/// A head: 0 at start; what its values mean stands in each program.
const HEAD: Loc = Loc::at(0);
const STATE: Loc = Loc::at(1);
const PAYLOAD: Loc = Loc::at(2);
const OTHER: Loc = Loc::at(3);
const WORDS: Loc = Loc::at(4);

fn race(
    name: &'static str,
    outcome: &'static str,
    threads: impl Into<Vec<Thread>>,
    holds: fn(&Final<'_>) -> bool,
) -> Litmus {
    Litmus { name, threads: threads.into(), outcome, holds, or_race: true }
}

/// All programs, in the order of DESIGN's table.
pub fn all() -> Vec<Litmus> {
    [free_list(), reference_count(), waiting(), fallback(), questions(), settle(), counts()]
        .concat()
}

/// The slot on top of a list whose head is 1, which this thread finds.
fn pop(thread: Thread, from: i32, to: i32) -> Thread {
    thread
        .load(R0, HEAD, Acquire)
        .called(POP_LOAD)
        .when(R0, from)
        .load(R1, STATE, Relaxed)
        .cas(R2, HEAD, from, to, Relaxed)
}

fn push(thread: Thread, from: i32, to: i32) -> Thread {
    thread.cas(R0, HEAD, from, to, Release).called(PUSH)
}

fn free_list() -> Vec<Litmus> {
    vec![
        // Heads: 0 empty, 1 the slot is on the list, 2 it has been popped.
        race(
            "hand-over: what the last owner wrote",
            "the slot is popped, and its payload or link is old",
            [
                push(Thread::new().write(PAYLOAD, 1).store(STATE, 1, Relaxed), 0, 1),
                pop(Thread::new(), 1, 2).read(R3, PAYLOAD),
            ],
            |end| end.finished[1] && (end.is(1, R1, 0) || end.is(1, R3, 0)),
        ),
        race(
            "hand-over: what the last owner read",
            "the last owner reads what the next one writes",
            [
                push(Thread::new().read(R3, PAYLOAD), 0, 1),
                pop(Thread::new(), 1, 2).write(PAYLOAD, 1),
            ],
            |end| end.is(0, R3, 1),
        ),
        // Heads: 1 one slot, 3 another one upon it, 4 that one popped, 5 both popped.
        race(
            "hand-over below another push",
            "the lower slot is popped, and its payload is old",
            [
                push(Thread::new().write(PAYLOAD, 1), 0, 1),
                push(Thread::new(), 1, 3),
                pop(pop(Thread::new(), 3, 4), 4, 5).read(R3, PAYLOAD),
            ],
            |end| end.is(2, R3, 0),
        ),
        // Heads: 0 empty, 1 a chain of two slots, 2 it has been popped.
        race(
            "chain: links and payload of every slot",
            "the chain is popped, and a link or payload is old",
            [
                Thread::new()
                    .write(PAYLOAD, 1)
                    .store(STATE, 1, Relaxed)
                    .store(OTHER, 1, Relaxed)
                    .cas(R0, HEAD, 0, 1, Release)
                    .called(CHAIN_PUSH),
                Thread::new()
                    .load(R0, HEAD, Acquire)
                    .called(CHAIN_LOAD)
                    .when(R0, 1)
                    .load(R1, STATE, Relaxed)
                    .load(R2, OTHER, Relaxed)
                    .cas(R0, HEAD, 1, 2, Relaxed)
                    .read(R3, PAYLOAD),
            ],
            |end| end.finished[1] && [R1, R2, R3].iter().any(|&reg| end.is(1, reg, 0)),
        ),
        // Heads: 0 the slot is on the list, 1 popped, 2 pushed again. States: 0 free, 9 held, 7
        // free again, 5 the mark of the reset.
        race(
            "reset of the peak: the marks of others",
            "the mark lies over that of a pop, or over a new link",
            [
                pop(Thread::new(), 0, 1)
                    .store(STATE, 9, Relaxed)
                    .store(STATE, 7, Relaxed)
                    .cas(R0, HEAD, 1, 2, Release)
                    .called(PUSH),
                Thread::new().load(R0, STATE, Relaxed).when(R0, 0).cas(R1, STATE, 0, 5, Relaxed),
            ],
            |end| end.finished[0] && (end.memory)(STATE) == 5,
        ),
        // Heads: 0 empty, 1 the slot is on the list, 2 popped. States: 1 its link, 11 the same link
        // with the mark of the reset.
        race(
            "reset of the peak: the link below the mark",
            "the slot is popped with a link that is neither",
            [
                push(Thread::new().store(STATE, 1, Relaxed), 0, 1),
                Thread::new().load(R0, STATE, Relaxed).when(R0, 1).cas(R1, STATE, 1, 11, Relaxed),
                pop(Thread::new(), 1, 2),
            ],
            |end| end.finished[2] && end.is(2, R1, 0),
        ),
        // Heads: 0 the slot is on the list, 1 popped, 2 pushed again with another link: the tag has
        // moved.
        race(
            "a link that is not the head's",
            "a pop of the first head succeeds with the later link",
            [
                Thread::new()
                    .load(R0, HEAD, Acquire)
                    .called(POP_LOAD)
                    .when(R0, 0)
                    .load(R1, STATE, Relaxed)
                    .cas(R2, HEAD, 0, 1, Relaxed),
                push(Thread::new().cas(R1, HEAD, 0, 1, Relaxed).store(STATE, 7, Relaxed), 1, 2),
            ],
            |end| end.finished[0] && end.is(0, R1, 7),
        ),
        race(
            "checked free: two at once",
            "both succeed",
            [
                Thread::new().cas(R0, STATE, 0, 1, Relaxed),
                Thread::new().cas(R0, STATE, 0, 1, Relaxed),
            ],
            |end| end.finished == [true, true],
        ),
    ]
}

fn reference_count() -> Vec<Litmus> {
    // A drop adds one here, so that two handles are 0 at start.
    let drops = |thread: Thread| thread.add(R1, STATE, 1, Release).called(DROP_SUB);
    vec![
        race(
            "last of two drops",
            "the first reads what is written behind the last",
            [
                drops(Thread::new().read(R0, PAYLOAD)),
                drops(Thread::new())
                    .when(R1, 1)
                    .load(R2, STATE, Acquire)
                    .called(DROP_LAST)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
        race(
            "last of three drops",
            "the first reads what is written behind the last",
            [
                drops(Thread::new().read(R0, PAYLOAD)),
                drops(Thread::new()),
                drops(Thread::new())
                    .when(R1, 2)
                    .load(R2, STATE, Acquire)
                    .called(DROP_LAST)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
        race(
            "drop of a handle that is found alone",
            "the other, dropped before, reads what is written behind it",
            [
                drops(Thread::new().read(R0, PAYLOAD)),
                Thread::new()
                    .load(R0, STATE, Acquire)
                    .called(DROP_LOAD)
                    .when(R0, 1)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
        race(
            "a half that takes the slot",
            "what the other half wrote is not there",
            [
                drops(Thread::new().write(PAYLOAD, 1)),
                Thread::new()
                    .load(R0, STATE, Acquire)
                    .called(DROP_LOAD)
                    .when(R0, 1)
                    .read(R1, PAYLOAD),
            ],
            |end| end.is(1, R1, 0),
        ),
        race(
            "write through a handle that is found unique",
            "the other, dropped before, reads what is written",
            [
                drops(Thread::new().read(R0, PAYLOAD)),
                Thread::new().load(R0, STATE, Acquire).called(UNIQUE).when(R0, 1).write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
    ]
}

fn waiting() -> Vec<Litmus> {
    // Heads: 0 empty, 1 empty and waited for, 2 a slot has come back.
    let wakes = |thread: Thread| {
        let thread = thread
            .load(R0, HEAD, Relaxed)
            .when(R0, 1)
            .cas(R1, HEAD, 1, 2, Release)
            .called(WAITED_SWAP);
        thread.load(R2, HEAD, Acquire).called(WAITED_LOAD)
    };
    let arm = |thread: Thread, from| thread.cas(R0, HEAD, from, 1, Release).called(ARM);
    // Cells: 0 owned, 1 waiting, 2 taken, 3 waiting again.
    let register = |thread: Thread, to| thread.swap(R0, STATE, to, AcqRel).called(REGISTER);
    let taker = |thread: Thread| {
        let thread =
            thread.load(R0, STATE, Acquire).called(TAKE_LOAD).when(R0, 1).load(R1, WORDS, Relaxed);
        thread.cas(R2, STATE, 1, 2, Release).called(TAKE_SWAP)
    };
    let owner =
        |thread: Thread, is| thread.load(R1, STATE, Acquire).called(OWNER_LOAD).when(R1, is);
    vec![
        race(
            "arm and push: what the waiter wrote",
            "the push that ends the wait reads what was before",
            [arm(Thread::new().write(WORDS, 1), 0), wakes(Thread::new()).read(R3, WORDS)],
            |end| end.is(1, R3, 0),
        ),
        race(
            "arm, arm again, and push",
            "the push that ends both waits misses one waiter",
            [
                arm(Thread::new().store(WORDS, 1, Relaxed), 0),
                arm(Thread::new().store(OTHER, 1, Relaxed), 1),
                wakes(Thread::new()).load(R3, WORDS, Relaxed).load(R1, OTHER, Relaxed),
            ],
            |end| end.finished[1] && (end.is(2, R3, 0) || (end.finished[2] && end.is(2, R1, 0))),
        ),
        race(
            "push over an armed list: what the last owner wrote",
            "the slot is popped, and its payload is old",
            [
                Thread::new().cas(R0, HEAD, 0, 1, Release).called(ARM),
                Thread::new().write(PAYLOAD, 1).cas(R1, HEAD, 1, 2, Release).called(WAITED_SWAP),
                Thread::new()
                    .load(R0, HEAD, Acquire)
                    .called(POP_LOAD)
                    .when(R0, 2)
                    .cas(R2, HEAD, 2, 3, Relaxed)
                    .read(R3, PAYLOAD),
            ],
            |end| end.is(2, R3, 0),
        ),
        race(
            "waker: the words of the registration",
            "the taker's swap succeeds with older words",
            [register(Thread::new().store(WORDS, 1, Relaxed), 1), taker(Thread::new())],
            |end| end.finished[1] && end.is(1, R1, 0),
        ),
        race(
            "waker: the words of the next registration",
            "the taker's swap of the first succeeds with words of the second",
            [
                register(
                    owner(register(Thread::new().store(WORDS, 1, Relaxed), 1), 2)
                        .store(WORDS, 2, Relaxed),
                    3,
                ),
                taker(Thread::new()),
            ],
            |end| end.finished[1] && end.is(1, R1, 2),
        ),
        race(
            "waker: what led to the wake-up",
            "the owner finds its waker taken, and does not find the slot",
            [
                owner(register(Thread::new(), 1), 2).load(R2, HEAD, Acquire).called(POP_LOAD),
                taker(push(Thread::new(), 0, 1)),
            ],
            |end| end.finished[0] && end.is(0, R2, 0),
        ),
        race(
            "waker: the next owner's words",
            "they are overwritten by the last owner's",
            [
                Thread::new().store(WORDS, 1, Relaxed).add(R0, STATE, 1, Release).called(GIVE_UP),
                owner(Thread::new().cas(R0, STATE, 1, 2, Relaxed), 2).store(WORDS, 2, Relaxed),
            ],
            |end| end.finished[1] && (end.memory)(WORDS) == 1,
        ),
        race(
            "waker: wake after a store",
            "the waker is not found, and what was stored is not seen",
            [
                Thread::new()
                    .store(OTHER, 1, Relaxed)
                    .add(R0, STATE, 0, Release)
                    .called(WAKE_AFTER)
                    .load(R1, STATE, Acquire)
                    .called(TAKE_LOAD),
                register(Thread::new(), 1).load(R1, OTHER, Relaxed),
            ],
            |end| end.is(0, R1, 0) && end.is(1, R1, 0),
        ),
    ]
}

fn fallback() -> Vec<Litmus> {
    vec![
        race(
            "live count: the buffer's last use",
            "it reads what is written when the count is 0",
            [
                Thread::new().read(R0, PAYLOAD).add(R1, STATE, 1, Release).called(LIVE_SUB),
                Thread::new()
                    .load(R0, STATE, Acquire)
                    .called(LIVE_LOAD)
                    .when(R0, 1)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
        // The count: 1 is added for a decrement, 10 for the bit. OTHER is the memory that comes back.
        race(
            "wait for the fallback: memory that came back before",
            "the drop sees no waiter, and the waiter sees no memory",
            [
                Thread::new().store(OTHER, 1, Relaxed).add(R0, STATE, 1, Release).called(LIVE_SUB),
                Thread::new().add(R0, STATE, 10, AcqRel).called(LIVE_ARM).load(R1, OTHER, Relaxed),
            ],
            |end| end.finished[1] && end.is(0, R0, 0) && end.is(1, R1, 0),
        ),
        race(
            "wait for the fallback: the waker",
            "the drop sees the bit, and not the waker",
            [
                Thread::new().store(WORDS, 1, Relaxed).add(R0, STATE, 10, AcqRel).called(LIVE_ARM),
                Thread::new()
                    .add(R0, STATE, 1, Release)
                    .called(LIVE_SUB)
                    .when(R0, 10)
                    .add(R1, STATE, -10, Acquire)
                    .called(LIVE_CLEAR)
                    .load(R2, WORDS, Relaxed),
            ],
            |end| end.is(1, R2, 0),
        ),
        race(
            "deferred list: the buffer's last use, and its link",
            "it reads what is written behind the drain, or the link is old",
            [
                Thread::new()
                    .read(R0, PAYLOAD)
                    .store(OTHER, 1, Relaxed)
                    .cas(R1, HEAD, 0, 1, Release)
                    .called(DEFER),
                Thread::new()
                    .swap(R0, HEAD, 0, Acquire)
                    .called(TAKE_ALL)
                    .when(R0, 1)
                    .load(R1, OTHER, Relaxed)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1) || (end.finished[1] && end.is(1, R1, 0)),
        ),
        race(
            "deferred list: two pushes",
            "the first buffer's last use reads what is written behind the drain",
            [
                Thread::new().read(R0, PAYLOAD).cas(R1, HEAD, 0, 1, Release).called(DEFER),
                Thread::new().cas(R1, HEAD, 1, 2, Release).called(DEFER),
                Thread::new()
                    .swap(R0, HEAD, 0, Acquire)
                    .called(TAKE_ALL)
                    .when(R0, 2)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R0, 1),
        ),
    ]
}

/// A static pool of C, which several contexts build: one settles a word, another finds it settled
/// and publishes the pool, and a third one uses it.
fn settle() -> Vec<Litmus> {
    vec![race(
        "settle: a pool that two have built",
        "its user reads a word that is not there yet",
        [
            Thread::new().cas(R0, HEAD, 0, 1, Release).called(SETTLE),
            Thread::new()
                .load(R0, HEAD, Acquire)
                .called(SETTLED)
                .when(R0, 1)
                .store(OTHER, 1, Release)
                .called(PUBLISH),
            Thread::new().load(R0, OTHER, Acquire).called(PUBLISHED).when(R0, 1).read(R1, HEAD),
        ],
        |end| end.finished[2] && end.is(2, R1, 0),
    )]
}

/// One list's part of a second look: a read-modify-write that changes nothing.
fn look(thread: Thread, into: Reg, head: Loc) -> Thread {
    thread.add(into, head, 0, Release).called(LOOK)
}

fn questions() -> Vec<Litmus> {
    vec![
        race(
            "is_idle: the last use of a buffer",
            "it reads what is written when the pool is idle",
            [
                push(Thread::new().read(R3, PAYLOAD), 0, 1),
                look(Thread::new().load(R0, HEAD, Acquire).called(IDLE_HEAD).when(R0, 1), R1, HEAD)
                    .when(R1, 1)
                    .write(PAYLOAD, 1),
            ],
            |end| end.is(0, R3, 1),
        ),
        // The state: 0 free, 1 held, 2 free again. Heads: 0 complete, 1 popped.
        race(
            "is_idle: a slot that was held",
            "the head is the same at both looks, and the state is one of after a pop",
            [
                pop(Thread::new(), 0, 1).store(STATE, 1, Relaxed).store(STATE, 2, Relaxed),
                look(
                    Thread::new()
                        .load(R0, HEAD, Acquire)
                        .called(IDLE_HEAD)
                        .when(R0, 0)
                        .load(R1, STATE, Relaxed),
                    R2,
                    HEAD,
                ),
            ],
            |end| end.is(1, R2, 0) && !end.is(1, R1, 0),
        ),
        // The head: 0 the slot is held, 1 it has come back. The other: 0 its slot is free, 1
        // popped.
        race(
            "is_idle: a buffer that moves on",
            "both lists are complete at both looks, though a slot was held all the time",
            [push(Thread::new().cas(R1, OTHER, 0, 1, Relaxed), 0, 1), idle_walk()],
            |end| end.finished[1],
        ),
        // The head: 0 empty, 1 a slot has come back. The other: 0 its slot is free, 1 popped.
        race(
            "exhausted: a slot that moves on",
            "all lists are empty at both looks, though a slot was free all the time",
            [
                push(Thread::new(), 0, 1)
                    .load(R1, OTHER, Acquire)
                    .called(POP_LOAD)
                    .cas(R2, OTHER, 0, 1, Relaxed),
                exhausted_walk(2),
            ],
            |end| end.finished[1],
        ),
    ]
}

fn idle_walk() -> Thread {
    let first = Thread::new().load(R0, HEAD, Acquire).called(IDLE_HEAD).when(R0, 1);
    let first = first.load(R1, OTHER, Acquire).called(IDLE_HEAD).when(R1, 0);
    look(look(first, R2, HEAD).when(R2, 1), R3, OTHER).when(R3, 0)
}

/// A walk over both lists that finds them empty, so many times.
pub fn exhausted_walk(times: usize) -> Thread {
    (0..times).fold(Thread::new(), |thread, _| {
        let empty =
            look(thread.load(R0, HEAD, Acquire).called(POP_LOAD).when(R0, 0), R0, HEAD).when(R0, 0);
        look(empty.load(R1, OTHER, Acquire).called(POP_LOAD).when(R1, 1), R1, OTHER).when(R1, 1)
    })
}

fn counts() -> Vec<Litmus> {
    vec![race(
        "count: the low word and its flips",
        "the flip is seen, and the word that has flipped is not",
        [
            Thread::new().add(R0, STATE, 1, Relaxed).add(R1, OTHER, 1, Release).called(FLIP),
            Thread::new().load(R0, OTHER, Acquire).called(FLIP_LOAD).load(R1, STATE, Relaxed),
        ],
        |end| end.is(1, R0, 1) && end.is(1, R1, 0),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution;
    use crate::models::Model;
    use crate::weaken;
    use std::collections::BTreeSet;

    #[test]
    fn no_outcome_is_possible() {
        for race in all() {
            for model in Model::ALL {
                assert!(!model.outcome_of(&race), "{} allows: {}", model.name(), race.name);
            }
        }
    }

    /// What the second look is for: with one look the outcome is there in every model.
    #[test]
    fn one_look_is_not_enough() {
        let mut race = all().into_iter().find(|race| race.name.starts_with("exhausted")).unwrap();
        race.threads[1] = exhausted_walk(1);
        for model in Model::ALL {
            assert!(model.outcome_of(&race), "{}", model.name());
        }
    }

    /// The table in DESIGN.md has the same accesses with the same orderings, so that neither
    /// forgets one.
    #[test]
    fn the_accesses_are_those_of_the_design() {
        let design =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../DESIGN.md"))
                .unwrap();
        let (_, table) = design.split_once("\n## The protocol\n").unwrap();
        let rows =
            table.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| "));
        let cells = rows
            .filter_map(|row| row.split_once(" | "))
            .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()));
        let designed: BTreeSet<_> =
            cells.filter(|(_, order)| ["Acquire", "Release", "AcqRel"].contains(order)).collect();
        let programs = all();
        let orders: Vec<_> = programs
            .iter()
            .flat_map(weaken::orders)
            .map(|(name, order)| (name, order.to_string()))
            .collect();
        let modelled: BTreeSet<_> =
            orders.iter().map(|(name, order)| (*name, order.as_str())).collect();
        assert_eq!(designed, modelled);
    }

    /// A program one of whose threads never comes to its end shows nothing.
    #[test]
    fn each_thread_can_come_to_its_end() {
        for race in all() {
            let program = Litmus { or_race: false, ..race.clone() };
            for thread in 0..race.threads.len() {
                // There, the end of the second thread is the outcome.
                if race.name.ends_with("moves on") && thread == 1 {
                    continue;
                }
                let ends = execution::any(&program, |candidate, end| {
                    end.finished[thread] && Model::Rvwmo.allows(candidate)
                });
                assert!(ends, "{}: thread {thread}", race.name);
            }
        }
    }
}

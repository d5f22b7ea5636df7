//! The classical litmus tests with their published verdicts: the models are tested on them first.
//!
//! Sources: L. Maranget, S. Sarkar, P. Sewell, "A Tutorial Introduction to the ARM and POWER
//! Relaxed Memory Models", 2012; the RISC-V manual's litmus tests; Lahav and others, PLDI 2017;
//! Pulte and others, POPL 2018.

#[cfg(test)]
mod tests {
    use crate::models::Model::{self, ArmDmb, ArmV8, Rc11, Rvwmo};
    use crate::program::Order::*;
    use crate::program::*;

    const X: Loc = Loc::at(0);
    const Y: Loc = Loc::at(1);
    const Z: Loc = Loc::at(2);
    const HARDWARE: [Model; 3] = [Rvwmo, ArmV8, ArmDmb];

    fn litmus(threads: Vec<Thread>, holds: fn(&Final<'_>) -> bool) -> Litmus {
        Litmus { name: "", threads, outcome: "", holds, or_race: false }
    }

    #[track_caller]
    fn verdicts(program: &Litmus, allowed: &[Model]) {
        for model in Model::ALL {
            assert_eq!(model.outcome_of(program), allowed.contains(&model), "{}", model.name());
        }
    }

    /// Message passing.
    fn mp(store: Order, load: Order) -> Litmus {
        let writer = Thread::new().store(X, 1, Relaxed).store(Y, 1, store);
        let reader = Thread::new().load(R0, Y, load).load(R1, X, Relaxed);
        litmus(vec![writer, reader], |end| end.is(1, R0, 1) && end.is(1, R1, 0))
    }

    #[test]
    fn message_passing() {
        verdicts(&mp(Relaxed, Relaxed), &Model::ALL);
        verdicts(&mp(Release, Relaxed), &Model::ALL);
        verdicts(&mp(Relaxed, Acquire), &Model::ALL);
        verdicts(&mp(Release, Acquire), &[]);
    }

    #[test]
    fn message_passing_by_fences() {
        let writer = Thread::new().store(X, 1, Relaxed).fence(Release).store(Y, 1, Relaxed);
        let reader = Thread::new().load(R0, Y, Relaxed).fence(Acquire).load(R1, X, Relaxed);
        verdicts(&litmus(vec![writer, reader], |end| end.is(1, R0, 1) && end.is(1, R1, 0)), &[]);
    }

    /// MP+rel+addr: hardware keeps the order of an address dependency, the language knows none.
    #[test]
    fn message_passing_by_an_address() {
        let writer = Thread::new().store(Loc::at(3), 1, Relaxed).store(Y, 1, Release);
        let reader = Thread::new().load(R0, Y, Relaxed).load(R1, Z.of(R0), Relaxed);
        verdicts(
            &litmus(vec![writer, reader], |end| end.is(1, R0, 1) && end.is(1, R1, 0)),
            &[Rc11],
        );
    }

    /// MP+rel+ctrl: a branch does not order loads.
    #[test]
    fn message_passing_by_a_branch() {
        let writer = Thread::new().store(X, 1, Relaxed).store(Y, 1, Release);
        let reader = Thread::new().load(R0, Y, Relaxed).when(R0, 1).load(R1, X, Relaxed);
        verdicts(
            &litmus(vec![writer, reader], |end| end.is(1, R0, 1) && end.is(1, R1, 0)),
            &Model::ALL,
        );
    }

    fn sb(order: Option<Order>, access: (Order, Order)) -> Litmus {
        let thread = |mine, theirs| {
            let thread = Thread::new().store(mine, 1, access.0);
            let thread = order.into_iter().fold(thread, Thread::fence);
            thread.load(R0, theirs, access.1)
        };
        litmus(vec![thread(X, Y), thread(Y, X)], |end| end.is(0, R0, 0) && end.is(1, R0, 0))
    }

    #[test]
    fn store_buffering() {
        verdicts(&sb(None, (Relaxed, Relaxed)), &Model::ALL);
        verdicts(&sb(Some(SeqCst), (Relaxed, Relaxed)), &[]);
        assert!(!Rc11.outcome_of(&sb(None, (SeqCst, SeqCst))));
        // With `ldapr` and `stlr` as on RISC-V; a `dmb` behind a load and before a store lets it
        // through, too.
        verdicts(&sb(None, (Release, Acquire)), &Model::ALL);
        verdicts(&sb(Some(AcqRel), (Relaxed, Relaxed)), &[Rc11, Rvwmo]);
    }

    #[test]
    fn load_buffering() {
        let thread = |from, to, order| Thread::new().load(R0, from, order).store(to, 1, Relaxed);
        let lb = |order| {
            litmus(vec![thread(X, Y, order), thread(Y, X, order)], |end| {
                end.is(0, R0, 1) && end.is(1, R0, 1)
            })
        };
        verdicts(&lb(Relaxed), &HARDWARE);
        verdicts(&lb(Acquire), &[]);
    }

    /// LB+datas: no value out of thin air.
    #[test]
    fn load_buffering_with_dependencies() {
        let thread = |from, to| Thread::new().load(R0, from, Relaxed).store(to, R0, Relaxed);
        let program =
            litmus(vec![thread(X, Y), thread(Y, X).store(Z, 1, Relaxed)], |end| end.is(0, R0, 1));
        verdicts(&program, &[]);
        let thread =
            |from, to| Thread::new().load(R0, from, Relaxed).when(R0, 1).store(to, 1, Relaxed);
        verdicts(&litmus(vec![thread(X, Y), thread(Y, X)], |end| end.is(0, R0, 1)), &[]);
    }

    #[test]
    fn two_writes_each() {
        let thread =
            |first, second, order| Thread::new().store(first, 1, Relaxed).store(second, 2, order);
        let program = |order| {
            litmus(vec![thread(X, Y, order), thread(Y, X, order)], |end| {
                (end.memory)(X) == 1 && (end.memory)(Y) == 1
            })
        };
        // C11 forbids 2+2W for SeqCst alone; the processors order the stores.
        verdicts(&program(Relaxed), &Model::ALL);
        verdicts(&program(Release), &[Rc11]);
    }

    #[test]
    fn independent_reads_of_independent_writes() {
        let writer = |loc| Thread::new().store(loc, 1, Relaxed);
        let reader =
            |first, second, order| Thread::new().load(R0, first, order).load(R1, second, order);
        let iriw = |order| {
            let threads = vec![writer(X), writer(Y), reader(X, Y, order), reader(Y, X, order)];
            litmus(threads, |end| {
                end.is(2, R0, 1) && end.is(2, R1, 0) && end.is(3, R0, 1) && end.is(3, R1, 0)
            })
        };
        verdicts(&iriw(Relaxed), &Model::ALL);
        // All of the processors are multi-copy atomic.
        verdicts(&iriw(Acquire), &[Rc11]);
    }

    /// A causality chain through a third thread.
    #[test]
    fn write_to_read_causality() {
        let writer = Thread::new().store(X, 1, Relaxed);
        let middle = |order| Thread::new().load(R0, X, Relaxed).store(Y, R0, order);
        let reader = || Thread::new().load(R0, Y, Acquire).load(R1, X, Relaxed);
        let holds = |end: &Final<'_>| end.is(1, R0, 1) && end.is(2, R0, 1) && end.is(2, R1, 0);
        verdicts(&litmus(vec![writer.clone(), middle(Release), reader()], holds), &[]);
        // By a dependency, hardware alone.
        verdicts(&litmus(vec![writer, middle(Relaxed), reader()], holds), &[Rc11]);
    }

    #[test]
    fn coherence() {
        let writer = Thread::new().store(X, 1, Relaxed);
        let reader = Thread::new().load(R0, X, Relaxed).load(R1, X, Relaxed);
        verdicts(
            &litmus(vec![writer.clone(), reader], |end| end.is(1, R0, 1) && end.is(1, R1, 0)),
            &[],
        );
        // CoWW, CoRW.
        let writes = Thread::new().store(X, 1, Relaxed).store(X, 2, Relaxed);
        verdicts(&litmus(vec![writes], |end| (end.memory)(X) == 1), &[]);
        let reads = Thread::new().load(R0, X, Relaxed).store(X, 2, Relaxed);
        verdicts(&litmus(vec![reads, writer], |end| end.is(0, R0, 2)), &[]);
    }

    #[test]
    fn a_release_sequence_goes_on_through_a_swap() {
        let first = || Thread::new().store(X, 1, Relaxed).store(Y, 1, Release);
        let reader = || Thread::new().load(R0, Y, Acquire).load(R1, X, Relaxed);
        let holds = |end: &Final<'_>| end.is(2, R0, 2) && end.is(2, R1, 0);
        let swap = Thread::new().cas(R0, Y, 1, 2, Relaxed);
        verdicts(&litmus(vec![first(), swap, reader()], holds), &[]);
        // But not through another thread's store.
        let store = Thread::new().load(R0, Y, Relaxed).when(R0, 1).store(Y, 2, Relaxed);
        assert!(Rc11.outcome_of(&litmus(vec![first(), store, reader()], holds)));
    }

    #[test]
    fn nothing_comes_between_halves_of_an_rmw() {
        let add = || Thread::new().add(R0, X, 1, Relaxed);
        verdicts(&litmus(vec![add(), add()], |end| (end.memory)(X) == 1), &[]);
        let swap = || Thread::new().cas(R0, X, 0, 1, Relaxed);
        verdicts(&litmus(vec![swap(), swap()], |end| end.finished == [true, true]), &[]);
    }

    #[test]
    fn a_compare_and_swap_may_fail_without_a_reason() {
        let swap = Thread::new().cas(R0, X, 0, 1, Relaxed);
        verdicts(&litmus(vec![swap], |end| end.finished == [false]), &Model::ALL);
    }

    #[test]
    fn a_race_on_plain_memory_is_noticed() {
        let program = |order| {
            let writer = Thread::new().write(X, 1).store(Y, 1, order);
            let reader = Thread::new().load(R0, Y, Acquire).when(R0, 1).read(R1, X);
            Litmus { or_race: true, ..litmus(vec![writer, reader], |_| false) }
        };
        assert!(Rc11.outcome_of(&program(Relaxed)));
        assert!(!Rc11.outcome_of(&program(Release)));
    }

    /// PPOCA and the like: a store that is forwarded is not yet visible elsewhere.
    #[test]
    fn forwarding_within_a_thread() {
        let writer = Thread::new().store(X, 1, Relaxed).store(Y, 1, Release);
        let reader = Thread::new()
            .load(R0, Y, Relaxed)
            .when(R0, 1)
            .store(Z, 1, Relaxed)
            .load(R1, Z, Relaxed)
            .load(R2, X.of(R3), Relaxed);
        verdicts(
            &litmus(vec![writer, reader], |end| end.is(1, R0, 1) && end.is(1, R2, 0)),
            &Model::ALL,
        );
    }
}

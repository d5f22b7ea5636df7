//! Candidate executions of a program: all ways in which its reads may get their values and its
//! writes may follow each other, before any model says which of them are possible.
//!
//! ```text
//!   program ─► traces of each thread, for all values that a load could return
//!           ─► events, with program order and dependencies
//!           ─► rf: each read from one write of its value      ┐ every choice of these is
//!           ─► co: the writes of each location in an order     ┘ a candidate
//! ```

use crate::program::{Change, Final, Instruction, Litmus, Loc, Order, Reg, Thread, Value};
use crate::relation::{MOST, Relation, Set};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Read,
    Write,
    Fence,
}

/// One access, or a fence. A read-modify-write is two of them.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub thread: usize,
    pub kind: Kind,
    pub order: Order,
    pub loc: usize,
    pub value: i32,
    /// Half of a read-modify-write: a compare-and-swap (load-reserved and store-conditional), or
    /// one instruction.
    pub part_of: Option<Rmw>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rmw {
    CompareAndSwap,
    Single,
}

/// A candidate: what every model is asked about.
pub struct Execution {
    pub events: Vec<Event>,
    pub po: Relation,
    pub rf: Relation,
    pub co: Relation,
    /// From the read of a read-modify-write to its write.
    pub rmw: Relation,
    pub addr: Relation,
    pub data: Relation,
    pub ctrl: Relation,
}

impl Execution {
    pub fn set(&self, is: impl Fn(&Event) -> bool) -> Set {
        Set::of(self.events.iter().enumerate().filter(|(_, event)| is(event)).map(|(at, _)| at))
    }

    pub fn reads(&self) -> Set {
        self.set(|event| event.kind == Kind::Read)
    }

    pub fn writes(&self) -> Set {
        self.set(|event| event.kind == Kind::Write)
    }

    /// Pairs of accesses to one location.
    pub fn same_loc(&self) -> Relation {
        self.pairs(|a, b| a.kind != Kind::Fence && b.kind != Kind::Fence && a.loc == b.loc)
    }

    pub fn external(&self) -> Relation {
        self.pairs(|a, b| a.thread != b.thread)
    }

    /// From a read to the writes that follow the one it has read.
    pub fn fr(&self) -> Relation {
        self.rf.inverse().then(self.co)
    }

    fn pairs(&self, related: impl Fn(&Event, &Event) -> bool) -> Relation {
        Relation::from_fn(|a, b| match (self.events.get(a), self.events.get(b)) {
            (Some(a), Some(b)) => related(a, b),
            _ => false,
        })
    }
}

/// One way through a thread.
#[derive(Clone, Default)]
struct Trace {
    events: Vec<Event>,
    /// Pairs within the trace.
    rmw: Vec<(usize, usize)>,
    addr: Vec<(usize, usize)>,
    data: Vec<(usize, usize)>,
    ctrl: Vec<(usize, usize)>,
    registers: Vec<Option<i32>>,
    finished: bool,
}

/// Values that a load of each location could return.
type Domain = BTreeMap<usize, BTreeSet<i32>>;

/// The initial writes belong to no thread.
const NOBODY: usize = usize::MAX;

/// Calls `each` with every candidate and its final state, until that returns true. Tells whether it
/// did.
pub fn any(program: &Litmus, mut each: impl FnMut(&Execution, &Final<'_>) -> bool) -> bool {
    let domain = domain(program);
    let traces: Vec<_> =
        (0..program.threads.len()).map(|thread| traces(program, thread, &domain)).collect();
    let mut chosen = vec![0; traces.len()];
    loop {
        let these: Vec<&Trace> =
            chosen.iter().zip(&traces).map(|(&at, traces)| &traces[at]).collect();
        if candidates(&these, &mut each) {
            return true;
        }
        // The next combination, as an odometer counts.
        let mut thread = 0;
        loop {
            if thread == traces.len() {
                return false;
            }
            chosen[thread] += 1;
            if chosen[thread] < traces[thread].len() {
                break;
            }
            chosen[thread] = 0;
            thread += 1;
        }
    }
}

/// All values that can get into each location. Each round lets values pass one more write.
fn domain(program: &Litmus) -> Domain {
    let mut domain = Domain::new();
    let writes = program.threads.iter().flat_map(|thread| &thread.code);
    let rounds =
        writes.filter(|i| matches!(i, Instruction::Store { .. } | Instruction::Rmw { .. })).count();
    for _ in 0..=rounds {
        let mut next = domain.clone();
        for thread in 0..program.threads.len() {
            for trace in traces(program, thread, &domain) {
                for event in trace.events.iter().filter(|event| event.kind == Kind::Write) {
                    next.entry(event.loc).or_default().insert(event.value);
                }
            }
        }
        if next == domain {
            break;
        }
        domain = next;
    }
    domain
}

/// All ways through a thread, given what its loads could return.
fn traces(program: &Litmus, thread: usize, domain: &Domain) -> Vec<Trace> {
    let mut walk = Walk { thread, code: &program.threads[thread], domain, done: Vec::new() };
    walk.step(0, Trace::default(), [Taint::default(); REGISTERS], Set::default());
    walk.done
}

const REGISTERS: usize = 8;

/// Reads that a register's value depends on.
type Taint = Set;

struct Walk<'a> {
    thread: usize,
    code: &'a Thread,
    domain: &'a Domain,
    done: Vec<Trace>,
}

impl Walk<'_> {
    /// Goes on at instruction `at`; `ctrl` are the reads that have decided that the thread gets
    /// there.
    fn step(&mut self, at: usize, mut trace: Trace, taints: [Taint; REGISTERS], ctrl: Set) {
        trace.registers.resize(REGISTERS, None);
        let Some(&instruction) = self.code.code.get(at) else {
            trace.finished = true;
            self.done.push(trace);
            return;
        };
        match instruction {
            Instruction::Fence { order } => {
                self.event(&mut trace, Kind::Fence, order, 0, 0, None, ctrl);
                self.step(at + 1, trace, taints, ctrl);
            }
            Instruction::When { reg, is } => {
                if trace.registers[reg.0] == Some(is) {
                    self.step(at + 1, trace, taints, ctrl | taints[reg.0]);
                } else {
                    self.done.push(trace);
                }
            }
            Instruction::Store { to, value, order } => {
                let loc = place(&trace, to);
                let number = evaluate(&trace, value);
                let event = self.event(&mut trace, Kind::Write, order, loc, number, None, ctrl);
                depend(&mut trace.addr, taint(&taints, to.index), event);
                depend(&mut trace.data, taint_of(&taints, value), event);
                self.step(at + 1, trace, taints, ctrl);
            }
            Instruction::Load { into, from, order } => {
                let loc = place(&trace, from);
                for value in self.values(loc) {
                    let (mut trace, mut taints) = (trace.clone(), taints);
                    let event = self.event(&mut trace, Kind::Read, order, loc, value, None, ctrl);
                    depend(&mut trace.addr, taint(&taints, from.index), event);
                    trace.registers[into.0] = Some(value);
                    taints[into.0] = Set::of([event]);
                    self.step(at + 1, trace, taints, ctrl);
                }
            }
            Instruction::Rmw { into, at: target, change, order } => {
                let loc = place(&trace, target);
                for value in self.values(loc) {
                    self.rmw(at, &trace, taints, ctrl, (into, target, loc, change, order), value);
                }
            }
        }
    }

    /// A read-modify-write that reads `value`.
    fn rmw(
        &mut self,
        at: usize,
        trace: &Trace,
        mut taints: [Taint; REGISTERS],
        ctrl: Set,
        (into, target, loc, change, order): (Reg, Loc, usize, Change, Order),
        value: i32,
    ) {
        let mut trace = trace.clone();
        let (new, succeeds, kind) = match change {
            Change::Swap { expected, new } => {
                (evaluate(&trace, new), value == evaluate(&trace, expected), Rmw::CompareAndSwap)
            }
            Change::Set(new) => (evaluate(&trace, new), true, Rmw::Single),
            Change::Add(more) => (value + more, true, Rmw::Single),
        };
        // One that fails, also without a reason, is a relaxed load, and its thread ends.
        if kind == Rmw::CompareAndSwap {
            let mut failed = trace.clone();
            let read = self.event(&mut failed, Kind::Read, Order::Relaxed, loc, value, None, ctrl);
            depend(&mut failed.addr, taint(&taints, target.index), read);
            self.done.push(failed);
        }
        if !succeeds {
            return;
        }
        let read = self.event(&mut trace, Kind::Read, order, loc, value, Some(kind), ctrl);
        let write = self.event(&mut trace, Kind::Write, order, loc, new, Some(kind), ctrl);
        trace.rmw.push((read, write));
        for event in [read, write] {
            depend(&mut trace.addr, taint(&taints, target.index), event);
        }
        let mut later = ctrl;
        match change {
            // That it writes at all has been decided by the comparison, and so has all that
            // follows.
            Change::Swap { expected, new } => {
                depend(&mut trace.data, taint_of(&taints, new), write);
                later = ctrl | Set::of([read]) | taint_of(&taints, expected);
            }
            Change::Set(new) => depend(&mut trace.data, taint_of(&taints, new), write),
            Change::Add(_) => depend(&mut trace.data, Set::of([read]), write),
        }
        trace.registers[into.0] = Some(value);
        taints[into.0] = Set::of([read]);
        self.step(at + 1, trace, taints, later);
    }

    #[allow(clippy::too_many_arguments)]
    fn event(
        &self,
        trace: &mut Trace,
        kind: Kind,
        order: Order,
        loc: usize,
        value: i32,
        part_of: Option<Rmw>,
        ctrl: Set,
    ) -> usize {
        let event = trace.events.len();
        trace.events.push(Event { thread: self.thread, kind, order, loc, value, part_of });
        depend(&mut trace.ctrl, ctrl, event);
        event
    }

    fn values(&self, loc: usize) -> BTreeSet<i32> {
        let mut values = self.domain.get(&loc).cloned().unwrap_or_default();
        values.insert(0);
        values
    }
}

fn depend(pairs: &mut Vec<(usize, usize)>, on: Set, event: usize) {
    pairs.extend((0..MOST).filter(|&read| on.has(read)).map(|read| (read, event)));
}

fn taint(taints: &[Taint; REGISTERS], reg: Option<Reg>) -> Set {
    reg.map_or(Set::default(), |reg| taints[reg.0])
}

fn taint_of(taints: &[Taint; REGISTERS], value: Value) -> Set {
    match value {
        Value::Constant(_) => Set::default(),
        Value::Of(reg) => taints[reg.0],
    }
}

fn evaluate(trace: &Trace, value: Value) -> i32 {
    match value {
        Value::Constant(value) => value,
        Value::Of(reg) => trace.registers[reg.0].unwrap_or(0),
    }
}

fn place(trace: &Trace, loc: Loc) -> usize {
    let index = loc.index.map_or(0, |reg| trace.registers[reg.0].unwrap_or(0));
    loc.base + usize::try_from(index).expect("an array is indexed from 0")
}

/// All choices of `rf` and `co` for these traces.
fn candidates(traces: &[&Trace], each: &mut impl FnMut(&Execution, &Final<'_>) -> bool) -> bool {
    let mut execution = Execution {
        events: Vec::new(),
        po: Relation::EMPTY,
        rf: Relation::EMPTY,
        co: Relation::EMPTY,
        rmw: Relation::EMPTY,
        addr: Relation::EMPTY,
        data: Relation::EMPTY,
        ctrl: Relation::EMPTY,
    };
    let accesses =
        || traces.iter().flat_map(|trace| &trace.events).filter(|event| event.kind != Kind::Fence);
    let locations: BTreeSet<usize> = accesses().map(|event| event.loc).collect();
    for &loc in &locations {
        let order = Order::Relaxed;
        execution.events.push(Event {
            thread: NOBODY,
            kind: Kind::Write,
            order,
            loc,
            value: 0,
            part_of: None,
        });
    }
    for trace in traces {
        let first = execution.events.len();
        execution.events.extend(&trace.events);
        let last = execution.events.len();
        assert!(last <= MOST, "a litmus program has at most {MOST} events");
        for a in first..last {
            for b in a + 1..last {
                execution.po.add(a, b);
            }
        }
        let take = |relation: &mut Relation, pairs: &[(usize, usize)]| {
            pairs.iter().for_each(|&(a, b)| relation.add(first + a, first + b));
        };
        take(&mut execution.rmw, &trace.rmw);
        take(&mut execution.addr, &trace.addr);
        take(&mut execution.data, &trace.data);
        take(&mut execution.ctrl, &trace.ctrl);
    }
    let reads: Vec<usize> =
        (0..execution.events.len()).filter(|&e| execution.events[e].kind == Kind::Read).collect();
    let locations: Vec<usize> = locations.into_iter().collect();
    let choice = Choice { traces, reads: &reads, locations: &locations };
    choice.read_from(&mut execution, 0, each)
}

struct Choice<'a> {
    traces: &'a [&'a Trace],
    reads: &'a [usize],
    locations: &'a [usize],
}

impl Choice<'_> {
    fn read_from(
        &self,
        execution: &mut Execution,
        at: usize,
        each: &mut impl FnMut(&Execution, &Final<'_>) -> bool,
    ) -> bool {
        let Some(&read) = self.reads.get(at) else {
            return self.coherence(execution, 0, each);
        };
        let wanted = execution.events[read];
        for write in 0..execution.events.len() {
            let event = execution.events[write];
            if event.kind != Kind::Write || event.loc != wanted.loc || event.value != wanted.value {
                continue;
            }
            // A thread reads no write of its own future, in any model.
            if execution.po.has(read, write) {
                continue;
            }
            let before = execution.rf;
            execution.rf.add(write, read);
            if self.read_from(execution, at + 1, each) {
                return true;
            }
            execution.rf = before;
        }
        false
    }

    fn coherence(
        &self,
        execution: &mut Execution,
        at: usize,
        each: &mut impl FnMut(&Execution, &Final<'_>) -> bool,
    ) -> bool {
        let Some(&loc) = self.locations.get(at) else {
            return self.judge(execution, each);
        };
        let is_write = |event: &Event| event.kind == Kind::Write && event.loc == loc;
        let writes: Vec<usize> =
            (0..execution.events.len()).filter(|&e| is_write(&execution.events[e])).collect();
        // The initial write comes first.
        let mut order = writes.clone();
        self.permute(execution, at, &mut order, 1, each)
    }

    fn permute(
        &self,
        execution: &mut Execution,
        at: usize,
        order: &mut Vec<usize>,
        from: usize,
        each: &mut impl FnMut(&Execution, &Final<'_>) -> bool,
    ) -> bool {
        if from >= order.len() {
            let before = execution.co;
            for (place, &a) in order.iter().enumerate() {
                order[place + 1..].iter().for_each(|&b| execution.co.add(a, b));
            }
            let found = self.coherence(execution, at + 1, each);
            execution.co = before;
            return found;
        }
        for other in from..order.len() {
            order.swap(from, other);
            // Writes of one thread to one location follow each other as in the program, in every
            // model.
            let fits = order[..from].iter().all(|&earlier| !execution.po.has(order[from], earlier));
            if fits && self.permute(execution, at, order, from + 1, each) {
                return true;
            }
            order.swap(from, other);
        }
        false
    }

    fn judge(
        &self,
        execution: &Execution,
        each: &mut impl FnMut(&Execution, &Final<'_>) -> bool,
    ) -> bool {
        let registers: Vec<_> = self.traces.iter().map(|trace| trace.registers.clone()).collect();
        let finished: Vec<_> = self.traces.iter().map(|trace| trace.finished).collect();
        let memory = |loc: Loc| {
            let is_last =
                |e: &usize| (0..execution.events.len()).all(|later| !execution.co.has(*e, later));
            let writes = (0..execution.events.len()).filter(|&e| {
                execution.events[e].kind == Kind::Write && execution.events[e].loc == loc.base
            });
            writes.filter(is_last).map(|e| execution.events[e].value).next().unwrap_or(0)
        };
        each(execution, &Final { registers: &registers, finished: &finished, memory: &memory })
    }
}

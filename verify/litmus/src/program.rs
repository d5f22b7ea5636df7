//! Litmus programs: a few threads of a few instructions each, and the outcome that is asked about.
//!
//! ```text
//!   Thread 0                      Thread 1
//!   store(PAYLOAD, 1)             load(R0, HEAD, Acquire)     registers: R0, R1, … of each thread
//!   store(HEAD, 1, Release)       when(R0, 1)                 goes on only if R0 is 1
//!                                 load(R1, PAYLOAD)           outcome: R0 = 1, R1 = 0
//! ```
//!
//! A compare-and-swap that fails ends its thread: a loop would try again, and that is another
//! execution of the same program. All memory is 0 at start.

use std::fmt;

/// A C11 memory ordering; `Plain` is no atomic access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Plain,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Order {
    pub fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcqRel | Order::SeqCst)
    }

    pub fn releases(self) -> bool {
        matches!(self, Order::Release | Order::AcqRel | Order::SeqCst)
    }

    /// The orderings that are one step weaker.
    pub fn weaker(self) -> &'static [Order] {
        match self {
            Order::Plain | Order::Relaxed => &[],
            Order::Acquire | Order::Release => &[Order::Relaxed],
            Order::AcqRel => &[Order::Acquire, Order::Release],
            Order::SeqCst => &[Order::AcqRel],
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Order::Plain => "plain",
            Order::Relaxed => "Relaxed",
            Order::Acquire => "Acquire",
            Order::Release => "Release",
            Order::AcqRel => "AcqRel",
            Order::SeqCst => "SeqCst",
        })
    }
}

/// A register of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reg(pub usize);

pub const R0: Reg = Reg(0);
pub const R1: Reg = Reg(1);
pub const R2: Reg = Reg(2);
pub const R3: Reg = Reg(3);

/// What is written: a constant, or what a register has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    Constant(i32),
    Of(Reg),
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::Constant(value)
    }
}

impl From<Reg> for Value {
    fn from(reg: Reg) -> Self {
        Value::Of(reg)
    }
}

/// A location, or the element of an array of them that a register tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loc {
    pub base: usize,
    pub index: Option<Reg>,
}

impl Loc {
    pub const fn at(base: usize) -> Loc {
        Loc { base, index: None }
    }

    pub fn of(self, index: Reg) -> Loc {
        Loc { index: Some(index), ..self }
    }
}

/// What a read-modify-write makes of the value that it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// A compare-and-swap: goes on only if it reads the first, then writes the second.
    Swap { expected: Value, new: Value },
    /// Writes this, whatever it reads.
    Set(Value),
    /// Adds this.
    Add(i32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instruction {
    Load {
        into: Reg,
        from: Loc,
        order: Order,
    },
    Store {
        to: Loc,
        value: Value,
        order: Order,
    },
    Rmw {
        into: Reg,
        at: Loc,
        change: Change,
        order: Order,
    },
    Fence {
        order: Order,
    },
    /// Ends the thread unless the register has this value.
    When {
        reg: Reg,
        is: i32,
    },
}

impl Instruction {
    pub fn order(&self) -> Option<Order> {
        match *self {
            Instruction::Load { order, .. }
            | Instruction::Store { order, .. }
            | Instruction::Rmw { order, .. }
            | Instruction::Fence { order } => Some(order),
            Instruction::When { .. } => None,
        }
    }

    pub fn with_order(self, new: Order) -> Instruction {
        match self {
            Instruction::Load { into, from, .. } => Instruction::Load { into, from, order: new },
            Instruction::Store { to, value, .. } => Instruction::Store { to, value, order: new },
            Instruction::Rmw { into, at, change, .. } => {
                Instruction::Rmw { into, at, change, order: new }
            }
            Instruction::Fence { .. } => Instruction::Fence { order: new },
            other => other,
        }
    }
}

/// The instructions of one thread, and, for each, what it is called in the tables.
#[derive(Clone, Default, Debug)]
pub struct Thread {
    pub code: Vec<Instruction>,
    pub names: Vec<&'static str>,
}

impl Thread {
    pub fn new() -> Thread {
        Thread::default()
    }

    fn push(mut self, instruction: Instruction) -> Thread {
        self.code.push(instruction);
        self.names.push("");
        self
    }

    pub fn load(self, into: Reg, from: Loc, order: Order) -> Thread {
        self.push(Instruction::Load { into, from, order })
    }

    pub fn store(self, to: Loc, value: impl Into<Value>, order: Order) -> Thread {
        self.push(Instruction::Store { to, value: value.into(), order })
    }

    /// Payload: no atomic access, so a race on it is an outcome of its own.
    pub fn read(self, into: Reg, from: Loc) -> Thread {
        self.load(into, from, Order::Plain)
    }

    /// Payload, as [`read`](Self::read).
    pub fn write(self, to: Loc, value: impl Into<Value>) -> Thread {
        self.store(to, value, Order::Plain)
    }

    pub fn cas(
        self,
        into: Reg,
        at: Loc,
        expected: impl Into<Value>,
        new: impl Into<Value>,
        order: Order,
    ) -> Thread {
        let change = Change::Swap { expected: expected.into(), new: new.into() };
        self.push(Instruction::Rmw { into, at, change, order })
    }

    pub fn swap(self, into: Reg, at: Loc, value: impl Into<Value>, order: Order) -> Thread {
        self.push(Instruction::Rmw { into, at, change: Change::Set(value.into()), order })
    }

    pub fn add(self, into: Reg, at: Loc, value: i32, order: Order) -> Thread {
        self.push(Instruction::Rmw { into, at, change: Change::Add(value), order })
    }

    pub fn fence(self, order: Order) -> Thread {
        self.push(Instruction::Fence { order })
    }

    pub fn when(self, reg: Reg, is: i32) -> Thread {
        self.push(Instruction::When { reg, is })
    }

    /// Names the last instruction: it is one whose ordering the tables speak of.
    pub fn called(mut self, name: &'static str) -> Thread {
        if let Some(last) = self.names.last_mut() {
            *last = name;
        }
        self
    }
}

/// What has become of a run: the registers of each thread, and whether it came to its end.
pub struct Final<'a> {
    pub registers: &'a [Vec<Option<i32>>],
    pub finished: &'a [bool],
    /// The last value of each location.
    pub memory: &'a dyn Fn(Loc) -> i32,
}

impl Final<'_> {
    /// The value of a register, if the thread has got as far.
    pub fn reg(&self, thread: usize, reg: Reg) -> Option<i32> {
        self.registers.get(thread)?.get(reg.0).copied().flatten()
    }

    pub fn is(&self, thread: usize, reg: Reg, value: i32) -> bool {
        self.reg(thread, reg) == Some(value)
    }
}

/// A program and the outcome that is asked about.
#[derive(Clone)]
pub struct Litmus {
    pub name: &'static str,
    pub threads: Vec<Thread>,
    /// In words.
    pub outcome: &'static str,
    pub holds: fn(&Final<'_>) -> bool,
    /// A race on plain memory counts as the outcome, too, where the model knows races (RC11 alone).
    pub or_race: bool,
}

impl Litmus {
    /// The same program with another ordering of one instruction.
    pub fn with_order(&self, thread: usize, at: usize, order: Order) -> Litmus {
        let mut other = self.clone();
        let code = &mut other.threads[thread].code;
        code[at] = code[at].with_order(order);
        other
    }
}

//! How often a worker has done what.

/// What has been done wrong, or gone wrong.
#[derive(Clone, Copy)]
pub enum Fault {
    /// A slot was freed that is free already.
    DoubleFree,
    /// A slot was freed that handles own.
    Owned,
    /// A pointer into a slot was freed.
    Interior,
    /// A pointer of another pool, of a heap or of the stack was freed.
    Foreign,
    /// A part was asked for that lies not within the whole.
    Range,
    /// A size was asked for that no memory has.
    Size,
    /// A destructor panicked.
    Panic,
}

impl Fault {
    /// For the report.
    pub const NAMES: [&str; 7] = [
        "frees of a free slot",
        "frees of a slot that handles own",
        "frees of a pointer into a slot",
        "frees of a foreign pointer",
        "ranges that end past the bytes",
        "absurd sizes",
        "destructors that panic",
    ];
}

/// How often a worker has done what.
#[derive(Clone, Default)]
pub struct Counts {
    /// As the table of operations; shorter as long as the last ones have not been done.
    pub operations: Vec<u64>,
    /// As [`Fault::NAMES`].
    pub faults: [u64; Fault::NAMES.len()],
    /// Requests and copies that found no memory.
    pub refused: u64,
}

impl Counts {
    /// One more of the operation of this number.
    pub(crate) fn operation(&mut self, number: usize) {
        self.operations.resize(self.operations.len().max(number + 1), 0);
        self.operations[number] += 1;
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Counts) {
        self.operations.resize(self.operations.len().max(other.operations.len()), 0);
        self.operations.iter_mut().zip(&other.operations).for_each(|(sum, count)| *sum += count);
        self.faults.iter_mut().zip(other.faults).for_each(|(sum, count)| *sum += count);
        self.refused += other.refused;
    }
}

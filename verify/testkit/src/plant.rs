//! Mistakes on purpose. A check that has never noticed one may be a check of nothing.

/// What a program does wrong when it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Forgets a slot.
    Slot,
    /// Forgets a buffer of a heap.
    Heap,
    /// Changes a byte of a buffer.
    Byte,
    /// Forgets an object.
    Object,
    /// Forgets a cache with slots in it.
    Cache,
    /// Tells of tasks that nobody woke.
    Wake,
    /// Writes to a slot after it was wiped and given back.
    Wipe,
    /// Frees a slot, and does not tell its model.
    Free,
    /// Writes a slot after it was freed, while its next owner writes it.
    Race,
    /// Reads a buffer of a heap after its last handle is gone.
    UseAfterFree,
    /// Reads memory behind a slot of a heap.
    Overflow,
}

/// By their names.
const NAMED: &[(&str, Mistake)] = &[
    ("slot", Mistake::Slot),
    ("heap", Mistake::Heap),
    ("byte", Mistake::Byte),
    ("object", Mistake::Object),
    ("cache", Mistake::Cache),
    ("wake", Mistake::Wake),
    ("wipe", Mistake::Wipe),
    ("free", Mistake::Free),
    ("race", Mistake::Race),
    ("use-after-free", Mistake::UseAfterFree),
    ("overflow", Mistake::Overflow),
];

/// The mistake that the environment asks for, by `TIERPOOL_PLANT=NAME`; one of those that the
/// program `can` make.
pub fn planted(can: &[Mistake]) -> Option<Mistake> {
    Some(mistake(&std::env::var("TIERPOOL_PLANT").ok()?, can))
}

/// The mistake of this name; one of those that the program `can` make.
pub fn mistake(name: &str, can: &[Mistake]) -> Mistake {
    let found = NAMED.iter().find(|(own, mistake)| *own == name && can.contains(mistake));
    match found {
        Some((_, mistake)) => *mistake,
        None => panic!("`{name}`, to be planted: not a mistake that this program makes"),
    }
}

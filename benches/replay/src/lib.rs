//! The heaps of the replay, which the benchmarks of `tierpool-benches` measure as well.

pub mod heaps;

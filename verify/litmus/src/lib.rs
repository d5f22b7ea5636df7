//! The races of the protocol as litmus programs, judged by memory models that loom does not have.
//!
//! | module | holds |
//! |---|---|
//! | `program` | what a litmus program is |
//! | `execution` | its candidate executions |
//! | `relation` | sets of events and relations between them |
//! | `models` | which executions RC11, RVWMO and Arm allow |
//! | `classic` | tests of the models: the classical programs with their published verdicts |
//! | `protocol` | the races of the protocol |
//! | `weaken` | each of its orderings made weaker |
//!

mod classic;
pub mod execution;
pub mod models;
pub mod program;
pub mod protocol;
pub mod relation;
pub mod weaken;

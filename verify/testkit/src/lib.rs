//! What everything that checks the library shares: there is one of each.
//!
//! | module | holds | `core` alone |
//! |---|---|---|
//! | `pattern` | contents that tell whether somebody else wrote into a buffer | yes |
//! | `random` | random numbers | yes |
//! | `choices` | where decisions come from: random numbers, or the bytes of a fuzzer | yes |
//! | `audit` | the check that all slots of a pool are home, each once | yes |
//! | `operations` | the table of all operations, and which executor leaves out which, and why | yes |
//! | `plant` | mistakes on purpose, which a check has to notice | |
//! | `heap` | a heap that counts, refuses and misaligns | |
//! | `memory` | pools in fresh memory | |
//! | `waker` | a waker that counts, and one that acts when it is cloned | |
//! | `model` | handles and pools beside a model of plain vectors | |
//!
//! The executors are apart, because each has a rule that the others break: a signal handler
//! allocates nothing, the model foretells every answer, a board has no heap, a model checker has
//! few steps.
#![cfg_attr(not(feature = "std"), no_std)]

mod audit;
mod choices;
#[cfg(feature = "std")]
mod heap;
#[cfg(feature = "std")]
mod memory;
#[cfg(feature = "std")]
pub mod model;
pub mod operations;
mod pattern;
#[cfg(feature = "std")]
mod plant;
mod random;
#[cfg(feature = "std")]
mod waker;

pub use audit::{assert_all_home, give_back, take_all};
pub use choices::{Choices, Program};
#[cfg(feature = "std")]
pub use heap::Heap;
#[cfg(feature = "std")]
pub use memory::{PoolMemory, fresh_pool, keep, leak};
pub use pattern::Pattern;
#[cfg(feature = "std")]
pub use pattern::{canary, check_canary};
#[cfg(feature = "std")]
pub use plant::{Mistake, mistake, planted};
pub use random::Random;
#[cfg(feature = "std")]
pub use waker::{Count, Task, block_on, waker_that_when_cloned};

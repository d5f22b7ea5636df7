//! A crate under the strictest lints declares places to wait: by a literal, a constant, or an
//! expression of its own.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unused, nonstandard_style)]

use tierpool::{Config, WaitError, Waiters};

const WAITERS: usize = 3;

tierpool::pool! { static ONE = [64 x 1], waiters = 1; }
tierpool::pool! { static SOME = [64 x 1], spill = 1, waiters = WAITERS, align = 4; }
tierpool::pool! { static MORE = default, waiters = 2 * WAITERS; }

/// Places for a pool that is made at run time.
pub static PLACES: Waiters<2> = Waiters::new();

/// A task.
pub async fn task() -> Result<usize, WaitError> {
    Ok(ONE.alloc_wait(64).await?.len() + SOME.alloc_wait(64).await?.len() + MORE.alloc_wait(1000).await?.len())
}

fn main() {
    const CONFIG: Config = Config::new(&[(64, 1)]).waiters(&PLACES);
    assert_eq!(CONFIG.check(), Ok(()));
    let _ = task();
}

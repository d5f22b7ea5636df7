//! A job on two cores at once.

use crate::board;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::*};

/// What core 1 is to run, null when it is idle.
static JOB: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static DONE: AtomicBool = AtomicBool::new(false);

/// Runs `job(0)` here and `job(1)` on the other core; returns when both have ended. Called on core
/// 0 alone.
pub fn run(job: fn(usize)) {
    DONE.store(false, Relaxed);
    JOB.store(job as *mut (), Release); // with the Acquire in `wait_for_jobs`: the job sees what came before
    job(0);
    // Acquire, with the Release in `wait_for_jobs`: what the job did is seen here.
    while !DONE.load(Acquire) {
        board::turn()
    }
}

pub(crate) fn wait_for_jobs() -> ! {
    loop {
        let job = JOB.load(Acquire);
        if job.is_null() {
            board::turn();
            continue;
        }
        // SAFETY: not null, so `run` made it from a `fn(usize)`.
        let job: fn(usize) = unsafe { core::mem::transmute(job) };
        job(1);
        JOB.store(core::ptr::null_mut(), Relaxed);
        DONE.store(true, Release);
    }
}

/// Whether core 1 still runs a job.
pub fn running() -> bool {
    !JOB.load(Acquire).is_null()
}

//! Ctrl-C: the command ends as at the end of its input, so that nothing is lost.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on, Ctrl-C is only noted.
pub fn on_ctrl_c() -> Result<()> {
    // Relaxed: the flag publishes nothing but itself.
    ctrlc::set_handler(|| STOP.store(true, Relaxed)).context("cannot wait for Ctrl-C")
}

/// True after Ctrl-C.
pub fn asked() -> bool {
    // Relaxed: as above.
    STOP.load(Relaxed)
}

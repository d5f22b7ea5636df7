//! What the heap does, line by line, for `tierpool record`: the feature `record`.
//!
//! ```text
//!   esp-alloc ──► its hooks ──► TraceRecorder ──► serial port ──► tierpool record
//! ```

use enumset::EnumSet;
use esp_alloc::{EspHeap, MemoryCapability};
use esp_println::Printer;
use tierpool::TraceRecorder;

/// Its lines go where the text of `println!` goes. `write_bytes` keeps one line whole: no other
/// core and no handler writes meanwhile.
static RECORDER: TraceRecorder = TraceRecorder::new(Printer::write_bytes);

/// After each allocation; `block` is 0 if it failed.
#[unsafe(no_mangle)]
extern "Rust" fn _esp_alloc_alloc(
    _heap: &EspHeap,
    _kind: EnumSet<MemoryCapability>,
    block: usize,
    bytes: usize,
) {
    RECORDER.allocated(block, bytes);
}

/// Before each free.
#[unsafe(no_mangle)]
extern "Rust" fn _esp_alloc_dealloc(_heap: &EspHeap, block: usize, _bytes: usize) {
    RECORDER.freed(block);
}

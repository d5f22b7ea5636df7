//! [`TraceAlloc`]: what a program allocates and frees, line by line, for `tierpool record`.
//!
//! ```text
//!   alloc    the allocator ──► number ──► line ──► sink
//!   dealloc  number ──► line ──► sink ──► the allocator
//!
//!   t95.1f a 0x3ffb1234 64     64 bytes were allocated at this address
//!    │  │  f 0x3ffb1234        it was freed
//!    │  │  r 0x3ffb1234 …      it has another size in the same place, or could not get it (`0x0`)
//!    │  └ number of the event, in hexadecimal: a gap is a line that was lost
//!    └ sum of the bytes behind the dot: a line that lost a part of itself
//! ```
//!
//! An event gets its number while the block belongs to the one who writes: after it was allocated,
//! before it is freed. So the events of one address have rising numbers, on any number of cores.
//! The lines may come out in another order, if a core or a handler overtakes. The reader sorts them
//! by their numbers.

use core::alloc::{GlobalAlloc, Layout};

use crate::interop::unwinding::without_unwinding;
use crate::protocol::atomics::{AtomicU32, Relaxed};

/// The most bytes of a line: `t`, sum, dot and number are 12, the letter and its space 2, two
/// addresses of 64 bits 38, a size 21, the line break 1.
const LONGEST: usize = 80;

/// Writes a line for each allocation and each free, through a sink. [`TraceAlloc`] calls it for a
/// global allocator. Call it from the hooks of any other heap.
///
/// The sink gets one whole line at a time, with its line break. It runs wherever memory is
/// allocated or freed, also in interrupt handlers, and on both cores at once. So it must not
/// allocate, and it must not wait for a lock that is held while somebody allocates. If it panics,
/// the program stops, because an allocator must not unwind. It may drop a line that it cannot send:
/// the reader says what is lost. If it lets two lines run into each other, both are lost.
///
/// With esp-alloc, turn on its feature `alloc-hooks`, and define its hooks in the program:
///
/// ```
/// # #[cfg(feature = "esp-alloc")] {
/// use enumset::EnumSet; // `enumset = "1"`
/// use esp_alloc::{EspHeap, MemoryCapability};
/// use tierpool::TraceRecorder;
///
/// static RECORDER: TraceRecorder = TraceRecorder::new(sink);
///
/// fn sink(line: &[u8]) {
///     // For example: `esp_println::Printer::write_bytes(line)`.
///     # let _ = line;
/// }
///
/// #[unsafe(no_mangle)]
/// extern "Rust" fn _esp_alloc_alloc(
///     _: &EspHeap,
///     _: EnumSet<MemoryCapability>,
///     block: usize,
///     bytes: usize,
/// ) {
///     RECORDER.allocated(block, bytes);
/// }
///
/// #[unsafe(no_mangle)]
/// extern "Rust" fn _esp_alloc_dealloc(_: &EspHeap, block: usize, _bytes: usize) {
///     RECORDER.freed(block); // esp-alloc calls it before the block is free
/// }
/// # _esp_alloc_dealloc(&esp_alloc::HEAP, 0, 0);
/// # }
/// ```
#[derive(Debug)]
pub struct TraceRecorder {
    /// The number of the next event.
    next: AtomicU32,
    sink: fn(&[u8]),
}

impl TraceRecorder {
    /// A recorder that has written nothing.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// static RECORDER: tierpool::TraceRecorder = tierpool::TraceRecorder::new(|line| {
    ///     let _ = line; // to a serial port
    /// });
    /// ```
    pub const fn new(sink: fn(&[u8])) -> Self {
        TraceRecorder { next: AtomicU32::new(0), sink }
    }

    /// Writes that `bytes` bytes were allocated at `block`, or that this failed, if `block` is 0.
    /// Call it after the heap has handed out the block.
    ///
    /// Interrupt handler: yes, if the sink may run there. Cost: one atomic addition, and the sink.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// static LINES: Mutex<String> = Mutex::new(String::new());
    /// static RECORDER: tierpool::TraceRecorder = tierpool::TraceRecorder::new(|line| {
    ///     LINES.lock().unwrap().push_str(str::from_utf8(line).unwrap());
    /// });
    /// RECORDER.allocated(0x3ffb_1234, 64);
    /// RECORDER.freed(0x3ffb_1234);
    /// assert_eq!(*LINES.lock().unwrap(), "t2e.0 a 0x3ffb1234 64\ntaa.1 f 0x3ffb1234\n");
    /// ```
    pub fn allocated(&self, block: usize, bytes: usize) {
        let number = self.number();
        self.write(number, b'a', &[block], Some(bytes));
    }

    /// Writes that the block is freed. Call it before the heap gets the block back. Writes nothing
    /// if `block` is 0.
    ///
    /// Interrupt handler: yes, if the sink may run there. Cost: one atomic addition, and the sink.
    ///
    /// ```
    /// # static RECORDER: tierpool::TraceRecorder = tierpool::TraceRecorder::new(|_| ());
    /// RECORDER.freed(0x3ffb_1234);
    /// ```
    pub fn freed(&self, block: usize) {
        if block != 0 {
            let number = self.number();
            self.write(number, b'f', &[block], None);
        }
    }

    /// Writes that the block was resized to `bytes` bytes, under a number that was taken before.
    /// Other contexts may have had the old block since then, if it has moved.
    fn resized(&self, number: u32, block: usize, new: usize, bytes: usize) {
        if new == block || new == 0 {
            self.write(number, b'r', &[block, new], Some(bytes));
        } else {
            self.write(number, b'f', &[block], None);
            self.allocated(new, bytes);
        }
    }

    /// The number of the next event.
    fn number(&self) -> u32 {
        // Relaxed: the numbers of one word rise in the order of its changes. If one event of a
        // block happens before another, because the heap has passed the block on, so do their
        // additions.
        self.next.fetch_add(1, Relaxed)
    }

    /// Hands a line to the sink.
    fn write(&self, number: u32, letter: u8, blocks: &[usize], bytes: Option<usize>) {
        let mut line = Line { bytes: [0; LONGEST], start: LONGEST, sum: 0 };
        line.byte(b'\n');
        line.sum = 0;
        if let Some(bytes) = bytes {
            line.decimal(bytes);
            line.byte(b' ');
        }
        for &block in blocks.iter().rev() {
            line.hexadecimal(block);
            line.text(b" 0x");
        }
        line.byte(letter);
        line.byte(b' ');
        line.hexadecimal(number as usize);
        let sum = line.sum;
        line.byte(b'.');
        line.digit(sum % 16);
        line.digit(sum / 16);
        line.byte(b't');
        without_unwinding(|| (self.sink)(line.bytes.get(line.start..).unwrap_or_default()));
    }
}

/// A line that is written from its end to its start, so that numbers need no second pass.
struct Line {
    bytes: [u8; LONGEST],
    /// The bytes from here on are written.
    start: usize,
    /// The sum of the bytes that are written, modulo 256.
    sum: u8,
}

impl Line {
    /// Puts a byte in front. A line that is full stays as it is, which no line is.
    fn byte(&mut self, byte: u8) {
        let start = self.start.wrapping_sub(1);
        if let Some(place) = self.bytes.get_mut(start) {
            *place = byte;
            self.start = start;
            self.sum = self.sum.wrapping_add(byte);
        }
    }

    /// Puts a text in front.
    fn text(&mut self, text: &[u8]) {
        text.iter().rev().for_each(|&byte| self.byte(byte));
    }

    /// Puts a digit in front: 0 to 15.
    fn digit(&mut self, digit: u8) {
        self.byte(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit });
    }

    fn hexadecimal(&mut self, mut number: usize) {
        loop {
            self.digit((number % 16) as u8);
            number /= 16;
            if number == 0 {
                return;
            }
        }
    }

    fn decimal(&mut self, mut number: usize) {
        loop {
            self.digit((number % 10) as u8);
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }
}

/// A global allocator that is another one, and writes down what that one does: for `tierpool
/// record`, which saves the lines as a trace, and `tierpool fit`, which finds the tiers for it.
///
/// ```
/// use std::alloc::System; // in firmware: its heap, such as `esp_alloc::EspHeap`
/// use tierpool::TraceAlloc;
///
/// #[global_allocator]
/// static HEAP: TraceAlloc<System> = TraceAlloc::new(System, sink);
///
/// /// Sends one line, on whatever there is: a serial port, RTT, USB.
/// fn sink(line: &[u8]) {
///     // For example: `esp_println::Printer::write_bytes(line)`.
///     # let _ = line;
/// }
///
/// let name = String::from("node 7"); // t61.1f a 0x3ffb1234 6
/// drop(name); // tdb.20 f 0x3ffb1234
/// ```
///
/// What the sink must keep to is said at [`TraceRecorder`].
///
/// # In an interrupt handler
/// It may be used there if the other allocator and the sink may.
///
/// # Cost
/// One atomic addition for each call, about forty bytes for the sink to send, and 80 bytes of
/// stack. No memory is allocated and no lock is taken.
///
/// # What is written
/// A block that moves is written as a free and an allocation, because other contexts may have its
/// old place before the call returns. A block that stays where it is, but has another size, is a
/// line `r`. An allocation that fails is written with the address `0x0`.
#[derive(Debug)]
pub struct TraceAlloc<A> {
    inner: A,
    recorder: TraceRecorder,
}

impl<A> TraceAlloc<A> {
    /// Takes all memory from `inner`, and writes its lines to `sink`. The rules for a sink are
    /// those of [`TraceRecorder`].
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use std::alloc::System;
    /// static HEAP: tierpool::TraceAlloc<System> = tierpool::TraceAlloc::new(System, |_| ());
    /// ```
    pub const fn new(inner: A, sink: fn(&[u8])) -> Self {
        TraceAlloc { inner, recorder: TraceRecorder::new(sink) }
    }

    /// The allocator that the memory comes from.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use std::alloc::System;
    /// # static HEAP: tierpool::TraceAlloc<System> = tierpool::TraceAlloc::new(System, |_| ());
    /// let _: &System = HEAP.inner(); // such as to add memory to it, or for its statistics
    /// ```
    pub const fn inner(&self) -> &A {
        &self.inner
    }
}

// SAFETY: every block is the inner allocator's, which gets each call with the arguments of the
// caller, so the contracts of both are the same. Nothing here unwinds: a sink that panics stops the
// program.
unsafe impl<A: GlobalAlloc> GlobalAlloc for TraceAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises it.
        let block = unsafe { self.inner.alloc(layout) };
        self.recorder.allocated(block.addr(), layout.size());
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises it.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        self.recorder.allocated(block.addr(), layout.size());
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.recorder.freed(block.addr());
        // SAFETY: the caller promises it.
        unsafe { self.inner.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        let number = self.recorder.number();
        // SAFETY: the caller promises it.
        let new = unsafe { self.inner.realloc(block, layout, bytes) };
        self.recorder.resized(number, block.addr(), new.addr(), bytes);
        new
    }
}

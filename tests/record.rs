//! `TraceAlloc`: its lines are a trace of what the allocator did, on any number of threads.
#![cfg(feature = "record")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::thread;
use tierpool::{TraceAlloc, TraceRecorder};
use tierpool_traces::log::{self, Skipped};

// ---- the allocator of this whole test

/// What the sink has room for: nothing is allocated in it.
const ROOM: usize = if cfg!(miri) { 1 << 18 } else { 8 << 20 };
static SENT: [AtomicU8; ROOM] = [const { AtomicU8::new(0) }; ROOM];
static END: AtomicUsize = AtomicUsize::new(0);
static FULL: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static HEAP: TraceAlloc<System> = TraceAlloc::new(System, send);

/// Lines of several threads lie one behind the other, each whole.
fn send(line: &[u8]) {
    let start = END.fetch_add(line.len(), Relaxed);
    if start + line.len() > ROOM {
        return FULL.store(true, Relaxed);
    }
    line.iter().zip(&SENT[start..]).for_each(|(byte, place)| place.store(*byte, Relaxed));
}

/// What was sent, up to a moment when no thread but this one runs.
fn sent() -> Vec<u8> {
    let mut sent = Vec::with_capacity(ROOM);
    sent.extend(SENT[..END.load(Relaxed).min(ROOM)].iter().map(|byte| byte.load(Relaxed)));
    sent
}

/// Threads pass blocks on, and get the addresses of others. The lines of all are one trace, in
/// which no block is allocated where one lives.
#[test]
#[cfg_attr(miri, ignore = "thousands of blocks")]
fn threads_write_one_trace() {
    thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::sync_channel::<Vec<u8>>(4);
        for thread in 0..3 {
            let send = send.clone();
            scope.spawn(move || {
                for round in 0..1000 {
                    let mut block = vec![thread; 16 + round % 40];
                    block.resize(100 + round, 0);
                    send.send(block).unwrap();
                }
            });
        }
        drop(send);
        scope.spawn(move || {
            while let Ok(mut block) = receive.recv() {
                block.truncate(8);
                block.shrink_to_fit();
            }
        });
    });
    let log = log::read(&sent()).unwrap();
    assert!(!FULL.load(Relaxed), "more room");
    assert!(log.trace.events().len() > 12_000, "{}", log.trace.events().len());
    // Other threads of the harness may be between a number and its line, at the very end.
    let (unfinished, wrong): (Vec<&Skipped>, Vec<&Skipped>) = log
        .skipped
        .iter()
        .partition(|it| ["events lost on the wire", "lines that are no event"].contains(&it.what));
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(unfinished.iter().all(|it| it.count < 10), "{unfinished:?}");
}

// ---- single calls

static LINES: Mutex<String> = Mutex::new(String::new());

fn remember(line: &[u8]) {
    LINES.lock().unwrap().push_str(str::from_utf8(line).unwrap());
}

/// A heap whose blocks lie where the test says. As soon as it has a block back, another core or a
/// handler may take it: before the call that freed it returns.
struct Scripted {
    next: AtomicUsize,
    /// Takes the block that has come back.
    thief: Option<fn()>,
}

impl Scripted {
    const fn new(thief: Option<fn()>) -> Self {
        Scripted { next: AtomicUsize::new(0), thief }
    }

    fn came_back(&self, block: *mut u8) {
        let next = self.next.swap(block.addr(), Relaxed);
        if let Some(thief) = self.thief {
            thief();
        }
        self.next.store(next, Relaxed);
    }
}

// SAFETY: nothing uses its blocks.
unsafe impl GlobalAlloc for Scripted {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        std::ptr::without_provenance_mut(self.next.load(Relaxed))
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as that.
        unsafe { self.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        self.came_back(block);
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, _: usize) -> *mut u8 {
        // SAFETY: as that.
        let new = unsafe { self.alloc(layout) };
        if new != block {
            self.came_back(block);
        }
        new
    }
}

const LAYOUT: Layout = Layout::new::<[u64; 8]>();

/// A block that somebody else has before the free returns: in the order of the numbers it is freed
/// first, and the trace has no block where one lives.
#[test]
fn a_block_that_is_taken_at_once() {
    static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static HEAP: TraceAlloc<Scripted> = TraceAlloc::new(Scripted::new(Some(steal)), |line| {
        LINES.lock().unwrap().extend(line);
    });
    fn steal() {
        // SAFETY: of a block that nobody uses.
        unsafe { HEAP.alloc(LAYOUT) };
    }
    HEAP.inner().next.store(0x1000, Relaxed);
    // SAFETY: of blocks that nobody uses.
    unsafe {
        let block = HEAP.alloc(LAYOUT);
        HEAP.dealloc(block, LAYOUT);
        HEAP.inner().next.store(0x2000, Relaxed);
        HEAP.realloc(block, LAYOUT, 100);
    }
    let log = log::read(&LINES.lock().unwrap()).unwrap();
    assert_eq!(log.skipped, [], "{}", log.trace);
    assert_eq!(log.trace.to_string(), "a 0 64\nf 0\na 0 64\nf 0\na 0 64\na 1 100\n");
}

/// The events without what stands in front of them, which the sums and numbers of the other tests
/// check.
fn events() -> Vec<String> {
    let lines = std::mem::take(&mut *LINES.lock().unwrap());
    lines.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn each_call_is_its_lines() {
    static HEAP: TraceAlloc<Scripted> = TraceAlloc::new(Scripted::new(None), remember);
    let layout = LAYOUT;
    let at = |address| HEAP.inner().next.store(address, Relaxed);
    // SAFETY: of blocks that nobody uses.
    unsafe {
        at(0x1000);
        let block = HEAP.alloc(layout);
        assert_eq!(block.addr(), 0x1000);
        assert_eq!(HEAP.realloc(block, layout, 80), block);
        at(0);
        assert!(HEAP.realloc(block, layout, 99).is_null());
        at(usize::MAX - 15);
        let moved = HEAP.realloc(block, layout, 100);
        HEAP.dealloc(moved, layout);
        at(0);
        assert!(HEAP.alloc_zeroed(layout).is_null());
        HEAP.dealloc(std::ptr::null_mut(), layout);
    }
    let last = format!("{:#x}", usize::MAX - 15);
    assert_eq!(
        events(),
        [
            "a 0x1000 64".to_owned(),
            "r 0x1000 0x1000 80".into(),
            "r 0x1000 0x0 99".into(),
            "f 0x1000".into(),
            format!("a {last} 100"),
            format!("f {last}"),
            "a 0x0 64".into(),
        ]
    );
}

/// The longest line has room, and every line is read back with its number and sum.
#[test]
fn the_longest_line_is_whole() {
    static LINES: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    static RECORDER: TraceRecorder =
        TraceRecorder::new(|line| LINES.lock().unwrap().push(line.to_vec()));
    RECORDER.allocated(usize::MAX, usize::MAX);
    RECORDER.freed(0);
    RECORDER.freed(usize::MAX);
    let mut numbers = BTreeMap::new();
    for line in LINES.lock().unwrap().iter() {
        let text = str::from_utf8(line).unwrap().strip_suffix('\n').unwrap();
        let (sum, rest) = text.strip_prefix('t').unwrap().split_once('.').unwrap();
        let all = rest.bytes().fold(0_u8, u8::wrapping_add);
        assert_eq!(u8::from_str_radix(sum, 16), Ok(all), "{text}");
        let (number, event) = rest.split_once(' ').unwrap();
        numbers.insert(number.to_owned(), event.to_owned());
    }
    let all = format!("{:#x}", usize::MAX);
    let of = |number: &str| numbers[number].as_str();
    assert_eq!(of("0"), format!("a {all} {}", usize::MAX));
    assert_eq!(of("1"), format!("f {all}"));
    assert_eq!(numbers.len(), 2);
}

//! A user's packet.
//!
//! ```text
//!   allocate 500 ─► fill 200 ─► freeze ─► packet ─┬─ clone ─ a
//!                                                 ├─ clone ─ b ──┐ ring, where there
//!                                                 └─ clone ─ c ──┤ are two threads
//!                                    write to c: copies ─────────┘
//!   drop packet and a here; b and c here, or on the other thread
//! ```
//!
//! The floor is ten compare-and-swaps, the read-modify-writes that a counted pool makes of it: two
//! allocations, three clones, four shared drops less one that finds itself alone, two frees. The
//! ring is the same for all; its own cost is shown.

use crate::opaque::opaque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use crate::candidates::packets::{self, Packets};
use crate::candidates::{Candidate, Kind};
use crate::questions::{Effort, costs, over};
use crate::record::{Mark, Output, Record};
use crate::round::Column;
use crate::switch::Heap;
use crate::team::{Done, Work};

pub const NAME: &str = "packet";
pub const RING: &str = "the ring alone";

const SWAPS: f64 = 10.0;
/// Messages in one direction.
const ROOM: usize = 32;

pub fn ask(output: &mut Output<'_>, effort: &Effort) -> anyhow::Result<()> {
    let ahead = |columns: &[Column], setting, name, other| {
        let mark = format!("{setting}: {name} ÷ {other}");
        Mark::new(NAME, mark, 1.0, over(columns, name, other))
    };
    let alone = costs(output, effort, NAME, 1, &one_thread(), SWAPS)?;
    let shared = costs(output, effort, NAME, 2, &two_threads(), SWAPS)?;
    let (one, two) = ("1 thread", "2 threads, half of the drops on the other");
    for mark in [
        ahead(&alone, one, packets::HANDLES, packets::BYTES_MIMALLOC),
        ahead(&alone, one, packets::HANDLES, packets::BYTES_GLIBC),
        ahead(&shared, two, packets::CACHED, packets::BYTES_MIMALLOC),
        ahead(&shared, two, packets::HANDLES_2_LANES, packets::BYTES_MIMALLOC),
        ahead(&shared, two, packets::HANDLES_2_LANES, packets::BYTES_GLIBC),
    ] {
        output.line(&Record::Mark(mark))?;
    }
    Ok(())
}

pub fn one_thread() -> Vec<Candidate> {
    packets::all(&OneThread)
}

pub fn two_threads() -> Vec<Candidate> {
    let mut all = packets::all(&TwoThreads);
    let exchange = Exchange::new();
    all.push(Candidate::new(RING, Kind::Beside, move |work| {
        exchange.work(work, || (1u64, 2u64), |message| _ = opaque(message))
    }));
    all
}

struct OneThread;

impl packets::Driver for OneThread {
    fn candidate<P: Packets>(&self, name: &'static str, kind: Kind, heap: Heap) -> Candidate {
        let work = |work: &Work<'_>| {
            let mut packets = P::new();
            work.repeat(|| {
                let [packet, a, b, c] = made(&mut packets);
                packets.free(packet);
                packets.free(a);
                packets.free(b);
                packets.free(c);
            })
        };
        Candidate::new(name, kind, work).on(heap)
    }
}

struct TwoThreads;

impl packets::Driver for TwoThreads {
    fn candidate<P: Packets>(&self, name: &'static str, kind: Kind, heap: Heap) -> Candidate {
        let exchange = Exchange::new();
        let work = move |work: &Work<'_>| {
            let packets = std::cell::RefCell::new(P::new());
            let send = || {
                let packets = &mut *packets.borrow_mut();
                let [packet, a, b, c] = made(packets);
                packets.free(packet);
                packets.free(a);
                (b, c)
            };
            let receive = |(b, c)| {
                let packets = &mut *packets.borrow_mut();
                packets.free(b);
                packets.free(c);
            };
            exchange.work(work, send, receive)
        };
        Candidate::new(name, kind, work).on(heap)
    }
}

/// The packet and its three clones, the last of them written to.
#[inline(always)]
fn made<P: Packets>(packets: &mut P) -> [P::Packet; 4] {
    let packet = opaque(packets.fill());
    let a = opaque(P::share(&packet));
    let b = opaque(P::share(&packet));
    let c = opaque(P::share(&packet));
    let c = opaque(packets.write(c));
    [packet, a, b, c]
}

/// Two rings between two threads.
struct Exchange<M> {
    ends: [Mutex<End<M>>; 2],
    finished: AtomicUsize,
}

struct End<M> {
    to: Producer<M>,
    from: Consumer<M>,
}

impl<M: Send> Exchange<M> {
    fn new() -> Exchange<M> {
        let ((to_b, from_a), (to_a, from_b)) = (RingBuffer::new(ROOM), RingBuffer::new(ROOM));
        let ends = [End { to: to_b, from: from_b }, End { to: to_a, from: from_a }];
        Exchange { ends: ends.map(Mutex::new), finished: AtomicUsize::new(0) }
    }

    /// Sends one message and receives one, again and again; then receives what is left.
    #[inline(always)]
    fn work(&self, work: &Work<'_>, send: impl Fn() -> M, receive: impl Fn(M)) -> Done {
        let mut end = self.ends[work.thread].lock().expect("an end for each thread");
        let End { to, from } = &mut *end;
        // Before the gate that `repeat` begins with, so before anybody finishes.
        self.finished.store(0, Release);
        let done = work.repeat(|| {
            let mut message = send();
            while let Err(PushError::Full(back)) = to.push(message) {
                message = back;
                match from.pop() {
                    Ok(message) => receive(message),
                    Err(_) => std::hint::spin_loop(),
                }
            }
            if let Ok(message) = from.pop() {
                receive(message);
            }
        });
        // AcqRel, Acquire: what a thread has sent before it finished, the other one sees.
        self.finished.fetch_add(1, AcqRel);
        loop {
            let last = self.finished.load(Acquire) == work.threads;
            while let Ok(message) = from.pop() {
                receive(message);
            }
            if last {
                return done;
            }
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::team::Team;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    #[test]
    fn every_message_arrives() {
        let (exchange, sent, received) =
            (Exchange::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let team = Team::new(2).unwrap();
        for _ in 0..3 {
            team.run(Duration::from_micros(200), |work| {
                exchange.work(
                    work,
                    || sent.fetch_add(1, Relaxed),
                    |_| _ = received.fetch_add(1, Relaxed),
                )
            });
            assert_eq!(sent.load(Relaxed), received.load(Relaxed));
        }
        assert!(sent.load(Relaxed) > 0);
    }
}

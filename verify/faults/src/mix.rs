//! All operations of `tierpool`, mixed at random, on pools that every context shares.
//!
//! ```text
//!   step ─► one of the operations below ─► what it leaves over:  kept for later, or mailed to another context,
//!                                                                where it is checked, shared on, and dropped
//! ```
//!
//! | pool | what it is there for |
//! |---|---|
//! | `PLENTY` | more slots than all contexts hold at once: a request that fails is an error |
//! | `SCARCE` | spills, wipes, runs empty |
//! | `WAKING` | its hook reads what the waiter has written, by plain accesses |
//! | `QUEUED` | tasks wait for its slots |
//! | `LATER`, `NOW` | a heap behind them: last drops are deferred, or free at once |
//! | `OBJECTS` | typed values |
//!
//! Every buffer is full of its canary from the moment somebody has it. Steps on the handles of one
//! buffer are in `edit`.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tierpool::{Bytes, BytesMut, ObjectPool, Pool, PoolCache, RecyclePool};
use tierpool_testkit::{Choices, Heap, Pattern, Random, assert_all_home};

use crate::mailbox::Mailbox;
use crate::task::{self, Task};

tierpool::pool! { pub(crate) static PLENTY = [32 x 200, 96 x 200]; }
tierpool::pool! { static SCARCE = [32 x 2, 64 x 3], spill = 1, zero_on_free = true; }
tierpool::pool! { static WAKING = [64 x 2], on_free = woken; }
tierpool::pool! { static QUEUED = [64 x 2], waiters = 8; }
tierpool::pool! { static LATER = [64 x 2], fallback = &FREES_LATER; }
tierpool::pool! { static NOW = [64 x 2], fallback = &FREES_NOW; }
static OBJECTS: ObjectPool<[u64; 8], 4> = ObjectPool::new();
static RECYCLED: RecyclePool<[u64; 8], 2, 2> = RecyclePool::with_waiters([[0; 8]; 2]);
// Exactly what is asked for: sanitizers watch what lies beside. Buffers of a heap that frees at
// once are dropped by threads alone, never in a signal handler.
static FREES_LATER: Heap<false, false> = Heap::exact();
static FREES_NOW: Heap<true, false> = Heap::exact();

static MAIL: [Mailbox<Kept>; 8] = [const { Mailbox::new() }; 8];

/// Bytes, and what they must be.
pub struct Kept {
    pattern: Pattern,
    bytes: Bytes,
}

impl Kept {
    pub(crate) fn check(&self) {
        self.pattern.check(&self.bytes);
    }
}

/// What a context may do beside the pools' own slots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heaps {
    /// Drops buffers of `LATER`, and does nothing else with a heap: for signal handlers, and for
    /// threads that may be suspended for ever, since a heap has locks.
    None,
    /// Allocates from `LATER`: what it interrupts, or what interrupts it, must not allocate.
    Deferred,
    /// Allocates from `NOW`, too, and mails such buffers: whoever drops one enters the heap.
    All,
}

/// One context.
pub struct Mix {
    pub(crate) random: Random,
    heaps: Heaps,
    waiter: bool,
    /// Its batches are of three slots: a chain with a first, a middle and a last one.
    cache: PoolCache<5, 4>,
    kept: [Option<Kept>; 4],
    /// Until the context ends.
    task: Option<Task>,
}

impl Mix {
    /// Number 0 is the one that waits for slots of `WAKING`.
    pub fn new(number: usize, heaps: Heaps) -> Self {
        Mix {
            random: Random::new(number as u64),
            heaps,
            waiter: number == 0,
            cache: PoolCache::new(&PLENTY),
            kept: Default::default(),
            task: Some(Task::new(&QUEUED)),
        }
    }

    /// One operation or a few.
    pub fn step(&mut self) {
        let seed = self.random.u64();
        match self.random.below(25) {
            0..=2 => self.share(seed),
            3 | 4 => self.copy_on_write(seed),
            5 => self.raw(seed),
            6 => self.parts(seed),
            7 => self.grow(seed),
            8..=10 => self.cached(seed),
            11 => self.scarce(seed),
            12 => self.wait(seed),
            13 => self.wait_as_a_task(seed),
            14 => self.object(seed),
            15 => self.heap(seed),
            16 => self.make(seed),
            17 => self.edit(seed),
            18 => self.make_room(seed),
            19 => self.views(seed),
            20 => self.convert(seed),
            21 => self.halves(seed),
            22 => self.look(),
            23 => self.chain(seed),
            _ => self.mail(),
        }
    }

    pub(crate) fn plenty(&self, size: usize) -> BytesMut {
        PLENTY.alloc(size).expect("more slots than all contexts hold")
    }

    /// Keeps bytes in place of others, which are dropped here.
    pub(crate) fn keep(&mut self, pattern: Pattern, bytes: Bytes) {
        let place = self.random.below(self.kept.len());
        if let Some(old) = self.kept[place].replace(Kept { pattern, bytes }) {
            old.check();
        }
    }

    fn share(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let bytes = filled(self.plenty(32), pattern).freeze();
        let clone = bytes.clone();
        pattern.check(&clone);
        drop(bytes);
        self.keep(pattern, clone);
    }

    fn copy_on_write(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let Some(mut kept) = self.kept[self.random.below(self.kept.len())].take() else { return };
        kept.check();
        let before = Kept { pattern: kept.pattern, bytes: kept.bytes.clone() };
        let _before = match self.random.below(3) {
            0 => None, // it may be the only one
            1 => MAIL[self.random.below(MAIL.len())].put(before).err(),
            _ => Some(before),
        };
        if let Ok(writable) = kept.bytes.make_mut_in(&PLENTY) {
            pattern.fill(writable);
            kept.pattern = pattern;
        }
        self.keep(kept.pattern, kept.bytes);
    }

    fn raw(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let layout = Layout::new::<[u64; 8]>();
        let slot = PLENTY.allocate(layout).expect("more slots than all contexts hold");
        // SAFETY: the slot is ours, and as long as it says.
        let bytes = unsafe { std::slice::from_raw_parts_mut(slot.as_ptr().cast::<u8>(), 64) };
        pattern.fill(bytes);
        pattern.check(bytes);
        let slot = slot.cast();
        // SAFETY: allocated with this layout, given up once, and not used after it.
        unsafe {
            match seed % 3 {
                0 => PLENTY.deallocate(slot).expect("a slot of this pool"),
                1 => PLENTY.deallocate_sized(slot, layout),
                _ => drop(PLENTY.from_raw(slot).expect("a slot of this pool")),
            }
        }
    }

    fn parts(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut bytes = filled(self.plenty(96), pattern).freeze();
        let front = bytes.split_to(48).expect("it is 96 long");
        let middle = bytes.slice(16..32).expect("48 are left");
        pattern.check(&front);
        pattern.moved(64).check(&middle);
        drop(bytes);
        self.keep(pattern, front);
        if let Ok(buffer) = middle.try_into_mut() {
            pattern.moved(64).check(&buffer);
        }
    }

    fn grow(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut buffer =
            PLENTY.alloc_with_headroom(8, 16).expect("more slots than all contexts hold");
        buffer.extend_from_slice(&[0; 16]).expect("it fits");
        pattern.fill(&mut buffer);
        let mut front = [0; 8];
        pattern.moved(-8).fill(&mut front);
        buffer.prepend(&front).expect("there is headroom");
        buffer.resize(80, 0).expect("more slots than all contexts hold");
        pattern.moved(-8).check(&buffer[..24]);
        pattern.fill(&mut buffer);
        self.keep(pattern, buffer.freeze());
    }

    fn cached(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let size = if seed.is_multiple_of(2) { 32 } else { 96 };
        let buffer = match seed % 6 {
            0 | 3 => self.cache.alloc_pooled(size),
            1 => self.cache.alloc_with_headroom(8, size - 8),
            2 => self.cache.zeroed(size),
            4 => self.cache.copy_from_slice(&[1; 96][..size]),
            _ => self.cache.alloc(size),
        };
        let mut buffer = buffer.expect("more slots than all contexts hold");
        buffer.clear();
        let bytes = filled(buffer, pattern).freeze();
        if seed.is_multiple_of(8) {
            self.keep(pattern, bytes.clone());
        }
        pattern.check(&bytes);
        self.cache.recycle(bytes);
        if seed.is_multiple_of(64) {
            self.cache.flush();
        } else if seed.is_multiple_of(32) {
            self.cache.report();
        }
    }

    fn scarce(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let Ok(mut buffer) = SCARCE.alloc_pooled(32) else { return };
        // SAFETY: all slots have been written to by `set_up`.
        let wiped =
            buffer.spare_capacity_mut().iter().all(|byte| unsafe { byte.assume_init_read() } == 0);
        assert!(wiped, "a slot was granted that is not wiped");
        let bytes = filled(buffer, pattern).freeze();
        let _ = MAIL[self.random.below(MAIL.len())].put(Kept { pattern, bytes: bytes.clone() });
        pattern.check(&bytes);
    }

    fn wait(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        match WAKING.alloc(64) {
            Ok(buffer) => self.keep(pattern, filled(buffer, pattern).freeze()),
            Err(_) if self.waiter => wait_for_waking(),
            Err(_) => {}
        }
    }

    fn wait_as_a_task(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let Some(task) = &mut self.task else { return };
        if seed.is_multiple_of(8) {
            task.cancel();
        } else if let Some(buffer) = task.poll(64, seed % 8 == 1) {
            self.keep(pattern, filled(buffer, pattern).freeze());
        }
    }

    fn object(&mut self, seed: u64) {
        let value = if seed.is_multiple_of(4) {
            // Polled once: a wait that begins, and is given up.
            let cx = &mut Context::from_waker(Waker::noop());
            match pin!(RECYCLED.request_wait()).poll(cx) {
                Poll::Ready(value) => value.ok(),
                Poll::Pending => None,
            }
        } else {
            RECYCLED.request()
        };
        if let Some(mut value) = value {
            assert!(value.iter().all(|word| *word == value[0]), "two owners of a value");
            value.fill(seed);
        }
        let made = match seed % 3 {
            0 => OBJECTS.alloc([seed; 8]).ok(),
            1 => OBJECTS.alloc_with(|| [seed; 8]).ok(),
            _ => OBJECTS.alloc_uninit().map(|mut slot| {
                MaybeUninit::write(&mut slot, [seed; 8]);
                // SAFETY: it has just been written.
                unsafe { slot.assume_init() }
            }),
        };
        let Some(mut object) = made else { return };
        assert!(*object == [seed; 8], "two owners of an object");
        object[seed as usize % 8] = 1;
        if seed.is_multiple_of(4) {
            object.into_inner();
        } else if seed.is_multiple_of(2) {
            let mut shared = object.share();
            let other = shared.clone();
            assert!(shared.get_mut().is_none(), "two handles");
            drop(other);
            *shared.get_mut().expect("the only handle") = [seed; 8];
            let object = shared.try_unwrap().expect("the only handle");
            assert!(*object == [seed; 8], "two owners of an object");
        } else {
            let pointer = object.into_raw();
            // SAFETY: from `into_raw`, once.
            drop(unsafe { OBJECTS.from_raw(pointer) });
        }
    }

    fn heap(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let pool: &'static Pool = match self.heaps {
            Heaps::None => return,
            Heaps::All if seed.is_multiple_of(2) => &NOW,
            _ => &LATER,
        };
        let bytes =
            filled(pool.alloc(64 + seed as usize % 200 * 8).expect("there is a heap"), pattern)
                .freeze();
        let _ = MAIL[self.random.below(MAIL.len())].put(Kept { pattern, bytes: bytes.clone() });
        self.keep(pattern, bytes);
    }

    /// What the pools tell of themselves while others use them.
    fn look(&mut self) {
        let (stats, held) =
            (PLENTY.stats(), self.cache.alloc(32).expect("more slots than all contexts hold"));
        assert!(
            stats.exhausted() == 0
                && stats
                    .tiers()
                    .iter()
                    .all(|tier| tier.in_use <= tier.slots && tier.peak <= tier.slots)
        );
        assert!(held.is_pooled() && PLENTY.owns(held.as_ptr()) && !SCARCE.owns(held.as_ptr()));
        assert!(!PLENTY.is_idle(), "idle, but a buffer is held");
        if self.heaps != Heaps::None {
            LATER.reclaim();
        }
        self.cache.recycle(held);
    }

    fn mail(&mut self) {
        let place = &MAIL[self.random.below(MAIL.len())];
        if let Some(Kept { pattern, bytes }) = place.take() {
            self.keep(pattern, bytes);
        } else if let Some(kept) = self.kept[self.random.below(self.kept.len())].take() {
            let _ = place.put(kept);
        }
    }
}

impl Drop for Mix {
    fn drop(&mut self) {
        self.kept.iter().flatten().for_each(Kept::check);
        // Before the kept buffers go.
        self.task.take().into_iter().for_each(Task::leave);
    }
}

/// Once, before the first context: all slots of `SCARCE` are written to, so that those who get them
/// may read all of them.
pub fn set_up() {
    let slots: Vec<_> =
        std::iter::from_fn(|| SCARCE.alloc(64).or_else(|_| SCARCE.alloc(32)).ok()).collect();
    slots.into_iter().for_each(|slot| drop(filled(slot, Pattern::new(1))));
    assert!(SCARCE.stats().tiers().iter().all(|tier| tier.peak == tier.slots));
}

/// Panics if a buffer is out, or a wake-up lost. All contexts are gone.
pub fn all_home() {
    MAIL.iter().filter_map(Mailbox::take).for_each(|kept| kept.check());
    for pool in [&PLENTY, &SCARCE, &WAKING, &QUEUED, &LATER, &NOW] {
        assert_all_home(pool);
    }
    assert!(RECYCLED.is_idle(), "not all values are home: {:?}", RECYCLED.stats());
    assert!(OBJECTS.is_idle(), "not all objects are home: {:?}", OBJECTS.stats());
    assert_eq!(
        [FREES_LATER.outstanding(), FREES_NOW.outstanding()],
        [(0, 0); 2],
        "a heap misses memory"
    );
    assert!(!WAITING.load(Relaxed), "a waiter was not woken, although all slots are home");
    task::all_woken();
}

// ---- waking

/// A number that the waiter writes and the hook reads, with no synchronisation but the pool's.
struct Note(UnsafeCell<u64>);

// SAFETY: the waiter writes while WAITING is false, and the hook reads before it makes it so: the
// arming of the pool, and WAITING, order the two.
unsafe impl Sync for Note {}

static NOTE: Note = Note(UnsafeCell::new(0));
static WAITING: AtomicBool = AtomicBool::new(false);

/// Arms the pool unless that has been done and nobody has been woken since.
fn wait_for_waking() {
    // Acquire: pairs with the Release of the hook, which has read the note.
    if WAITING.load(Acquire) {
        return;
    }
    // SAFETY: the one waiter; no hook is under way.
    unsafe { *NOTE.0.get() = !*NOTE.0.get() };
    // Relaxed: the arming publishes it.
    WAITING.store(true, Relaxed);
    if !WAKING.arm_free_notify(64) {
        WAITING.store(false, Relaxed); // nothing was armed, so no hook comes
    }
}

fn woken(_: &'static Pool) {
    assert!(WAITING.load(Relaxed), "woken, and nobody waits");
    // SAFETY: the waiter has written it before it armed the pool, and writes again only once it is
    // woken.
    let note = unsafe { *NOTE.0.get() };
    assert!(note == 0 || note == !0);
    // Release: the note has been read.
    WAITING.store(false, Release);
}

/// The buffer, full to its last byte.
pub(crate) fn filled(mut buffer: BytesMut, pattern: Pattern) -> BytesMut {
    buffer.resize(buffer.capacity(), 0).expect("it fits");
    pattern.fill(&mut buffer);
    buffer
}

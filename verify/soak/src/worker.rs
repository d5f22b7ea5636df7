//! One thread's share: what it holds, and how it comes by more.

use crate::choices::Choices;
use crate::faults::Fault;
use crate::objects::Held;
use crate::operations::{self, OPERATIONS};
use crate::pattern::Place;
use crate::pools::{self, POOLS, Tested};
use crate::raw::Raw;
use crate::wait::Waiting;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender};
use tierpool::{Bytes, BytesMut, PoolCache};

/// The most that a worker holds of each kind.
const LIMIT: usize = 6;

/// A worker's cache of a pool. Its batches are of three slots: a chain with a first, a middle and a last one.
pub(crate) type Cache = PoolCache<5, 4>;

/// A buffer of its own, and what must be in it.
pub struct Owned {
    pub(crate) place: Place,
    pub(crate) buffer: BytesMut,
}

/// A buffer that others may hold, what must be in it, and where it begins. Never empty.
pub struct Shared {
    pub(crate) place: Place,
    pub(crate) bytes: Bytes,
    /// Address of the whole buffer.
    pub(crate) home: usize,
}

/// What goes from worker to worker.
pub enum Message {
    /// A buffer changes hands.
    Owned(Owned),
    /// A buffer is shared.
    Shared(Shared),
}

/// How often a worker has done what.
#[derive(Clone)]
pub struct Counts {
    /// As [`OPERATIONS`].
    pub operations: Vec<u64>,
    /// As [`Fault::NAMES`].
    pub faults: Vec<u64>,
    /// Requests and copies that found no memory.
    pub refused: u64,
}

impl Counts {
    /// Nothing yet.
    pub fn new() -> Counts {
        Counts { operations: vec![0; OPERATIONS.len()], faults: vec![0; Fault::NAMES.len()], refused: 0 }
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Counts) {
        self.operations.iter_mut().zip(&other.operations).for_each(|(sum, count)| *sum += count);
        self.faults.iter_mut().zip(&other.faults).for_each(|(sum, count)| *sum += count);
        self.refused += other.refused;
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self::new()
    }
}

/// What a worker holds while it stands still.
#[derive(Default)]
pub struct Holdings {
    /// Addresses of whole buffers, one for each handle.
    pub buffers: Vec<usize>,
    /// Free slots in caches, for each of [`POOLS`].
    pub cached: Vec<usize>,
    /// Objects in the object pool.
    pub objects: usize,
    /// Requests that wait and have not been woken: the number of the pool, and bytes.
    pub waiting: Vec<(usize, usize)>,
}

/// A bug on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plant {
    /// Forgets a slot.
    Slot,
    /// Forgets a buffer of a heap.
    Heap,
    /// Changes a byte of a buffer.
    Byte,
    /// Forgets an object.
    Object,
    /// Forgets a cache with slots in it.
    Cache,
    /// Tells of tasks that nobody woke.
    Wake,
    /// Writes to a slot after it was wiped and given back.
    Wipe,
}

/// One thread's share.
pub struct Worker {
    pub(crate) muts: Vec<Owned>,
    pub(crate) shared: Vec<Shared>,
    pub(crate) raws: Vec<Raw>,
    pub(crate) objects: Vec<Held>,
    pub(crate) caches: Vec<Cache>,
    /// For each pool, how often it had woken anybody when this worker last began to wait.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) waits: Vec<Option<u64>>,
    peers: Vec<SyncSender<Message>>,
    inbox: Receiver<Message>,
    counts: Counts,
    plant: Option<Plant>,
}

/// Seeds, each given once.
static SEEDS: AtomicU64 = AtomicU64::new(0);

/// Contents that nobody else has.
pub(crate) fn fresh() -> Place {
    // Far apart, so that no two buffers hold the same part of the sequence.
    Place { seed: SEEDS.fetch_add(1, Relaxed).wrapping_mul(0x1_0000_0001), at: 0 }
}

/// A slot that was just granted, of `whole` bytes, holds nothing but what its owner has written: zeros, in a pool that
/// wipes.
pub(crate) fn check_granted(home: usize, whole: usize, written: Range<usize>) {
    if let Some(tested) = pools::owner(home)
        && tested.wipes
    {
        // SAFETY: the slot is the caller's, and all memory of a pool under test was zero at first.
        let slot = unsafe { std::slice::from_raw_parts(home as *const u8, whole) };
        let rest = slot[..written.start].iter().chain(&slot[written.end..]);
        assert!(rest.copied().all(|byte| byte == 0), "{}: a slot was granted that is not wiped", tested.name);
    }
}

/// One of them, taken out.
pub(crate) fn take<T>(list: &mut Vec<T>, choices: &mut dyn Choices) -> Option<T> {
    if list.is_empty() { None } else { Some(list.swap_remove(choices.below(list.len()))) }
}

impl Owned {
    pub(crate) fn check(&self) {
        self.place.check(&self.buffer);
    }

    /// Address of the whole buffer.
    pub(crate) fn home(&self) -> usize {
        self.buffer.as_ptr().addr() - self.buffer.headroom()
    }

    /// See [`check_granted`]: the buffer is in a slot that it was not in before.
    pub(crate) fn check_granted(&self) {
        let front = self.buffer.headroom();
        check_granted(self.home(), self.buffer.footprint(), front..front + self.buffer.len());
    }
}

impl Shared {
    pub(crate) fn check(&self) {
        self.place.check(&self.bytes);
    }
}

impl Worker {
    /// A worker that holds nothing. With `plant`, it does that at its first opportunity.
    pub fn new(peers: Vec<SyncSender<Message>>, inbox: Receiver<Message>, plant: Option<Plant>) -> Worker {
        let caches = POOLS.iter().map(|tested| PoolCache::new(tested.pool)).collect();
        let waits = vec![None; POOLS.len()];
        let (muts, shared, raws, objects, waiting) = Default::default();
        Worker { muts, shared, raws, objects, caches, waiting, waits, peers, inbox, counts: Counts::new(), plant }
    }

    /// Does one thing, then looks into the inbox and lets go of what is too much.
    pub fn step(&mut self, choices: &mut dyn Choices) {
        if let Some(done) = operations::step(self, choices) {
            self.counts.operations[done] += 1;
        }
        if self.plant.is_some() {
            self.do_harm();
        }
        while let Ok(message) = self.inbox.try_recv() {
            self.accept(message);
        }
        while self.muts.len() > LIMIT {
            self.drop_mut(choices);
        }
        while self.shared.len() > LIMIT {
            self.drop_shared(choices);
        }
        while self.raws.len() > LIMIT {
            self.deallocate(choices);
        }
        while self.objects.len() > LIMIT {
            self.object_drop(choices);
        }
    }

    /// What this worker holds, while all stand still: so what lies in its inbox, too.
    pub fn holdings(&mut self) -> Holdings {
        while let Ok(message) = self.inbox.try_recv() {
            self.accept(message);
        }
        self.muts.iter().for_each(Owned::check);
        self.shared.iter().for_each(Shared::check);
        self.raws.iter().for_each(Raw::check);
        let owned = self.muts.iter().filter(|owned| owned.buffer.footprint() > 0).map(Owned::home);
        let shared = self.shared.iter().map(|shared| shared.home);
        let raws = self.raws.iter().map(Raw::home);
        let buffers = owned.chain(shared).chain(raws).collect();
        let asleep = self.waiting.iter().filter(|waiting| !waiting.is_woken());
        let invented = if self.plant == Some(Plant::Wake) { POOLS.len() } else { 0 };
        Holdings {
            buffers,
            cached: self.caches.iter().map(PoolCache::cached).collect(),
            objects: self.objects.len(),
            waiting: asleep.map(|waiting| (waiting.pool, waiting.bytes())).chain((0..invented).map(|pool| (pool, 1))).collect(),
        }
    }

    /// What it has done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lets go of everything. The result is for [`check_woken`], once all workers have.
    pub fn finish(mut self) -> Waits {
        self.shed();
        Waits { hooks: self.waits, futures: self.waiting }
    }

    /// Gives back all that it holds.
    pub(crate) fn shed(&mut self) {
        drop(self.holdings());
        self.muts.clear();
        self.shared.clear();
        self.raws.drain(..).for_each(|raw| raw.give_back(false));
        while let Some(object) = self.objects.pop() {
            self.let_go(object);
        }
        self.caches.iter_mut().for_each(PoolCache::flush);
    }

    fn accept(&mut self, message: Message) {
        match message {
            Message::Owned(owned) => {
                owned.check();
                self.muts.push(owned);
            }
            Message::Shared(shared) => {
                shared.check();
                self.shared.push(shared);
            }
        }
    }

    pub(crate) fn refused(&mut self) {
        self.counts.refused += 1;
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        self.counts.faults[fault as usize] += 1;
    }

    /// A pool, and its number.
    pub(crate) fn pool(&self, choices: &mut dyn Choices) -> (usize, &'static Tested) {
        let number = choices.below(POOLS.len());
        (number, &POOLS[number])
    }

    // ---- to other workers

    pub(crate) fn send_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let owned = take(&mut self.muts, choices)?;
        self.send(choices, Message::Owned(owned));
        Some(())
    }

    pub(crate) fn send_shared(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let Shared { place, bytes, home } = take(&mut self.shared, choices)?;
        self.send(choices, Message::Shared(Shared { place, bytes: bytes.clone(), home }));
        self.shared.push(Shared { place, bytes, home });
        Some(())
    }

    /// To a worker that may be busy: then it is dropped here.
    fn send(&mut self, choices: &mut dyn Choices, message: Message) {
        if !self.peers.is_empty() {
            let _ = self.peers[choices.below(self.peers.len())].try_send(message);
        }
    }

    // ---- upkeep

    pub(crate) fn reclaim(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.pool(choices).1.pool.reclaim();
        Some(())
    }

    /// What a pool tells of itself while others use it.
    pub(crate) fn look(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested) = self.pool(choices);
        for tier in tested.pool.stats().tiers() {
            assert!(tier.in_use <= tier.slots && tier.cached <= tier.slots && tier.peak <= tier.slots, "{}: {tier:?}", tested.name);
        }
        let holds = self.caches[number].cached() > 0;
        assert!(!(holds && tested.pool.is_idle()), "{}: idle, but slots are in a cache", tested.name);
        if let Some(owned) = self.muts.last() {
            assert_eq!(POOLS.iter().any(|tested| tested.pool.owns(owned.home() as *const u8)), owned.buffer.is_pooled());
        }
        Some(())
    }

    // ---- what must be noticed

    /// Does what it was told to, once it can.
    fn do_harm(&mut self) {
        let done = match self.plant {
            Some(plant @ (Plant::Slot | Plant::Heap)) => {
                let wanted = |owned: &Owned| owned.buffer.footprint() > 0 && owned.buffer.is_pooled() == (plant == Plant::Slot);
                let found = self.muts.iter().position(wanted);
                found.map(|index| std::mem::forget(self.muts.swap_remove(index).buffer)).is_some()
            }
            Some(Plant::Byte) => {
                // Again and again: a damaged byte may be cut off before anybody looks at it.
                if let Some(byte) = self.muts.iter_mut().find_map(|owned| owned.buffer.first_mut()) {
                    *byte = byte.wrapping_add(1);
                }
                false
            }
            Some(Plant::Object) => self.objects.pop().map(std::mem::forget).is_some(),
            Some(Plant::Cache) => self.caches.iter().position(|cache| cache.cached() > 0).is_some_and(|index| {
                std::mem::forget(std::mem::replace(&mut self.caches[index], PoolCache::new(POOLS[index].pool)));
                true
            }),
            Some(Plant::Wipe) => {
                let wiped = |owned: &Owned| owned.buffer.is_pooled() && pools::owner(owned.home()).is_some_and(|tested| tested.wipes);
                let found = self.muts.iter().position(wiped).map(|index| self.muts.swap_remove(index));
                found.is_some_and(|owned| {
                    let home = owned.home();
                    drop(owned);
                    // SAFETY: none, that is the point: the slot is not ours any more.
                    unsafe { (home as *mut u8).write(1) };
                    true
                })
            }
            // `holdings` tells of somebody who was forgotten.
            Some(Plant::Wake) | None => false,
        };
        if done {
            self.plant = None;
        }
    }
}

/// What a worker still waits for when it has let go of everything else.
pub struct Waits {
    hooks: Vec<Option<u64>>,
    futures: Vec<Waiting>,
}

/// Panics if a worker has waited for a slot, all slots have come home, and nobody was woken since.
pub fn check_woken(waits: &Waits) {
    for (tested, before) in POOLS.iter().zip(&waits.hooks) {
        assert!(before.is_none_or(|before| tested.woken.load(Relaxed) > before), "{}: a wake-up was lost", tested.name);
    }
    assert!(waits.futures.iter().all(Waiting::is_woken), "alloc_wait: a wake-up was lost");
}

//! One thread's share: what it holds, and what goes to others.

use crate::counts::{Counts, Fault};
use crate::held::{Owned, Raw, Shared, Waiting, WaitingValue, take};
use crate::objects::{Held, Value};
use crate::pools::{POOLS, Tested};
use std::sync::mpsc::{Receiver, SyncSender};
use tierpool::PoolCache;
use tierpool_testkit::{Choices, Mistake};

/// A worker's cache of a pool. Its batches are of three slots: a chain with a first, a middle and a
/// last one.
pub(crate) type Cache = PoolCache<5, 4>;

/// What goes from worker to worker.
pub enum Message {
    /// A buffer changes hands.
    Owned(Owned),
    /// A buffer is shared.
    Shared(Shared),
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
    pub(crate) value: Option<Value>,
    pub(crate) waiting_value: Option<WaitingValue>,
    peers: Vec<SyncSender<Message>>,
    pub(crate) inbox: Receiver<Message>,
    pub(crate) counts: Counts,
    pub(crate) plant: Option<Mistake>,
}

impl Worker {
    /// A worker that holds nothing. With `plant`, it does that at its first opportunity.
    pub fn new(
        peers: Vec<SyncSender<Message>>,
        inbox: Receiver<Message>,
        plant: Option<Mistake>,
    ) -> Worker {
        let caches = POOLS.iter().map(|tested| PoolCache::new(tested.pool)).collect();
        let waits = vec![None; POOLS.len()];
        let (muts, shared, raws, objects, waiting) = Default::default();
        Worker {
            muts,
            shared,
            raws,
            objects,
            caches,
            waiting,
            waits,
            value: None,
            waiting_value: None,
            peers,
            inbox,
            counts: Counts::default(),
            plant,
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
        let invented = if self.plant == Some(Mistake::Wake) { POOLS.len() } else { 0 };
        Holdings {
            buffers,
            cached: self.caches.iter().map(PoolCache::cached).collect(),
            objects: self.objects.len(),
            waiting: asleep
                .map(|waiting| (waiting.pool, waiting.bytes()))
                .chain((0..invented).map(|pool| (pool, 1)))
                .collect(),
        }
    }

    /// What it has done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn accept(&mut self, message: Message) {
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
}

//! How a worker goes on: a step, what must be noticed, and its end.

use crate::held::{Owned, Waiting, WaitingValue};
use crate::operations;
use crate::pools::{self, POOLS};
use crate::worker::Worker;
use std::sync::atomic::Ordering::Relaxed;
use tierpool::PoolCache;
use tierpool_testkit::{Choices, Mistake};

/// Those that a worker can make.
pub const MISTAKES: &[Mistake] = &[
    Mistake::Slot,
    Mistake::Heap,
    Mistake::Byte,
    Mistake::Object,
    Mistake::Cache,
    Mistake::Wake,
    Mistake::Wipe,
];

/// The most that a worker holds of each kind.
const LIMIT: usize = 6;

impl Worker {
    /// Does one thing, then looks into the inbox and lets go of what is too much.
    pub fn step(&mut self, choices: &mut dyn Choices) {
        if let Some(done) = operations::step(self, choices) {
            self.counts.operation(done);
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

    /// Lets go of everything. The result is for [`check_woken`], once all workers have.
    pub fn finish(mut self) -> Waits {
        self.shed();
        Waits { hooks: self.waits, futures: self.waiting, value: self.waiting_value }
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
        self.value = None;
    }

    /// Does what it was told to, once it can.
    fn do_harm(&mut self) {
        let done = match self.plant {
            Some(plant @ (Mistake::Slot | Mistake::Heap)) => {
                let wanted = |owned: &Owned| {
                    owned.buffer.footprint() > 0
                        && owned.buffer.is_pooled() == (plant == Mistake::Slot)
                };
                let found = self.muts.iter().position(wanted);
                found.map(|index| std::mem::forget(self.muts.swap_remove(index).buffer)).is_some()
            }
            Some(Mistake::Byte) => {
                // Again and again: a damaged byte may be cut off before anybody looks at it.
                if let Some(byte) = self.muts.iter_mut().find_map(|owned| owned.buffer.first_mut())
                {
                    *byte = byte.wrapping_add(1);
                }
                false
            }
            Some(Mistake::Object) => self.objects.pop().map(std::mem::forget).is_some(),
            Some(Mistake::Cache) => {
                self.caches.iter().position(|cache| cache.cached() > 0).is_some_and(|index| {
                    std::mem::forget(std::mem::replace(
                        &mut self.caches[index],
                        PoolCache::new(POOLS[index].pool),
                    ));
                    true
                })
            }
            Some(Mistake::Wipe) => {
                let wiped = |owned: &Owned| {
                    owned.buffer.is_pooled()
                        && !owned.is_half()
                        && pools::owner(owned.home()).is_some_and(|tested| tested.wipes)
                };
                // Again and again: not every request looks at all of its slot.
                if let Some(index) = self.muts.iter().position(wiped) {
                    let owned = self.muts.swap_remove(index);
                    let home = owned.home();
                    drop(owned);
                    // SAFETY: none, that is the point: the slot is not ours any more.
                    unsafe { (home as *mut u8).write(1) };
                }
                false
            }
            // Of `Wake`, `holdings` tells: of somebody who was forgotten.
            _ => false,
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
    value: Option<WaitingValue>,
}

/// Panics if a worker has waited for a slot, all slots have come home, and nobody was woken since.
pub fn check_woken(waits: &Waits) {
    for (tested, before) in POOLS.iter().zip(&waits.hooks) {
        assert!(
            before.is_none_or(|before| tested.woken.load(Relaxed) > before),
            "{}: a wake-up was lost",
            tested.name
        );
    }
    assert!(waits.futures.iter().all(Waiting::is_woken), "alloc_wait: a wake-up was lost");
    let woken = waits.value.as_ref().is_none_or(|waiting| waiting.woken.get() > 0);
    assert!(woken, "request_wait: a wake-up was lost");
}

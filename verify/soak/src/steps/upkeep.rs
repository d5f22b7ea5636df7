//! Steps that change nothing.

use crate::pools::POOLS;
use crate::worker::Worker;
use tierpool_testkit::Choices;

impl Worker {
    pub(crate) fn reclaim(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.pool(choices).1.pool.reclaim();
        Some(())
    }

    /// What a pool tells of itself while others use it.
    pub(crate) fn look(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested) = self.pool(choices);
        for tier in tested.pool.stats().tiers() {
            assert!(
                tier.in_use <= tier.slots && tier.cached <= tier.slots && tier.peak <= tier.slots,
                "{}: {tier:?}",
                tested.name
            );
        }
        let holds = self.caches[number].cached() > 0;
        assert!(
            !(holds && tested.pool.is_idle()),
            "{}: idle, but slots are in a cache",
            tested.name
        );
        if let Some(owned) = self.muts.last() {
            assert_eq!(
                POOLS.iter().any(|tested| tested.pool.owns(owned.home() as *const u8)),
                owned.buffer.is_pooled()
            );
        }
        Some(())
    }
}

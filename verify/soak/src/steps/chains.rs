//! Steps on chains. A chain lives for one step: what is kept are its parts.

use crate::held::{Shared, check_granted, take};
use crate::worker::Worker;
use tierpool::{BytesMut, Chain, ChainMut};
use tierpool_testkit::{Choices, Pattern};

/// Places of a chain.
const PLACES: usize = 5;
/// The most bytes that are asked for, or written, in one go.
const MOST: usize = 600;

/// See [`check_granted`]: of slots that a chain has just got.
fn check_parts(parts: &[BytesMut]) {
    for part in parts {
        check_granted(part.as_ptr().addr(), part.footprint(), 0..part.len());
    }
}

impl Worker {
    /// A chain of slots: filled by its parts or as one, further than it was asked for.
    pub(crate) fn alloc_chain(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (_, tested) = self.pool(choices);
        let asked = choices.below(MOST);
        let made: Result<ChainMut<PLACES>, _> = tested.pool.alloc_chain(asked);
        let Ok(mut chain) = made else {
            self.refused();
            return Some(());
        };
        assert!(chain.is_empty() && chain.capacity() >= asked);
        check_parts(chain.parts());
        let place = Pattern::fresh();
        if choices.below(4) == 0 {
            let mut filled = 0;
            for part in chain.parts_mut() {
                let len = choices.below(part.capacity() + 1);
                part.resize(len, 0).expect("there is room");
                place.moved(filled as isize).fill(part);
                filled += len;
            }
        }
        let more = place.moved(chain.len() as isize).vec(choices.below(MOST));
        let before = (chain.len(), chain.parts().len());
        if chain.extend_from_slice(&more).is_ok() {
            check_parts(&chain.parts()[before.1..]);
        } else {
            assert_eq!((chain.len(), chain.parts().len()), before, "a failed call has changed it");
            self.refused();
        }
        self.keep_parts(chain, place);
        Some(())
    }

    fn keep_parts(&mut self, chain: ChainMut<PLACES>, place: Pattern) {
        let (mut chain, mut at) = (chain.freeze(), 0);
        while let Some(bytes) = chain.pop_front() {
            let (home, place) = (bytes.as_ptr().addr(), place.moved(at));
            at += bytes.len() as isize;
            let part = Shared { place, bytes, home };
            part.check();
            self.shared.push(part);
        }
    }

    /// Buffers that others may hold, as one, read and cut in every way.
    pub(crate) fn chain(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (mut chain, mut expected) = (Chain::<PLACES>::new(), Vec::new());
        for _ in 0..choices.below(PLACES) + 1 {
            let shared = take(&mut self.shared, choices)?;
            let bytes = shared.bytes.clone();
            if choices.below(2) == 0 {
                expected.extend(&*bytes);
                chain.push_back(bytes).expect("a place for each");
            } else {
                expected.splice(..0, bytes.iter().copied());
                chain.push_front(bytes).expect("a place for each");
            }
            shared.check();
            self.shared.push(shared);
        }
        assert_eq!(chain, expected);
        assert_eq!(chain.parts().len(), chain.chunks().len());
        let at = choices.below(expected.len() + 1);
        match choices.below(5) {
            0 => {
                let front = chain.split_to(at).expect("so many are there");
                assert_eq!(front, expected.drain(..at).as_slice());
            }
            1 => {
                assert_eq!(chain.slice(..at).expect("so many are there"), expected[..at]);
                chain.advance(at).expect("so many are there");
                expected.drain(..at);
            }
            2 => {
                chain.truncate(at);
                expected.truncate(at);
            }
            3 => {
                let mut front = vec![0; at];
                chain.copy_to_slice(&mut front).expect("so many are there");
                assert_eq!(front, expected.drain(..at).as_slice());
            }
            _ => {
                let (parts, pool) = (chain.parts().len(), self.pool(choices).1.pool);
                if chain.linearize(pool).is_err() {
                    assert_eq!(chain.parts().len(), parts, "a failed call has changed it");
                    self.refused();
                }
            }
        }
        assert_eq!(chain, expected);
        Some(())
    }
}

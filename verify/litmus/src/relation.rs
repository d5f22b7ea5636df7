//! Relations on at most 32 events, as rows of bits, with the operators that memory models are
//! written in.

use std::ops::{BitAnd, BitOr, Sub};

/// A set of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Set(pub u32);

impl Set {
    pub fn has(self, event: usize) -> bool {
        self.0 >> event & 1 != 0
    }

    pub fn of(events: impl IntoIterator<Item = usize>) -> Set {
        Set(events.into_iter().fold(0, |bits, event| bits | 1 << event))
    }

    /// Each of its events related to itself: `[S]`.
    pub fn id(self) -> Relation {
        Relation::from_fn(|a, b| a == b && self.has(a))
    }

    /// All pairs of an event of the one and an event of the other.
    pub fn times(self, other: Set) -> Relation {
        Relation::from_fn(|a, b| self.has(a) && other.has(b))
    }
}

impl BitOr for Set {
    type Output = Set;
    fn bitor(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }
}

impl BitAnd for Set {
    type Output = Set;
    fn bitand(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }
}

impl Sub for Set {
    type Output = Set;
    fn sub(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }
}

pub const MOST: usize = 32;

/// Row `a` has bit `b` if `a` is related to `b`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relation([u32; MOST]);

impl Relation {
    pub const EMPTY: Relation = Relation([0; MOST]);

    pub fn from_fn(related: impl Fn(usize, usize) -> bool) -> Relation {
        let mut rows = [0; MOST];
        for (a, row) in rows.iter_mut().enumerate() {
            for b in 0..MOST {
                *row |= u32::from(related(a, b)) << b;
            }
        }
        Relation(rows)
    }

    pub fn add(&mut self, a: usize, b: usize) {
        self.0[a] |= 1 << b;
    }

    pub fn has(&self, a: usize, b: usize) -> bool {
        self.0[a] >> b & 1 != 0
    }

    /// `self ; other`: first the one, then the other.
    pub fn then(&self, other: Relation) -> Relation {
        let mut rows = [0; MOST];
        for (row, mut mine) in rows.iter_mut().zip(self.0) {
            while mine != 0 {
                *row |= other.0[mine.trailing_zeros() as usize];
                mine &= mine - 1;
            }
        }
        Relation(rows)
    }

    pub fn inverse(&self) -> Relation {
        Relation::from_fn(|a, b| self.has(b, a))
    }

    /// `self?`: or no step at all.
    pub fn or_none(&self) -> Relation {
        let mut rows = self.0;
        for (event, row) in rows.iter_mut().enumerate() {
            *row |= 1 << event;
        }
        Relation(rows)
    }

    /// `self⁺`: one step or more.
    pub fn closure(&self) -> Relation {
        let mut rows = self.0;
        for middle in 0..MOST {
            for a in 0..MOST {
                if rows[a] >> middle & 1 != 0 {
                    rows[a] |= rows[middle];
                }
            }
        }
        Relation(rows)
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; MOST]
    }

    pub fn is_irreflexive(&self) -> bool {
        (0..MOST).all(|event| !self.has(event, event))
    }

    pub fn is_acyclic(&self) -> bool {
        self.closure().is_irreflexive()
    }
}

impl BitOr for Relation {
    type Output = Relation;
    fn bitor(self, other: Relation) -> Relation {
        Relation(std::array::from_fn(|row| self.0[row] | other.0[row]))
    }
}

impl BitAnd for Relation {
    type Output = Relation;
    fn bitand(self, other: Relation) -> Relation {
        Relation(std::array::from_fn(|row| self.0[row] & other.0[row]))
    }
}

impl Sub for Relation {
    type Output = Relation;
    fn sub(self, other: Relation) -> Relation {
        Relation(std::array::from_fn(|row| self.0[row] & !other.0[row]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Relation {
        Relation::from_fn(|a, b| a + 1 == b && b < 4)
    }

    #[test]
    fn a_closure_reaches_what_steps_reach() {
        assert_eq!(chain().closure(), Relation::from_fn(|a, b| a < b && b < 4));
    }

    #[test]
    fn two_steps_are_a_composition() {
        assert_eq!(chain().then(chain()), Relation::from_fn(|a, b| a + 2 == b && b < 4));
    }

    #[test]
    fn a_chain_has_no_cycle_until_it_is_closed() {
        let mut relation = chain();
        assert!(relation.is_acyclic());
        relation.add(3, 0);
        assert!(!relation.is_acyclic());
    }
}

//! Steps on halves: two `BytesMut` on one slot, which have no byte in common.

use std::ops::Range;
use std::rc::Rc;

use tierpool::{Bytes, BytesMut, RangeError};

use crate::model::world::{Held, World, take};

impl Held<BytesMut> {
    /// The headroom and the capacity that it must have.
    pub(crate) fn room(&self) -> [usize; 2] {
        let Some(home) = &self.home else { return [0; 2] };
        let start = self.handle.as_ptr().addr();
        [
            if self.cut[0] { 0 } else { start - home.base },
            if self.cut[1] { self.bytes.len() } else { home.base + home.size - start },
        ]
    }

    /// The addresses that it may write to.
    fn range(&self) -> Range<usize> {
        let (start, [headroom, capacity]) = (self.handle.as_ptr().addr(), self.room());
        start - headroom..start + capacity
    }
}

impl Held<Bytes> {
    /// The addresses of its bytes.
    fn range(&self) -> Range<usize> {
        let start = self.handle.as_ptr().addr();
        start..start + self.bytes.len()
    }
}

impl<const FREE_NOW: bool> World<FREE_NOW> {
    /// What one handle may write to, no other one may write to or reads.
    pub(crate) fn check_halves(&self) {
        for (index, held) in self.muts.iter().enumerate().filter(|(_, held)| !held.is_unique()) {
            let writers = self.muts[..index].iter().map(|other| (&other.home, other.range()));
            let readers = self.shared.iter().map(|other| (&other.home, other.range()));
            let same = |home: &Option<Rc<_>>| {
                let both = held.home.as_ref().zip(home.as_ref());
                both.is_some_and(|(one, two)| Rc::ptr_eq(one, two))
            };
            let own = held.range();
            for (_, range) in writers.chain(readers).filter(|(home, _)| same(home)) {
                let apart = own.end <= range.start || range.end <= own.start;
                assert!(apart || own.is_empty() || range.is_empty(), "{own:?} and {range:?}");
            }
        }
    }

    /// In two. One of them has no buffer if nothing lies on its side of the cut.
    pub(crate) fn split_mut(&mut self, at: usize, pos: usize, front: bool) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let [_, capacity] = held.room();
        let result = if front { held.handle.split_to(pos) } else { held.handle.split_off(pos) };
        match result {
            Ok(off) => self.settle_split(held, off, pos, front, capacity),
            Err(RangeError) => {
                assert!(pos > held.bytes.len());
                self.muts.push(held);
            }
        }
    }

    /// All bytes from the room behind them.
    pub(crate) fn split_all(&mut self, at: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let [_, capacity] = held.room();
        let (off, len) = (held.handle.split(), held.bytes.len());
        self.settle_split(held, off, len, true, capacity);
    }

    /// `off` was split off `held`, in whose model both still are.
    fn settle_split(
        &mut self,
        held: Held<BytesMut>,
        off: BytesMut,
        pos: usize,
        front: bool,
        capacity: usize,
    ) {
        let of_empty = held.payer_of_empty();
        let Held { handle, mut bytes, home, payer, cut } = held;
        let (first, second) = if front { (off, handle) } else { (handle, off) };
        assert_eq!(second.as_ptr().addr(), first.as_ptr().addr() + pos);
        let behind = bytes.split_off(pos);
        let none = (None, of_empty, [false; 2]);
        let (ahead, back) = if pos == 0 {
            (none, (home, payer, cut))
        } else if pos == capacity {
            ((home, payer, cut), none)
        } else {
            ((home.clone(), payer, [cut[0], true]), (home, payer, [true, cut[1]]))
        };
        for (handle, bytes, (home, payer, cut)) in [(first, bytes, ahead), (second, behind, back)] {
            self.muts.push(Held { handle, bytes, home, payer, cut });
        }
    }

    /// Joins what follows in the same slot, if it is there, or else tries any other one.
    pub(crate) fn unsplit(&mut self, at: usize, other: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let end = held.handle.as_ptr().addr() + held.bytes.len();
        let meets = |back: &Held<BytesMut>| {
            let one = held.home.as_ref().zip(back.home.as_ref());
            one.is_some_and(|(one, two)| Rc::ptr_eq(one, two))
                && held.cut[1]
                && back.cut[0]
                && back.handle.as_ptr().addr() == end
        };
        let next = self.muts.iter().position(meets);
        let Some(back) = take(&mut self.muts, next.unwrap_or(other)) else {
            return self.muts.push(held);
        };
        let joins = meets(&back);
        let Held { handle, bytes, home, payer, cut } = back;
        match held.handle.unsplit(handle) {
            Ok(()) if joins => {
                held.bytes.extend(bytes);
                held.cut[1] = cut[1];
                drop(home);
                held.take_whole();
            }
            Ok(()) if held.bytes.is_empty() && !bytes.is_empty() => {
                held = Held { handle: held.handle, bytes, home, payer, cut };
            }
            Ok(()) => assert!(bytes.is_empty()),
            Err(handle) => {
                assert!(!joins && !held.bytes.is_empty() && !bytes.is_empty());
                self.muts.push(Held { handle, bytes, home, payer, cut });
            }
        }
        self.muts.push(held);
    }
}

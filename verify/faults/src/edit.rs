//! Steps of a [`Mix`] on the handles of one buffer: made, edited, shared in parts, turned into one
//! another.
//!
//! All buffers are `PLENTY`'s, and so are the copies: no step here enters a heap.

use std::mem::MaybeUninit;

use tierpool::{Bytes, ChainMut};

use crate::mix::{Mix, PLENTY, filled};
use tierpool_testkit::Pattern;

const ENOUGH: &str = "more slots than all contexts hold";

impl Mix {
    /// Buffers that are made with their bytes.
    pub(crate) fn make(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut bytes = [0; 64];
        pattern.fill(&mut bytes);
        let buffer = match seed % 3 {
            0 if seed % 8 < 4 => PLENTY.copy_with_headroom(8, &bytes),
            0 => PLENTY.copy_from_slice(&bytes),
            1 => PLENTY.copy_from_iter(pattern.bytes().take(64)),
            _ => PLENTY.zeroed(64),
        };
        let mut buffer = buffer.expect(ENOUGH);
        if seed % 3 == 2 {
            assert!(buffer.iter().all(|&byte| byte == 0), "zeroed bytes are not zero");
            pattern.fill(&mut buffer);
        }
        self.keep(pattern, buffer.freeze());
    }

    /// Bytes added and taken away at both ends.
    pub(crate) fn edit(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut buffer = self.plenty(32);
        buffer.push(seed as u8).expect("there is room");
        buffer.reserve_in(&PLENTY, 1).expect("there is room");
        buffer.push(seed as u8).expect("there is room");
        buffer.clear();
        let mut eight = [0; 8];
        buffer.extend_from_iter(pattern.bytes().take(24)).expect("there is room");
        buffer.reserve_in(&PLENTY, 24).expect(ENOUGH);
        buffer.extend_from_iter(pattern.moved(24).bytes().take(16)).expect("there is room");
        pattern.moved(40).fill(&mut eight);
        buffer.extend_in_place(&eight).expect("there is room");
        pattern.check(&buffer);
        assert!(buffer.advance(49).is_err(), "it is 48 long");
        buffer.extend_from_within(32..).expect("there is room");
        assert!(buffer[48..] == buffer[32..48], "not a copy of the part");
        buffer.advance(16).expect("it is 64 long");
        buffer.truncate(24);
        buffer.reserve_front_in(&PLENTY, 8).expect("there is headroom");
        let pattern = pattern.moved(8);
        pattern.fill(&mut eight);
        buffer.prepend(&eight).expect("there is headroom");
        pattern.check(&buffer);
        if seed.is_multiple_of(2) {
            buffer.reset(8).expect("the slot is longer");
            buffer.resize(40, 0).expect("there is room");
            assert!(buffer.iter().all(|&byte| byte == 0), "resized bytes are not zero");
            pattern.fill(&mut buffer);
        }
        self.keep(pattern, buffer.freeze());
    }

    /// Room at both ends, in place or in a larger buffer.
    pub(crate) fn make_room(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut buffer = filled(self.plenty(32), pattern);
        buffer.truncate(16);
        let payer = seed.is_multiple_of(2).then_some(&PLENTY);
        let (front, back) = (8 * (seed as usize % 4), 8 * (seed as usize / 4 % 4));
        match payer {
            None => buffer.reserve_front(front).and_then(|()| buffer.reserve(back)),
            Some(pool) => {
                buffer.reserve_front_in(pool, front).and_then(|()| buffer.reserve_in(pool, back))
            }
        }
        .expect(ENOUGH);
        assert!(buffer.capacity() - buffer.len() >= back && buffer.try_reclaim(back));
        buffer.spare_capacity_mut()[..back].fill(MaybeUninit::new(1));
        pattern.check(&buffer);
        self.keep(pattern, buffer.freeze());
    }

    /// Parts of a buffer, each a handle on all of it.
    pub(crate) fn views(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut bytes = filled(self.plenty(96), pattern).freeze();
        let back = bytes.split_off(64).expect("it is 96 long");
        let mut part = if seed.is_multiple_of(2) {
            bytes.slice_clamped(8, 1000)
        } else {
            bytes.slice_ref(&bytes[8..]).expect("a part")
        };
        assert!(!part.is_unique() && part.footprint() == 96 && part.len() == 56);
        part.advance(8).expect("56 are left");
        part.truncate(40);
        assert!(part.split_to(41).is_err(), "40 are left");
        let (of_back, of_part) = (pattern.moved(64), pattern.moved(16));
        of_back.check(&back);
        of_part.check(&part);
        bytes.clear();
        if seed.is_multiple_of(2) { self.keep(of_back, back) } else { self.keep(of_part, part) }
    }

    /// Halves of a buffer: another context reads and drops one while this one writes the others.
    pub(crate) fn halves(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut middle = filled(self.plenty(96), pattern);
        let front = middle.split_to(32).expect("it is 96 long");
        self.keep(pattern, front.freeze());
        let mut back = middle.split_off(32).expect("64 are left");
        let renewed = Pattern::new(!seed);
        renewed.fill(&mut middle);
        pattern.moved(64).check(&back);
        renewed.moved(32).fill(&mut back);
        middle.unsplit(back).expect("they meet");
        renewed.check(&middle);
        middle.truncate(24);
        let mut data = middle.split();
        drop(middle);
        if data.try_reclaim(72) {
            data.resize(96, 0).expect("there is room");
            renewed.check(&data[..24]);
            renewed.fill(&mut data);
        }
        self.keep(renewed, data.freeze());
    }

    /// From handle to handle, and by way of a pointer.
    pub(crate) fn convert(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let bytes = filled(self.plenty(32), pattern).freeze();
        let other = seed.is_multiple_of(2).then(|| bytes.clone());
        let buffer = match seed % 3 {
            0 => bytes.into_mut(),
            1 => bytes.into_mut_in(&PLENTY, 8),
            _ => bytes.move_to(&PLENTY, 8),
        };
        let buffer = buffer.expect(ENOUGH);
        pattern.check(&buffer);
        other.iter().for_each(|other| pattern.check(other));

        let (headroom, len) = (buffer.headroom(), buffer.len());
        let slot = buffer.into_raw().expect("a slot").cast();
        // SAFETY: the slot is ours, and the pointer is not used any more.
        let mut buffer = unsafe { PLENTY.from_raw(slot) }.expect("a slot of this pool");
        // SAFETY: `into_raw` has left the bytes where they were; what is in front of them is
        // written now.
        unsafe {
            buffer.as_mut_ptr().write_bytes(0, headroom);
            buffer.set_len(headroom + len);
        }
        buffer.advance(headroom).expect("so many are there");
        pattern.check(&buffer);

        let mut bytes = buffer.freeze();
        let writable = bytes.make_mut().expect("nobody shares it");
        let rewritten = Pattern::new(!seed);
        rewritten.fill(writable);
        other.iter().for_each(|other| pattern.check(other));
        let mut part = bytes.slice(..8).expect("it is longer");
        part.compact_in(&PLENTY).expect(ENOUGH);
        rewritten.check(&part);
        self.keep(rewritten, part);
    }

    /// Several buffers as one: filled, read behind a header of its own, cut, and copied together.
    pub(crate) fn chain(&mut self, seed: u64) {
        let pattern = Pattern::new(seed);
        let mut filled: ChainMut<4> = PLENTY.alloc_chain(96 + seed as usize % 96).expect(ENOUGH);
        assert!(filled.capacity() >= 96);
        for part in filled.parts_mut().iter_mut().take(1) {
            part.resize(96, 0).expect("there is room");
            pattern.fill(part);
        }
        let mut more = [0; 192];
        pattern.moved(96).fill(&mut more);
        filled.extend_from_slice(&more).expect(ENOUGH);
        let mut chain = filled.freeze();
        chain.chunks().fold(pattern, |pattern, chunk| {
            pattern.check(chunk);
            pattern.moved(chunk.len() as isize)
        });

        let mut packet = chain.slice(80..110).expect("it is longer");
        assert!(packet.parts().len() == 2 && packet.parts().iter().all(|part| !part.is_unique()));
        packet.push_front(Bytes::from_static(b"head")).expect("a place");
        packet.push_back(Bytes::from_static(b"tail")).expect("a place");
        packet.advance(4).expect("so long is the header");
        packet.truncate(30);
        let mut read = [0; 30];
        packet.copy_to_slice(&mut read).expect("so many are left");
        pattern.moved(80).check(&read);

        drop(chain.split_to(50).expect("it is longer"));
        chain.truncate(60);
        pattern.moved(50).check(chain.linearize(&PLENTY).expect(ENOUGH));
        self.keep(pattern.moved(50), chain.pop_front().expect("a part"));
    }
}

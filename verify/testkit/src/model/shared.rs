//! Steps on a [`Bytes`]: parts of it, and the ways to write.

use tierpool::{Bytes, RangeError};

use crate::model::world::{Held, World, take};

impl<const FREE_NOW: bool> World<FREE_NOW> {
    pub(crate) fn clone_one(&mut self, at: usize) {
        let Some(held) = take(&mut self.shared, at) else { return };
        let copy = Held {
            handle: held.handle.clone(),
            bytes: held.bytes.clone(),
            home: held.home.clone(),
            payer: held.payer,
            cut: held.cut,
        };
        assert_eq!(copy.handle.as_ptr(), held.handle.as_ptr());
        self.shared.extend([held, copy]);
    }

    pub(crate) fn slice(&mut self, at: usize, from: usize, to: usize) {
        let Some(held) = take(&mut self.shared, at) else { return };
        match (held.handle.slice(from..to), held.bytes.get(from..to)) {
            (Ok(handle), Some(bytes)) => self.shared.push(Self::part(&held, handle, bytes)),
            (result, bytes) => assert_eq!((result.err(), bytes), (Some(RangeError), None)),
        }
        assert_eq!(held.handle.slice(from..=to).ok().as_deref(), held.bytes.get(from..=to));
        self.shared.push(held);
    }

    pub(crate) fn slice_clamped(&mut self, at: usize, from: usize, len: usize) {
        let Some(held) = take(&mut self.shared, at) else { return };
        let rest = &held.bytes[from.min(held.bytes.len())..];
        let part =
            Self::part(&held, held.handle.slice_clamped(from, len), &rest[..len.min(rest.len())]);
        self.shared.extend([part, held]);
    }

    /// A part that a parser of the bytes has returned, and one of other bytes.
    pub(crate) fn slice_ref(&mut self, at: usize, from: usize, to: usize) {
        let Some(held) = take(&mut self.shared, at) else { return };
        if let Some(bytes) = held.bytes.get(from..to) {
            let handle = held.handle.slice_ref(&held.handle[from..to]).unwrap();
            self.shared.push(Self::part(&held, handle, bytes));
            let elsewhere = held.handle.slice_ref(bytes);
            assert_eq!(elsewhere.is_ok(), bytes.is_empty());
        }
        self.shared.push(held);
    }

    pub(crate) fn advance(&mut self, at: usize, bytes: usize) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        match held.handle.advance(bytes) {
            Ok(()) => drop(held.bytes.drain(..bytes)),
            Err(RangeError) => assert!(bytes > held.bytes.len()),
        }
        self.shared.push(held);
    }

    pub(crate) fn truncate(&mut self, at: usize, len: usize) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        let start = held.handle.as_ptr();
        held.bytes.truncate(len);
        if len > 0 {
            held.handle.truncate(len);
        } else {
            held.handle.clear();
            (held.payer, held.home) = (held.payer_of_empty(), None);
        }
        assert_eq!(held.handle.as_ptr(), start);
        self.shared.push(held);
    }

    /// A part of a `Bytes`, as a slice of the model, and in the same place: it shares the buffer,
    /// or is empty and shares nothing.
    fn part(held: &Held<Bytes>, handle: Bytes, bytes: &[u8]) -> Held<Bytes> {
        assert_eq!(
            handle.as_ptr().addr() - held.handle.as_ptr().addr(),
            bytes.as_ptr().addr() - held.bytes.as_ptr().addr()
        );
        let (cut, bytes) = (held.cut, bytes.to_vec());
        if bytes.is_empty() {
            return Held { handle, bytes, home: None, payer: held.payer_of_empty(), cut };
        }
        Held { handle, bytes, home: held.home.clone(), payer: held.payer, cut }
    }

    /// Takes one end off; the handle that gets all bytes keeps the buffer, the other gets none.
    /// What has no bytes keeps its buffer, unless all of it is taken off the front.
    pub(crate) fn split(&mut self, at: usize, pos: usize, front: bool) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        let start = held.handle.as_ptr();
        let result = if front { held.handle.split_to(pos) } else { held.handle.split_off(pos) };
        if pos > held.bytes.len() {
            assert_eq!(result, Err(RangeError));
            return self.shared.push(held);
        }
        let (mut off, mut rest) = (held.bytes[..pos].to_vec(), held.bytes[pos..].to_vec());
        if !front {
            std::mem::swap(&mut off, &mut rest);
        }
        let (none, all) = ((None, held.payer_of_empty()), (held.home.clone(), held.payer));
        let everything_goes =
            if front { pos == held.bytes.len() } else { pos == 0 && !held.bytes.is_empty() };
        let ((off_home, off_payer), (home, payer)) = match (everything_goes, off.is_empty()) {
            (true, _) => (all, none),
            (false, true) => (none, all),
            (false, false) => (all.clone(), all),
        };
        let handle = result.unwrap();
        let (first, second) = if front { (&handle, &held.handle) } else { (&held.handle, &handle) };
        assert_eq!(first.as_ptr(), start);
        assert_eq!(second.as_ptr(), start.wrapping_add(pos));
        let cut = held.cut;
        self.shared.push(Held { handle, bytes: off, home: off_home, payer: off_payer, cut });
        self.shared.push(Held { handle: held.handle, bytes: rest, home, payer, cut });
    }

    /// Bytes for writing: a copy only while they are shared.
    pub(crate) fn make_mut(&mut self, at: usize, payer: Option<usize>) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        let start = held.handle.as_ptr();
        let request = self.request(payer.or(held.payer), 0, held.bytes.len(), held.is_sticky());
        let result = match payer {
            None => held.handle.make_mut(),
            Some(payer) => held.handle.make_mut_in(self.sides[payer].pool),
        };
        match result {
            Ok(bytes) => {
                bytes
                    .iter_mut()
                    .chain(&mut held.bytes)
                    .for_each(|byte| *byte = byte.wrapping_add(1));
                if held.is_unique() {
                    assert_eq!(held.handle.as_ptr(), start);
                } else if held.bytes.is_empty() {
                    (held.payer, held.home) = (held.payer_of_empty(), None);
                } else {
                    let request = request.expect("somebody paid");
                    held.home = Some(self.sides[request.side].granted(
                        &request,
                        held.handle.as_ptr().addr(),
                        held.handle.footprint(),
                    ));
                    held.payer = Some(request.side);
                    held.cut = [false; 2];
                }
            }
            Err(error) => {
                assert!(!held.is_unique() && !held.bytes.is_empty());
                assert_eq!(held.handle.as_ptr(), start);
                self.refused(request, error);
            }
        }
        self.shared.push(held);
    }

    /// As `make_mut`, into a handle that can grow; with a payer, behind headroom.
    pub(crate) fn turn_mut(&mut self, at: usize, payer: Option<(usize, usize)>) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        held.take_whole();
        let (start, len) = (held.handle.as_ptr(), held.bytes.len());
        let headroom = payer.map_or(0, |(_, headroom)| headroom);
        let rounded = self.rounded(held.payer, headroom);
        let there = held.home.as_ref().map_or(0, |home| start.addr() - home.base);
        let fits = || rounded.is_some_and(|headroom| headroom <= held.size() - len);
        let stays = held.is_unique() && (headroom <= there || fits());
        let lets_go = !held.is_unique() && len == 0 && payer.is_none();
        let paying = payer.map(|(pool, _)| pool).or(held.payer);
        let request = self.request(paying, headroom, len, held.is_sticky());
        let of_empty = held.payer_of_empty();

        let Held { handle, bytes, home, payer: before, cut } = held;
        let result = match payer {
            None => handle.into_mut(),
            Some((pool, headroom)) => handle.into_mut_in(self.sides[pool].pool, headroom),
        };
        match result {
            Ok(handle) => {
                assert!(payer.is_none() || handle.headroom() >= headroom);
                let held = match (stays, lets_go) {
                    (true, _) => Held { handle, bytes, home, payer: before, cut },
                    (_, true) => Held { handle, bytes, home: None, payer: of_empty, cut },
                    _ => self.settle(&request.expect("somebody paid"), handle, bytes),
                };
                self.muts.push(held);
            }
            Err(back) => {
                assert!(!stays && !lets_go);
                assert_eq!(back.bytes.as_ptr(), start);
                self.refused(request, back.error);
                self.shared.push(Held { handle: back.bytes, bytes, home, payer: before, cut });
            }
        }
    }

    pub(crate) fn try_turn_mut(&mut self, at: usize) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        held.take_whole();
        let (unique, empty) = (held.is_unique(), held.bytes.is_empty());
        if !unique && empty {
            (held.payer, held.home) = (held.payer_of_empty(), None);
        }
        match held.handle.try_into_mut() {
            Ok(handle) => {
                assert!(unique || empty);
                self.muts.push(Held {
                    handle,
                    bytes: held.bytes,
                    home: held.home,
                    payer: held.payer,
                    cut: held.cut,
                });
            }
            Err(handle) => {
                assert!(!unique && !empty);
                self.shared.push(Held { handle, ..held });
            }
        }
    }

    /// Into a smaller buffer if there is one.
    pub(crate) fn compact(&mut self, at: usize, pool: usize) {
        let Some(mut held) = take(&mut self.shared, at) else { return };
        let (start, size, len) = (held.handle.as_ptr(), held.size(), held.bytes.len());
        let side = &self.sides[pool];
        let request = side.request(0, len, held.is_sticky());
        let tries = len > 0 && side.slot_size_for(len).is_some_and(|smaller| smaller < size);
        match held.handle.compact_in(side.pool) {
            Ok(()) if len == 0 => (held.payer, held.home) = (held.payer_of_empty(), None),
            Ok(()) if held.handle.as_ptr() != start => {
                assert!(tries && held.handle.footprint() < size, "a move must help");
                held.home = Some(self.sides[pool].granted(
                    &request,
                    held.handle.as_ptr().addr(),
                    held.handle.footprint(),
                ));
                held.payer = Some(pool);
                held.cut = [false; 2];
            }
            Ok(()) if tries => self.sides[pool].granted_in_vain(&request, size),
            Ok(()) => {}
            Err(error) => {
                assert!(tries && held.handle.as_ptr() == start);
                self.sides[pool].refused(&request, error);
            }
        }
        self.shared.push(held);
    }
}

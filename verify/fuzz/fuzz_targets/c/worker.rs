//! What can be done with handles and slots, and what must come of it.

use crate::held::{Held, NONE, Words};
use crate::pools::{Made, Slot, pointer};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use tierpool_capi::bytes::*;
use tierpool_capi::error::tierpool_error::{self, *};
use tierpool_capi::raw::{tierpool_alloc, tierpool_free, tierpool_free_sized, tierpool_owns};
use tierpool_capi::write::*;
use tierpool_testkit::{Choices, Mistake, Pattern, Program, planted};

/// The longest sequence, and the most handles at once: so that inputs stay small, and quick.
const STEPS: usize = 200;
const HANDLES: usize = 12;

static FOREVER: [u8; 100] = [7; 100];

pub struct Worker {
    pools: [&'static Made; 2],
    held: Vec<Held>,
    /// Slots as plain memory, each with what was asked for.
    raws: Vec<(&'static Made, Slot, usize)>,
    /// To the other worker and from it. None: this one is alone, so that nothing changes but by its
    /// own calls.
    other: Option<(SyncSender<Held>, Receiver<Held>)>,
    /// With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
    plant: bool,
}

impl Worker {
    pub fn new(
        pools: [&'static Made; 2],
        other: Option<(SyncSender<Held>, Receiver<Held>)>,
    ) -> Worker {
        let plant = planted(&[Mistake::Slot]).is_some();
        Worker { pools, held: Vec::new(), raws: Vec::new(), other, plant }
    }

    fn alone(&self) -> bool {
        self.other.is_none()
    }

    pub fn run(&mut self, mut program: Program) {
        for _ in 0..STEPS {
            if program.0.is_empty() {
                break;
            }
            self.step(&mut program);
            self.check();
        }
    }

    fn step(&mut self, p: &mut Program) {
        let kind = p.below(20);
        if self.held.len() >= HANDLES && kind < 6 {
            return self.release(p);
        }
        match kind {
            0 => self.zeroed(p),
            1 | 2 => self.copy(p),
            3 => self.add_static(p),
            4 => self.retain(p),
            5 => self.slice(p),
            6 | 7 => self.narrow(p),
            8 | 9 => self.make_mut(p),
            10..=12 => self.append(p),
            13 => self.compact(p),
            14 => self.alloc(p),
            15 => self.free(p),
            16 => self.raw_to_handle(p),
            17 => self.exchange(p),
            _ => self.release(p),
        }
    }

    fn check(&self) {
        self.held.iter().for_each(|held| held.check(self.alone()));
        if self.alone() {
            let homes = self.held.iter().filter_map(|held| held.home.as_ref());
            let shares: f64 = homes.map(|home| 1.0 / Arc::strong_count(home) as f64).sum();
            let in_use: usize = self.pools.iter().map(|pool| pool.in_use()).sum();
            assert_eq!(in_use, shares.round() as usize + self.raws.len(), "slots in use");
        }
    }

    pub fn release_all(&mut self) {
        self.held.extend(
            self.other
                .take()
                .into_iter()
                .flat_map(|(_, inbox)| inbox.try_iter().collect::<Vec<_>>()),
        );
        for held in &mut self.held {
            // SAFETY: a handle that holds its reference.
            unsafe { tierpool_bytes_release(&mut held.handle) };
        }
        self.held.clear();
        for (made, slot, _) in self.raws.drain(..) {
            // SAFETY: ours, and given up.
            assert_eq!(unsafe { tierpool_free(made.pool, slot.0 as *mut c_void) }, TIERPOOL_OK);
        }
    }

    // ---- choices

    fn size(p: &mut Program) -> usize {
        match p.below(8) {
            0 => 0,
            1..=5 => p.below(72),
            6 => p.below(256),
            _ => p.below(5000),
        }
    }

    fn pool(&self, p: &mut Program) -> &'static Made {
        self.pools[p.below(2)]
    }

    fn at(&self, p: &mut Program) -> Option<usize> {
        (!self.held.is_empty()).then(|| p.below(self.held.len()))
    }

    /// Something to copy from, and what it holds before the call: new bytes, which are good as long
    /// as that is; a handle's bytes; or what lies beside them in their slot. And which handle's.
    fn source(&mut self, p: &mut Program) -> (*const u8, Vec<u8>, Option<usize>) {
        let (kind, len) = (p.below(4), Self::size(p));
        let from = self.at(p).filter(|_| kind > 0);
        let Some(held) = from.map(|at| &self.held[at]) else {
            let bytes = Pattern::fresh().vec(len);
            return (bytes.as_ptr(), bytes, None);
        };
        let (start, room) = match &held.home {
            Some(home) if kind > 1 => (home.0 as *const u8, home.1),
            _ => (held.handle.data, held.handle.len),
        };
        let offset = p.below(room + 1);
        let len = len.min(room - offset);
        if len == 0 {
            return (start, Vec::new(), None);
        }
        // SAFETY: within a slot that a handle holds, all of which was zero at first; and while it
        // is held, nobody else writes there.
        let bytes = unsafe { std::slice::from_raw_parts(start.add(offset), len) }.to_vec();
        (start.wrapping_add(offset), bytes, from)
    }

    // ---- what must come of a call

    /// A call of a worker that is alone is answered as foretold; between two, slots and other
    /// handles come and go.
    fn foretold(&self, error: tierpool_error, expected: tierpool_error) {
        assert!(error == expected || !self.alone(), "{error:?}, and not {expected:?}");
    }

    fn unchanged(&self, at: usize, before: Words) {
        assert_eq!(self.held[at].words(), before, "a call that has failed has changed the handle");
    }

    /// A slot that is new to a handle was nobody's.
    fn was_free(&self, at: usize) {
        let home = self.held[at].home.as_deref();
        let others = self.held.iter().enumerate().filter(|&(number, _)| number != at);
        assert!(
            others.into_iter().all(|(_, other)| other.home.as_deref() != home),
            "handed out twice"
        );
        assert!(self.raws.iter().all(|(_, slot, _)| Some(slot) != home), "handed out twice");
    }

    fn made(
        &mut self,
        pool: &'static Made,
        error: tierpool_error,
        expected: tierpool_error,
        handle: tierpool_bytes,
        bytes: Vec<u8>,
    ) {
        self.foretold(error, expected);
        if error != TIERPOOL_OK {
            assert!(handle.data.is_null() && handle.len == 0);
            return;
        }
        self.held.push(Held { handle, bytes, home: None, payer: Some(pool) });
        let at = self.held.len() - 1;
        assert!(self.held[at].settle(None));
        self.was_free(at);
    }

    // ---- the functions

    fn zeroed(&mut self, p: &mut Program) {
        let (pool, len, mut handle) = (self.pool(p), Self::size(p), NONE);
        let expected = pool.answer(len);
        // SAFETY: a pool, and a place for the result.
        let error = unsafe { tierpool_bytes_zeroed(pool.pool, len, &mut handle) };
        self.made(pool, error, expected, handle, vec![0; len]);
    }

    fn copy(&mut self, p: &mut Program) {
        let (pool, (data, bytes, _), mut handle) = (self.pool(p), self.source(p), NONE);
        let expected = pool.answer(bytes.len());
        // SAFETY: a pool, as many bytes as there are, and a place for the result.
        let error = unsafe { tierpool_bytes_copy(pool.pool, data, bytes.len(), &mut handle) };
        self.made(pool, error, expected, handle, bytes);
    }

    fn add_static(&mut self, p: &mut Program) {
        let len = p.below(FOREVER.len() + 1);
        // SAFETY: they live for ever.
        let handle = unsafe { tierpool_bytes_from_static(FOREVER.as_ptr(), len) };
        self.held.push(Held { handle, bytes: FOREVER[..len].to_vec(), home: None, payer: None });
    }

    fn retain(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let Held { handle, bytes, home, payer } = &self.held[at];
        // SAFETY: a handle that holds its reference.
        let handle = unsafe { tierpool_bytes_retain(handle) };
        self.held.push(Held { handle, bytes: bytes.clone(), home: home.clone(), payer: *payer });
    }

    fn slice(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let (start, len, mut part) = (Self::size(p), Self::size(p), NONE);
        let Held { handle, bytes, home, payer } = &self.held[at];
        // SAFETY: a handle that holds its reference, and a place for the result.
        let error = unsafe { tierpool_bytes_slice(handle, start, len, &mut part) };
        match bytes.get(start..start + len) {
            None => assert!(error == TIERPOOL_RANGE && part.data.is_null()),
            Some(bytes) => {
                assert_eq!(error, TIERPOOL_OK);
                let home = home.clone().filter(|_| len > 0);
                self.held.push(Held { handle: part, bytes: bytes.to_vec(), home, payer: *payer });
            }
        }
    }

    /// By hand, as the header allows; often to no bytes.
    fn narrow(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let held = &mut self.held[at];
        let front = p.below(held.bytes.len() + 1);
        let back = if p.once_in(2) {
            held.bytes.len() - front
        } else {
            p.below(held.bytes.len() - front + 1)
        };
        held.handle.data = held.handle.data.wrapping_add(front);
        held.handle.len -= front + back;
        held.bytes.drain(..front);
        held.bytes.truncate(held.handle.len);
        if self.plant {
            // SAFETY: a handle that holds its reference. That the model is not told is the mistake.
            let _ = unsafe { tierpool_bytes_retain(&held.handle) };
        }
    }

    fn make_mut(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let payer = (p.below(4) == 0).then(|| self.pool(p));
        let held = &mut self.held[at];
        let (len, before, pays) = (held.bytes.len(), held.words(), payer.or(held.payer));
        let stays = len == 0 || held.is_alone();
        let expected = if stays {
            TIERPOOL_OK
        } else {
            pays.map_or(TIERPOOL_NO_POOL, |made| made.answer(len))
        };
        let mut data = null_mut();
        // SAFETY: a handle that holds its reference, a pool or none, and a place for the result.
        let error = unsafe { tierpool_bytes_make_mut(&mut held.handle, pointer(payer), &mut data) };
        self.foretold(error, expected);
        if error != TIERPOOL_OK || len == 0 {
            assert!(len == 0 || data.is_null());
            return self.unchanged(at, before);
        }
        let bytes = Pattern::fresh().vec(len);
        let held = &mut self.held[at];
        assert_eq!(data.cast_const(), held.handle.data);
        // SAFETY: writable, says the call.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), len) };
        held.bytes = bytes;
        let moved = held.settle(pays);
        assert!(!(self.alone() && stays && moved));
        if moved {
            self.was_free(at);
        }
    }

    fn append(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let payer = (p.below(4) == 0).then(|| self.pool(p));
        let (data, bytes, from) = self.source(p);
        let held = &mut self.held[at];
        let (before, sum, pays) =
            (held.words(), held.bytes.len() + bytes.len(), payer.or(held.payer));
        let expected = match pays {
            _ if bytes.is_empty() => Some(TIERPOOL_OK),
            // From beside itself, and beyond its slot, a handle may have to move as if it were
            // shared.
            _ if held.is_alone() && sum <= held.size() && from != Some(at) => Some(TIERPOOL_OK),
            _ if held.is_alone() => None,
            None => Some(TIERPOOL_NO_POOL),
            Some(made) => Some(made.answer(sum)),
        };
        // SAFETY: a handle that holds its reference, a pool or none, as many bytes as there are.
        let error =
            unsafe { tierpool_bytes_append(&mut held.handle, pointer(payer), data, bytes.len()) };
        if let Some(expected) = expected {
            self.foretold(error, expected);
        }
        if error != TIERPOOL_OK || bytes.is_empty() {
            return self.unchanged(at, before);
        }
        let held = &mut self.held[at];
        held.bytes.extend(bytes);
        if held.settle(pays) {
            self.was_free(at);
        }
    }

    fn compact(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let pool = self.pool(p);
        let held = &mut self.held[at];
        let (before, size) = (held.words(), held.size());
        // SAFETY: a handle that holds its reference, a pool.
        let error = unsafe { tierpool_bytes_compact(&mut held.handle, pool.pool) };
        if held.bytes.is_empty() {
            assert_eq!(error, TIERPOOL_OK);
            held.home = None;
        } else if error != TIERPOOL_OK {
            self.foretold(error, pool.answer(self.held[at].bytes.len()));
            self.unchanged(at, before);
        } else if held.home.is_some() && held.settle(Some(pool)) {
            assert!(held.size() < size);
            self.was_free(at);
        }
    }

    fn alloc(&mut self, p: &mut Program) {
        let (pool, bytes, mut memory) = (self.pool(p), Self::size(p), null_mut());
        let expected = pool.answer(bytes);
        // SAFETY: a pool, and a place for the result.
        let error = unsafe { tierpool_alloc(pool.pool, bytes, 1, &mut memory) };
        self.foretold(error, expected);
        if error != TIERPOOL_OK {
            return assert!(memory.is_null());
        }
        let slot = pool.slot_of(memory.addr()).expect("a slot of the pool");
        assert!(slot.0 == memory.addr() && slot.1 >= bytes);
        assert!(
            self.held.iter().all(|held| held.home.as_deref() != Some(&slot)),
            "handed out twice"
        );
        // SAFETY: ours.
        unsafe { memory.cast::<u8>().write_bytes(0x55, slot.1) };
        self.raws.push((pool, slot, bytes));
    }

    fn free(&mut self, p: &mut Program) {
        if self.raws.is_empty() {
            return;
        }
        let (made, slot, bytes) = self.raws.swap_remove(p.below(self.raws.len()));
        let memory = slot.0 as *mut c_void;
        // SAFETY: ours, asked for so, and given up.
        unsafe {
            let error = if p.once_in(2) {
                tierpool_free_sized(made.pool, memory, bytes, 1)
            } else {
                tierpool_free(made.pool, memory)
            };
            assert_eq!(error, TIERPOOL_OK);
        }
    }

    /// A slot that is ours; or what is no such slot, and must be refused.
    fn raw_to_handle(&mut self, p: &mut Program) {
        let (len, mut handle) = (Self::size(p), NONE);
        if self.raws.is_empty() {
            let Some(home) = self.at(p).and_then(|at| self.held[at].home.clone()) else { return };
            let pool = self.pool(p);
            // SAFETY: no raw slot, since a handle has it.
            let error = unsafe {
                tierpool_bytes_from_raw(pool.pool, home.0 as *mut c_void, len, &mut handle)
            };
            // SAFETY: a pool, and any pointer.
            let owned = unsafe { tierpool_owns(pool.pool, home.0 as *const c_void) };
            return assert_eq!(
                error,
                if owned { TIERPOOL_NOT_ALLOCATED } else { TIERPOOL_FOREIGN }
            );
        }
        let at = p.below(self.raws.len());
        let (made, slot, _) = self.raws[at];
        let expected = if len > slot.1 { TIERPOOL_RANGE } else { TIERPOOL_OK };
        // SAFETY: ours, all of it written, and not used any more.
        let error =
            unsafe { tierpool_bytes_from_raw(made.pool, slot.0 as *mut c_void, len, &mut handle) };
        assert_eq!(error, expected);
        if error == TIERPOOL_OK {
            self.raws.swap_remove(at);
            self.held.push(Held {
                handle,
                bytes: vec![0x55; len],
                home: Some(Arc::new(slot)),
                payer: Some(made),
            });
        }
    }

    /// One more reference for the other worker, or what it has sent.
    fn exchange(&mut self, p: &mut Program) {
        let sends = p.once_in(2);
        if sends {
            self.retain(p);
        }
        let Some((outbox, inbox)) = &self.other else { return };
        if !sends {
            self.held.extend(inbox.try_recv());
        } else if let Some(held) = self.held.pop()
            && let Err(TrySendError::Full(held) | TrySendError::Disconnected(held)) =
                outbox.try_send(held)
        {
            self.held.push(held);
        }
    }

    fn release(&mut self, p: &mut Program) {
        let Some(at) = self.at(p) else { return };
        let mut held = self.held.swap_remove(at);
        // SAFETY: a handle that holds its reference.
        unsafe { tierpool_bytes_release(&mut held.handle) };
        assert!(
            held.handle.data.is_null()
                && held.handle.len == 0
                && held.handle.reserved == [std::ptr::null(); 2]
        );
    }
}

//! All handles of a case, each beside the contents it must have and the buffer that it must share.

use std::rc::Rc;
use std::sync::LazyLock;

use tierpool::{AllocError, Bytes, BytesMut, Pool};

use crate::model::ops::{How, Op, Shape};
use crate::model::raw::Raw;
use crate::model::side::{Buffer, Request, Side};
use crate::pattern::canary;

/// A handle and its model.
pub(crate) struct Held<H> {
    pub(crate) handle: H,
    pub(crate) bytes: Vec<u8>,
    /// None: static or empty.
    pub(crate) home: Option<Rc<Buffer>>,
    /// The side that pays for growth and copies.
    pub(crate) payer: Option<usize>,
    /// Whether another half has what lies in front, and behind.
    pub(crate) cut: [bool; 2],
}

impl<H> Held<H> {
    pub(crate) fn is_unique(&self) -> bool {
        self.home.as_ref().is_some_and(|home| Rc::strong_count(home) == 1)
    }

    pub(crate) fn is_sticky(&self) -> bool {
        self.home.as_ref().is_some_and(|home| home.sticky.get())
    }

    /// Who pays for an empty handle made from this one: an empty handle cannot be sticky, so it
    /// forgets its pool.
    pub(crate) fn payer_of_empty(&self) -> Option<usize> {
        if self.is_sticky() { None } else { self.payer }
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.home.as_ref().is_some_and(|home| home.tier.is_some())
    }

    /// What it may call its own when no other handle has any of the buffer.
    pub(crate) fn take_whole(&mut self) {
        if self.is_unique() {
            self.cut = [false; 2];
        }
    }

    /// Bytes of the buffer; 0 without one.
    pub(crate) fn size(&self) -> usize {
        self.home.as_ref().map_or(0, |home| home.size)
    }
}

/// Two pools and all handles, each beside its model.
pub struct World<const FREE_NOW: bool> {
    pub(crate) muts: Vec<Held<BytesMut>>,
    pub(crate) shared: Vec<Held<Bytes>>,
    pub(crate) raws: Vec<Raw>,
    /// After the handles, so that these are dropped first.
    pub(crate) sides: [Side<FREE_NOW>; 2],
    fills: u64,
}

/// The element that `at` means, taken out.
pub(crate) fn take<T>(list: &mut Vec<T>, at: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(at % list.len()))
}

impl<const FREE_NOW: bool> World<FREE_NOW> {
    /// Two idle pools.
    pub fn new(setup: &[Shape; 2]) -> Self {
        let sides = [Side::new(0, &setup[0]), Side::new(1, &setup[1])];
        World { sides, muts: Vec::new(), shared: Vec::new(), raws: Vec::new(), fills: 0 }
    }

    /// One of the two pools.
    pub fn pool(&self, number: usize) -> &'static Pool {
        self.sides[number].pool
    }

    /// Does all that, and checks everything after each step, and that all is home at the end.
    pub fn run(mut self, ops: &[Op]) {
        for op in ops {
            self.step(op);
            self.check();
        }
        self.muts.clear();
        self.shared.clear();
        while !self.raws.is_empty() {
            self.deallocate(0, false);
        }
        self.sides.iter().for_each(Side::check_home);
    }

    fn check(&self) {
        for held in &self.muts {
            let handle = &held.handle;
            assert_eq!(*handle, held.bytes);
            assert_eq!(handle.len(), held.bytes.len());
            assert_eq!(handle.is_empty(), held.bytes.is_empty());
            assert_eq!(handle.footprint(), held.size());
            assert_eq!([handle.headroom(), handle.capacity()], held.room());
            assert!(handle.capacity() >= handle.len());
            assert_eq!(handle.is_pooled(), held.is_pooled());
            if let Some(home) = &held.home {
                assert_eq!(
                    self.sides[home.side].pool.owns(home.base as *const u8),
                    home.tier.is_some()
                );
            }
        }
        self.check_halves();
        for held in &self.shared {
            let handle = &held.handle;
            assert_eq!(*handle, held.bytes);
            assert_eq!(handle.is_unique(), held.is_unique());
            assert_eq!(handle.footprint(), held.size());
            assert_eq!(handle.is_pooled(), held.is_pooled());
            if let Some(home) = &held.home {
                assert!(
                    (home.base..=home.base + home.size - handle.len())
                        .contains(&handle.as_ptr().addr())
                );
            }
        }
        self.raws.iter().for_each(Raw::check);
        self.sides.iter().for_each(Side::check);
    }

    /// Bytes that nobody has written before; none where there cannot be so many.
    pub(crate) fn fresh(&mut self, len: usize) -> Option<Vec<u8>> {
        self.fills += 1;
        (len < 1000).then(|| canary(self.fills, len))
    }

    /// Headroom as the pool that pays for a handle rounds it; none if that overflows.
    pub(crate) fn rounded(&self, payer: Option<usize>, headroom: usize) -> Option<usize> {
        payer.map_or(Some(headroom), |payer| self.sides[payer].rounded(headroom))
    }

    /// Foretells a request; none if nobody pays.
    pub(crate) fn request(
        &self,
        payer: Option<usize>,
        headroom: usize,
        capacity: usize,
        sticky: bool,
    ) -> Option<Request> {
        payer.map(|payer| self.sides[payer].request(headroom, capacity, sticky))
    }

    /// The request was not served, for a good reason.
    pub(crate) fn refused(&mut self, request: Option<Request>, error: AllocError) {
        match request {
            None => assert_eq!(error, AllocError::NoPool),
            Some(request) => self.sides[request.side].refused(&request, error),
        }
    }

    /// A new buffer with these bytes, that a request was answered with.
    pub(crate) fn settle(
        &mut self,
        request: &Request,
        mut handle: BytesMut,
        bytes: Vec<u8>,
    ) -> Held<BytesMut> {
        let (headroom, len, size) = (handle.headroom(), handle.len(), handle.footprint());
        let base = handle.as_ptr().addr() - headroom;
        let side = &mut self.sides[request.side];
        let home = side.granted(request, base, size);
        // SAFETY: all memory of a test's pool was zero at first, and the buffer is ours.
        let whole = unsafe { std::slice::from_raw_parts(handle.as_mut_ptr().sub(headroom), size) };
        let mut vacant = whole[..headroom].iter().chain(&whole[headroom + len..]);
        assert!(
            !side.shape.zero_on_free || vacant.all(|&byte| byte == 0),
            "a freed slot was not wiped"
        );
        Held { handle, bytes, home: Some(home), payer: Some(request.side), cut: [false; 2] }
    }

    fn alloc(&mut self, pool: usize, how: How, bytes: usize) {
        let sticky = matches!(how, How::Pooled);
        let headroom = if let How::Headroom(headroom) = how { headroom } else { 0 };
        let side = &self.sides[pool];
        let (pool, rounded) = (side.pool, side.rounded(headroom));
        let request = side.request(headroom, bytes, sticky);
        let expected = match (how, self.fresh(bytes)) {
            (How::Copied, None) => return,
            (How::Copied, Some(copied)) => copied,
            (How::Zeroed, Some(data)) => vec![0; data.len()],
            _ => Vec::new(),
        };
        let result = match how {
            How::Plain => pool.alloc(bytes),
            How::Pooled => pool.alloc_pooled(bytes),
            How::Headroom(headroom) => pool.alloc_with_headroom(headroom, bytes),
            How::Zeroed => pool.zeroed(bytes),
            How::Copied => pool.copy_from_slice(&expected),
        };
        match result {
            Ok(buffer) => {
                assert_eq!(Some(buffer.headroom()), rounded);
                assert!(buffer.capacity() >= bytes);
                let held = self.settle(&request, buffer, expected);
                self.muts.push(held);
            }
            Err(error) => self.sides[request.side].refused(&request, error),
        }
    }

    /// Bytes that live for ever.
    fn add_static(&mut self, len: usize) {
        static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| canary(u64::MAX, 1000));
        let Some(bytes) = BYTES.get(..len) else { return };
        self.shared.push(Held {
            handle: Bytes::from_static(bytes),
            bytes: bytes.to_vec(),
            home: None,
            payer: None,
            cut: [false; 2],
        });
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Alloc { pool, how, bytes } => self.alloc(pool, how, bytes),
            Op::Static { bytes } => self.add_static(bytes),
            Op::Grow { at, how, bytes, payer } => self.grow(at, how, bytes, payer),
            Op::AdvanceMut { at, bytes } => self.advance_mut(at, bytes),
            Op::TruncateMut { at, len } => self.truncate_mut(at, len),
            Op::Reset { at, headroom } => self.reset(at, headroom),
            Op::WriteMut { at } => self.write_mut(at),
            Op::Freeze { at } => self.freeze(at),
            Op::IntoRaw { at } => self.turn_raw(at),
            Op::SplitMut { at, pos, front } => self.split_mut(at, pos, front),
            Op::SplitAll { at } => self.split_all(at),
            Op::Unsplit { at, other } => self.unsplit(at, other),
            Op::DropMut { at } => drop(take(&mut self.muts, at)),
            Op::Clone { at } => self.clone_one(at),
            Op::Slice { at, from, to } => self.slice(at, from, to),
            Op::SliceClamped { at, from, len } => self.slice_clamped(at, from, len),
            Op::SliceRef { at, from, to } => self.slice_ref(at, from, to),
            Op::SplitTo { at, pos } => self.split(at, pos, true),
            Op::SplitOff { at, pos } => self.split(at, pos, false),
            Op::Advance { at, bytes } => self.advance(at, bytes),
            Op::Truncate { at, len } => self.truncate(at, len),
            Op::MakeMut { at, payer } => self.make_mut(at, payer),
            Op::IntoMut { at, payer } => self.turn_mut(at, payer),
            Op::TryIntoMut { at } => self.try_turn_mut(at),
            Op::Compact { at, pool } => self.compact(at, pool),
            Op::Drop { at } => drop(take(&mut self.shared, at)),
            Op::Allocate { pool, bytes } => self.allocate(pool, bytes),
            Op::Deallocate { at, sized } => self.deallocate(at, sized),
            Op::FromRaw { at } => self.turn_raw_mut(at),
            Op::BadFree { at } => self.bad_free(at),
            Op::Reclaim { pool } => self.sides[pool].reclaim(),
            Op::HeapServes { pool, calls } => {
                self.sides[pool].heap.allow(calls.unwrap_or(usize::MAX))
            }
        }
    }
}

//! One pool beside what it must answer.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use tierpool::{AllocError, Config, Pool};

use crate::audit::assert_all_home;
use crate::heap::Heap;
use crate::memory::PoolMemory;
use crate::model::ops::Shape;

/// One buffer; every handle that shares it holds one `Rc`.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) side: usize,
    /// Address and size of the whole slot or payload.
    pub(crate) base: usize,
    pub(crate) size: usize,
    /// None: in the heap.
    pub(crate) tier: Option<usize>,
    pub(crate) sticky: Cell<bool>,
}

/// A request that is about to be made, and what must become of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) side: usize,
    pub(crate) sticky: bool,
    /// The tier that has to serve it.
    pub(crate) tier: Option<usize>,
    /// Bytes, headroom included; none if the sum overflows.
    capacity: Option<usize>,
    /// The smallest tier that fits.
    first: Option<usize>,
    heap_refusals: usize,
}

pub(crate) struct Side<const FREE_NOW: bool> {
    pub(crate) pool: &'static Pool,
    pub(crate) shape: Shape,
    pub(crate) heap: &'static Heap<FREE_NOW>,
    /// Goes with the side, as the heap does.
    _memory: PoolMemory,
    heap_memory: *mut Heap<FREE_NOW>,
    index: usize,
    tiers: Vec<Tier>,
    in_heap: Vec<Weak<Buffer>>,
    exhausted: u64,
    fallbacks: u64,
    errors: u64,
}

struct Tier {
    stride: usize,
    slots: usize,
    live: Vec<Weak<Buffer>>,
    peak: usize,
    served: u64,
    missed: u64,
}

impl<const FREE_NOW: bool> Side<FREE_NOW> {
    pub(crate) fn new(index: usize, shape: &Shape) -> Self {
        let heap_memory = Box::into_raw(Box::new(Heap::new()));
        // SAFETY: just allocated, and freed when the side is dropped; the pool that refers to it
        // goes at the same time.
        let heap: &'static Heap<FREE_NOW> = unsafe { &*heap_memory };
        let mut config = Config::new(shape.tiers)
            .align(shape.align)
            .spill(shape.spill)
            .zero_on_free(shape.zero_on_free);
        if shape.heap {
            config = config.fallback(heap);
        }
        let tier = |&(size, slots): &(usize, usize)| Tier {
            stride: size.next_multiple_of(shape.align),
            slots,
            live: Vec::new(),
            peak: 0,
            served: 0,
            missed: 0,
        };
        let tiers = shape.tiers.iter().map(tier).collect();
        let memory = PoolMemory::new(&config).unwrap();
        // SAFETY: a case drops its handles, and then its sides.
        let pool = unsafe { memory.pool() };
        Side {
            pool,
            shape: shape.clone(),
            heap,
            _memory: memory,
            heap_memory,
            index,
            tiers,
            in_heap: Vec::new(),
            exhausted: 0,
            fallbacks: 0,
            errors: 0,
        }
    }

    /// Headroom as the pool rounds it; none if that overflows.
    pub(crate) fn rounded(&self, headroom: usize) -> Option<usize> {
        headroom.checked_next_multiple_of(self.shape.align)
    }

    /// The smallest slot for so many bytes.
    pub(crate) fn slot_size_for(&self, bytes: usize) -> Option<usize> {
        self.tiers.iter().map(|tier| tier.stride).find(|&stride| stride >= bytes)
    }

    /// Foretells a request for `capacity` bytes behind `headroom`.
    pub(crate) fn request(&self, headroom: usize, capacity: usize, sticky: bool) -> Request {
        let capacity = self.rounded(headroom).and_then(|headroom| headroom.checked_add(capacity));
        let first =
            capacity.and_then(|bytes| self.tiers.iter().position(|tier| tier.stride >= bytes));
        let has_free = |&tier: &usize| {
            self.tiers[tier].live.iter().filter(|buffer| buffer.strong_count() > 0).count()
                < self.tiers[tier].slots
        };
        let tier = first
            .and_then(|first| (first..self.tiers.len()).take(1 + self.shape.spill).find(has_free));
        Request {
            side: self.index,
            sticky,
            tier,
            capacity,
            first,
            heap_refusals: self.heap.refused(),
        }
    }

    /// Counts the tiers that a request has found empty.
    fn count(&mut self, request: &Request) {
        let Some(first) = request.first else { return };
        let tried = self.tiers[first..].iter_mut().take(1 + self.shape.spill);
        let empty = request.tier.map_or(usize::MAX, |tier| tier - first);
        tried.take(empty).for_each(|tier| tier.missed += 1);
        self.exhausted += u64::from(request.tier.is_none());
    }

    /// The request was served with this memory: as foretold, and not with anybody else's.
    pub(crate) fn granted(&mut self, request: &Request, base: usize, size: usize) -> Rc<Buffer> {
        self.count(request);
        let capacity = request.capacity.expect("no memory is that large");
        let owned = self.pool.owns(base as *const u8);
        let sticky = Cell::new(request.sticky);
        let buffer = Rc::new(Buffer { side: self.index, base, size, tier: request.tier, sticky });
        let buffers = match request.tier {
            Some(tier) => {
                assert!(owned, "{request:?}");
                assert_eq!(size, self.tiers[tier].stride, "{request:?}");
                self.tiers[tier].served += 1;
                &mut self.tiers[tier].live
            }
            None => {
                assert!(
                    self.shape.heap && !request.sticky && !owned && size >= capacity,
                    "{request:?}"
                );
                assert_eq!(base % self.shape.align, 0, "both ends are aligned");
                assert_eq!(size % self.shape.align, 0, "both ends are aligned");
                self.fallbacks += 1;
                &mut self.in_heap
            }
        };
        buffers.retain(|other| other.strong_count() > 0);
        for other in buffers.iter().filter_map(Weak::upgrade) {
            assert!(
                base + size <= other.base || other.base + other.size <= base,
                "handed out twice: {other:?}"
            );
        }
        buffers.push(Rc::downgrade(&buffer));
        let live = buffers.len();
        match request.tier {
            Some(tier) => self.tiers[tier].peak = self.tiers[tier].peak.max(live),
            // Deferred buffers went home before the heap was asked; one that this step let go of is
            // still counted here.
            None => assert!(
                FREE_NOW || self.heap.outstanding().0 == live,
                "deferred buffers are still out"
            ),
        }
        buffer
    }

    /// The request was served, but the buffer was no smaller than `limit`, and has gone back
    /// already.
    pub(crate) fn granted_in_vain(&mut self, request: &Request, limit: usize) {
        self.count(request);
        let Some(tier) = request.tier else {
            self.fallbacks += 1;
            return;
        };
        let live = self.tiers[tier].live.iter().filter(|buffer| buffer.strong_count() > 0).count();
        let tier = &mut self.tiers[tier];
        assert!(tier.stride >= limit, "it would have helped: {request:?}");
        tier.served += 1;
        tier.peak = tier.peak.max(live + 1);
    }

    /// The request was not served: no slot was free, and the heap was not to be asked or has
    /// refused.
    pub(crate) fn refused(&mut self, request: &Request, error: AllocError) {
        self.count(request);
        self.errors += 1;
        assert_eq!(request.tier, None, "a slot was free: {error:?}");
        assert_eq!(
            error,
            if request.first.is_some() { AllocError::Exhausted } else { AllocError::Oversized }
        );
        let payable = self.shape.heap
            && !request.sticky
            && request.capacity.is_some_and(|bytes| bytes < isize::MAX as usize);
        assert!(
            !payable || self.heap.refused() > request.heap_refusals,
            "the heap was not asked: {request:?}"
        );
    }

    /// Every count equals the model's.
    pub(crate) fn check(&self) {
        let alive = |buffers: &[Weak<Buffer>]| {
            buffers.iter().filter(|buffer| buffer.strong_count() > 0).count()
        };
        let stats = self.pool.stats();
        for (found, tier) in stats.tiers().iter().zip(&self.tiers) {
            assert_eq!(found.size, tier.stride);
            assert_eq!(found.slots, tier.slots);
            assert!(found.exact);
            assert_eq!(found.in_use, alive(&tier.live));
            assert_eq!(found.peak, tier.peak);
            assert_eq!(found.served, tier.served);
            assert_eq!(found.missed, tier.missed);
        }
        assert_eq!(stats.fallbacks(), self.fallbacks);
        assert_eq!(stats.fallback_live() as usize, alive(&self.in_heap));
        assert_eq!(stats.exhausted(), self.exhausted);
        assert_eq!(stats.requests(), stats.hits() + stats.misses());
        assert!(
            stats.misses() >= self.fallbacks
                && stats.misses() <= 2 * (self.fallbacks + self.errors),
            "growth may ask twice"
        );
        assert_eq!(
            self.pool.is_idle(),
            stats.fallback_live() == 0 && self.tiers.iter().all(|tier| alive(&tier.live) == 0)
        );

        let (payloads, controls) = self.heap.outstanding();
        assert_eq!(payloads, controls);
        assert!(if FREE_NOW {
            payloads == alive(&self.in_heap)
        } else {
            payloads >= alive(&self.in_heap)
        });
        assert!(!self.shape.zero_on_free || self.heap.dirty() == 0);
    }

    /// Brings the deferred buffers home.
    pub(crate) fn reclaim(&self) {
        let (before, _) = self.heap.outstanding();
        let deferred = before - self.pool.stats().fallback_live() as usize;
        assert_eq!(self.pool.reclaim(), deferred);
        assert_eq!(self.pool.reclaim(), 0);
        assert_eq!(self.heap.outstanding().0, before - deferred);
    }

    /// At the end, when all handles are gone.
    pub(crate) fn check_home(&self) {
        self.check();
        assert_all_home(self.pool);
        assert_eq!(self.heap.outstanding(), (0, 0));
    }
}

impl<const FREE_NOW: bool> Drop for Side<FREE_NOW> {
    fn drop(&mut self) {
        // SAFETY: from a box, by `new`; the handles are gone.
        drop(unsafe { Box::from_raw(self.heap_memory) });
    }
}

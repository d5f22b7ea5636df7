//! One pool beside its model.

use std::alloc::Layout;
use std::ptr::NonNull;
use tierpool::{AllocError, Bytes, Config, FreeError, Pool, PoolCache};
use tierpool_testkit::{Choices, PoolMemory, Program, canary, check_canary, give_back, take_all};

/// Who holds a slot.
#[derive(Clone, Copy, PartialEq)]
pub enum Holder {
    /// The free list, or the cache.
    Nobody,
    /// We, as plain memory, full of the canary of its address. With its layout, if it was asked for
    /// by one.
    Raw(Option<Layout>),
    Handles,
}

pub struct Slot {
    pub base: usize,
    pub size: usize,
    pub holder: Holder,
}

pub struct Side {
    handles: Vec<Bytes>,
    /// Its batches are of three slots: a chain with a first, a middle and a last one.
    cache: PoolCache<5, 4>,
    pool: &'static Pool,
    pub slots: Vec<Slot>,
    spill: usize,
    wipes: bool,
    /// Last, so that handles and cache go first.
    _memory: PoolMemory,
}

impl Side {
    pub fn new(options: usize) -> Side {
        let tiers: &[(usize, usize)] =
            if options & 1 == 0 { &[(16, 6), (64, 3), (200, 2)] } else { &[(10, 7), (100, 1)] };
        let (spill, wipes) = (options >> 1 & 1, options & 4 != 0);
        let align = if options & 8 == 0 { 1 } else { 32 };
        let memory =
            PoolMemory::new(&Config::new(tiers).align(align).spill(spill).zero_on_free(wipes))
                .unwrap();
        // SAFETY: handles and cache are dropped before the memory.
        let pool = unsafe { memory.pool() };
        let mut side = Side {
            handles: Vec::new(),
            cache: PoolCache::new(pool),
            pool,
            slots: Vec::new(),
            spill,
            wipes,
            _memory: memory,
        };
        side.find_slots();
        side
    }

    /// All slots, by taking them, those of the largest tier first.
    fn find_slots(&mut self) {
        let mut taken = Vec::new();
        take_all(self.pool, |slot| taken.push(slot));
        self.slots.extend(taken.iter().map(|slot| Slot {
            base: slot.cast::<u8>().addr().get(),
            size: slot.len(),
            holder: Holder::Nobody,
        }));
        // SAFETY: taken just now.
        unsafe { give_back(self.pool, taken.iter().map(|slot| slot.cast())) };
    }

    /// The number of the slot that an address lies in.
    fn slot_of(&self, address: usize) -> Option<usize> {
        self.slots.iter().position(|slot| (slot.base..slot.base + slot.size).contains(&address))
    }

    /// A slot that the pool says is ours now: it was nobody's.
    fn granted(&mut self, base: usize, size: usize, holder: Holder) {
        let slot =
            self.slots.iter_mut().find(|slot| slot.base == base).expect("a slot of the pool");
        assert_eq!(slot.size, size);
        assert!(slot.holder == Holder::Nobody, "handed out twice");
        slot.holder = holder;
    }

    /// Not for want of a slot.
    fn refused(&self, size: usize, error: AllocError) {
        let mut sizes: Vec<usize> = self
            .pool
            .stats()
            .tiers()
            .iter()
            .map(|tier| tier.size)
            .filter(|&fits| fits >= size)
            .collect();
        assert_eq!(error == AllocError::Oversized, sizes.is_empty());
        sizes.truncate(1 + self.spill);
        let free = self
            .slots
            .iter()
            .filter(|slot| sizes.contains(&slot.size) && slot.holder == Holder::Nobody)
            .count();
        assert!(free <= self.cache.cached(), "refused, but {free} slots are free");
    }

    pub fn allocate(&mut self, layout: Layout) {
        match self.pool.allocate(layout) {
            Ok(slot) => {
                let base = slot.cast::<u8>().addr().get();
                assert!(slot.len() >= layout.size() && base.is_multiple_of(layout.align()));
                self.granted(base, slot.len(), Holder::Raw(Some(layout)));
                self.fill(slot);
            }
            // A larger alignment than the bytes' own may be what no tier has.
            Err(error) if layout.align() == 1 => self.refused(layout.size(), error),
            Err(_) => {}
        }
    }

    /// A slot that was just granted holds nothing of its last owner's.
    fn check_wiped(&self, slot: NonNull<[u8]>) {
        if self.wipes {
            // SAFETY: the slot is ours, and its memory was zero at first, so all of it is
            // initialised.
            let bytes = unsafe { slot.as_ref() };
            assert!(bytes.iter().all(|&byte| byte == 0), "a freed slot was not wiped");
        }
    }

    fn fill(&self, mut slot: NonNull<[u8]>) {
        self.check_wiped(slot);
        // SAFETY: the same.
        let bytes = unsafe { slot.as_mut() };
        bytes.copy_from_slice(&canary(bytes.as_ptr().addr() as u64, bytes.len()));
    }

    /// What a free or a `from_raw` must say.
    fn verdict(&self, pointer: NonNull<u8>) -> Result<(), FreeError> {
        let address = pointer.addr().get();
        match self.slot_of(address).map(|number| &self.slots[number]) {
            None => Err(FreeError::Foreign),
            Some(slot) if slot.base != address => Err(FreeError::Interior),
            Some(slot) if matches!(slot.holder, Holder::Raw(_)) => Ok(()),
            Some(_) => Err(FreeError::NotAllocated),
        }
    }

    fn now_held_by(&mut self, pointer: NonNull<u8>, holder: Holder) {
        let number = self.slot_of(pointer.addr().get()).expect("a slot");
        self.slots[number].holder = holder;
    }

    pub fn deallocate(&mut self, pointer: NonNull<u8>) {
        let verdict = self.verdict(pointer);
        // SAFETY: if it is a raw slot, it is ours, and we give it up.
        assert_eq!(unsafe { self.pool.deallocate(pointer) }, verdict);
        if verdict.is_ok() {
            self.now_held_by(pointer, Holder::Nobody);
            // SAFETY: not raw any more.
            assert_eq!(unsafe { self.pool.deallocate(pointer) }, Err(FreeError::NotAllocated));
        }
    }

    pub fn free_sized(&mut self, base: usize) {
        let pointer = NonNull::new(base as *mut u8).unwrap();
        let slot = self.slots.iter().find(|slot| slot.base == base).expect("a slot");
        let Holder::Raw(Some(layout)) = slot.holder else { return };
        // SAFETY: ours, asked for with this layout, and given up.
        unsafe { self.pool.deallocate_sized(pointer, layout) };
        self.now_held_by(pointer, Holder::Nobody);
    }

    pub fn turn_into_handle(&mut self, pointer: NonNull<u8>) {
        let verdict = self.verdict(pointer);
        // SAFETY: if it is a raw slot, it is ours, and the pointer is not used any more.
        let result = unsafe { self.pool.from_raw(pointer) };
        assert_eq!(result.as_ref().err(), verdict.err().as_ref());
        if let Ok(mut buffer) = result {
            // SAFETY: a raw slot of ours is full of its canary.
            unsafe { buffer.set_len(buffer.capacity()) };
            check_canary(pointer.addr().get() as u64, &buffer);
            self.now_held_by(pointer, Holder::Handles);
            self.handles.push(buffer.freeze());
        }
    }

    pub fn check_owns(&self, pointer: NonNull<u8>) {
        assert_eq!(self.pool.owns(pointer.as_ptr()), self.slot_of(pointer.addr().get()).is_some());
    }

    /// A handle, full of the canary of its address.
    fn keep(&mut self, size: usize, result: Result<tierpool::BytesMut, AllocError>) {
        match result {
            Ok(mut buffer) => {
                let address = buffer.as_ptr().addr();
                let start = NonNull::new(buffer.as_mut_ptr()).expect("not null");
                self.check_wiped(NonNull::slice_from_raw_parts(start, buffer.capacity()));
                buffer.extend_from_slice(&canary(address as u64, buffer.capacity())).unwrap();
                self.granted(address, buffer.capacity(), Holder::Handles);
                self.handles.push(buffer.freeze());
            }
            Err(error) => self.refused(size, error),
        }
    }

    pub fn alloc(&mut self, size: usize) {
        self.keep(size, self.pool.alloc(size));
    }

    pub fn cache_alloc(&mut self, size: usize) {
        let result = self.cache.alloc(size);
        self.keep(size, result);
    }

    fn take_handle(&mut self, program: &mut Program) -> Option<Bytes> {
        if self.handles.is_empty() {
            None
        } else {
            Some(self.handles.swap_remove(program.below(self.handles.len())))
        }
    }

    /// Notes that a handle is about to go.
    fn goes(&mut self, handle: &Bytes) {
        if handle.is_unique() {
            self.now_held_by(NonNull::from(&handle[0]), Holder::Nobody);
        }
    }

    pub fn share(&mut self, program: &mut Program) {
        if let Some(handle) = self.take_handle(program) {
            self.handles.extend([handle.clone(), handle]);
        }
    }

    pub fn drop_one(&mut self, program: &mut Program) {
        if let Some(handle) = self.take_handle(program) {
            self.goes(&handle);
        }
    }

    pub fn recycle(&mut self, program: &mut Program) {
        match self.take_handle(program) {
            Some(handle) => {
                self.goes(&handle);
                self.cache.recycle(handle);
            }
            None => self.cache.flush(),
        }
    }

    pub fn turn_raw(&mut self, program: &mut Program) {
        let Some(handle) = self.take_handle(program) else { return };
        match handle.try_into_mut() {
            Ok(buffer) => {
                let slot = buffer.into_raw().unwrap();
                self.now_held_by(slot.cast(), Holder::Raw(None));
            }
            Err(handle) => self.handles.push(handle),
        }
    }

    /// Every slot is where the model has it, and whole.
    pub fn check(&self) {
        let held = self.slots.iter().filter(|slot| slot.holder != Holder::Nobody);
        let stats = self.pool.stats();
        let count = |count: fn(&tierpool::TierStats) -> usize| {
            stats.tiers().iter().map(count).sum::<usize>()
        };
        assert_eq!(count(|tier| tier.in_use), held.count());
        assert_eq!(count(|tier| tier.cached), self.cache.cached());
        for slot in self.slots.iter().filter(|slot| matches!(slot.holder, Holder::Raw(_))) {
            // SAFETY: the slot is ours, and has been filled.
            check_canary(slot.base as u64, unsafe {
                std::slice::from_raw_parts(slot.base as *const u8, slot.size)
            });
        }
        self.handles.iter().for_each(|handle| check_canary(handle.as_ptr().addr() as u64, handle));
    }

    /// A mistake on purpose: a raw slot is freed, and the model not told.
    pub fn free_unseen(&mut self) {
        if let Some(slot) = self.slots.iter().find(|slot| matches!(slot.holder, Holder::Raw(_))) {
            // SAFETY: ours, and given up; that the model still has it is the mistake.
            unsafe { self.pool.deallocate(NonNull::new(slot.base as *mut u8).unwrap()) }.unwrap();
        }
    }

    /// Gives all back: every slot can be taken again.
    pub fn finish(mut self) {
        self.handles.clear();
        self.cache.flush();
        for slot in self.slots.iter().filter(|slot| matches!(slot.holder, Holder::Raw(_))) {
            // SAFETY: ours, and given up.
            unsafe { self.pool.deallocate(NonNull::new(slot.base as *mut u8).unwrap()) }.unwrap();
        }
        assert!(self.pool.is_idle(), "not all slots have come home");
    }
}

//! Random sequences of everything that safe code can do, looked at from outside: whose bytes can be
//! seen?
//!
//! ```text
//!   without zero_on_free   all memory is full of THEIRS, again and again; every byte that the owner may see is one
//!                          that it has written itself
//!   with zero_on_free      the owner writes THEIRS; every slot that it gets is all zero, and at the end so is
//!                          all memory of the pools, read past them
//! ```
//!
//! The last test compares the methods that are called here with those that the sources have.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::fmt::Write;
#[cfg(feature = "wait")]
use std::future::Future;
use std::mem::MaybeUninit;
#[cfg(feature = "wait")]
use std::pin::pin;
use std::ptr::NonNull;
#[cfg(feature = "wait")]
use std::task::{Context, Poll, Waker};
use tierpool::{
    Bytes, BytesMut, ChainMut, Config, Fallback, ObjectPool, Pool, PoolCache, PoolStorage,
    RecyclePool, SlotState,
};
use tierpool_testkit::{assert_all_home, keep, leak};

/// What another owner has written, or, with `zero_on_free`, what the next owner must not see.
const THEIRS: u8 = 0xEE;
/// What this owner writes otherwise.
const OURS: u8 = 0x11;

/// A heap that hands out what others left in its memory.
#[derive(Debug)]
struct UsedHeap;

// SAFETY: memory of the global allocator, which is not called in the context of a drop.
unsafe impl Fallback for UsedHeap {
    fn free_in_interrupt(&self) -> bool {
        false
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero.
        let payload = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: just allocated.
        unsafe { payload.write_bytes(THEIRS, layout.size()) };
        Some(payload)
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: it comes from `alloc` with this layout.
        unsafe { dealloc(payload.as_ptr(), layout) }
    }
}

/// A pool, and its memory as whoever gave it sees it.
struct Looked {
    pool: &'static Pool,
    payload: *mut u8,
    bytes: usize,
}

impl Looked {
    /// Memory that is full of `left` at first.
    fn new(config: &Config<'_>, left: u8) -> Self {
        let layout =
            Layout::from_size_align(config.payload_bytes(), config.payload_align()).unwrap();
        let states = leak(Box::<[SlotState]>::new_uninit_slice(config.slots()));
        // SAFETY: a geometry has payload, so the size is not zero. Never freed; the pool's alone
        // until the last look.
        let (payload, region) = unsafe {
            let payload = alloc_zeroed(layout);
            payload.write_bytes(left, layout.size());
            (
                payload,
                std::slice::from_raw_parts_mut(payload.cast::<MaybeUninit<u8>>(), layout.size()),
            )
        };
        let pool = Pool::from_static_parts(
            config,
            states,
            region,
            leak(Box::<PoolStorage<4>>::new_uninit()),
        )
        .unwrap();
        keep(payload.addr());
        Looked { pool, payload, bytes: layout.size() }
    }

    /// The last look: all memory of a pool that is used no more.
    fn into_memory(self) -> &'static [u8] {
        assert_all_home(self.pool);
        // SAFETY: nobody uses the pool any more, and its memory was initialised above.
        unsafe { std::slice::from_raw_parts(self.payload, self.bytes) }
    }
}

/// One owner, who does what a case says.
struct Owner {
    wiped: bool,
    pools: [&'static Pool; 2],
    /// Its batches are of three slots: a chain with a first, a middle and a last one.
    cache: PoolCache<5, 4>,
    muts: Vec<BytesMut>,
    shared: Vec<Bytes>,
    objects: &'static ObjectPool<[u8; 8], 2>,
    data: [u8; 300],
}

/// One step: what is done, to which handle, at whose cost, with two numbers of bytes.
type Step = (usize, usize, usize, usize, usize);

const ALLOCATES: usize = 16;
const ON_MUTS: usize = 27;
const ON_SHARED: usize = 19;
const OTHERS: usize = 6;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![3 => 0..ALLOCATES, 4 => 100..100 + ON_MUTS, 4 => 200..200 + ON_SHARED, 1 => 300..300 + OTHERS];
    let bytes = || prop_oneof![8 => 0..40usize, 3 => 40..300usize, 1 => (0..40usize).prop_map(|n| usize::MAX - n)];
    vec((what, 0..16usize, 0..2usize, bytes(), bytes()), 1..100)
}

fn swap_out<T>(list: &mut Vec<T>, at: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(at % list.len()))
}

impl Owner {
    fn new(pools: [&'static Pool; 2], wiped: bool) -> Self {
        let objects = leak(Box::new(ObjectPool::new()));
        let data = [if wiped { THEIRS } else { OURS }; 300];
        Owner {
            wiped,
            pools,
            cache: PoolCache::new(pools[0]),
            muts: Vec::new(),
            shared: Vec::new(),
            objects,
            data,
        }
    }

    fn data(&self, bytes: usize) -> Vec<u8> {
        self.data[..bytes.min(300)].to_vec()
    }

    fn step(&mut self, &(what, at, pool, m, n): &Step) {
        let payer = self.pools[pool];
        match what {
            0..100 => self.allocate(what, payer, m, n),
            100..200 => {
                if let Some(buffer) = swap_out(&mut self.muts, at) {
                    self.on_mut(what - 100, buffer, payer, m, n);
                }
            }
            200..300 => {
                if let Some(bytes) = swap_out(&mut self.shared, at) {
                    self.on_shared(what - 200, bytes, payer, m, n);
                }
            }
            300 => self.cache.flush(),
            301 => {
                let _ = (payer.reclaim(), payer.stats(), payer.is_idle(), payer.arm_free_notify(m));
            }
            302 => self.others_use_everything(),
            303 => self.muts.clear(),
            304 => self.use_a_chain(payer, m, n),
            _ => self.use_objects(),
        }
        self.muts.iter().for_each(|buffer| self.look_at(buffer));
        self.shared.iter().for_each(|bytes| self.look_at(bytes));
    }

    fn allocate(&mut self, what: usize, pool: &'static Pool, m: usize, n: usize) {
        let made = match what {
            0 => pool.alloc(m),
            1 => pool.alloc_pooled(m),
            2 => pool.alloc_with_headroom(m, n),
            3 => pool.zeroed(m.min(300)),
            4 => pool.copy_from_slice(&self.data(m)),
            5 => self.cache.alloc(m),
            6 => self.cache.alloc_pooled(m),
            #[cfg(feature = "wait")]
            7 => match pin!(pool.alloc_wait(m)).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(buffer)) => Ok(buffer),
                _ => return,
            },
            #[cfg(not(feature = "wait"))]
            7 => return,
            8 => pool.copy_from_iter(self.data(m)),
            #[cfg(feature = "bytes")]
            9 => pool.copy_from_buf(&self.data(m)[..]),
            11 => pool.copy_with_headroom(n, &self.data(m)),
            12 => self.cache.alloc_with_headroom(n, m),
            13 => self.cache.zeroed(m.min(300)),
            14 => self.cache.copy_from_slice(&self.data(m)),
            #[cfg(feature = "reserve")]
            15 => pool.alloc_reserved(m),
            #[cfg(feature = "reserve")]
            16 => {
                let Ok(layout) = Layout::from_size_align(m, 1) else { return };
                // SAFETY: the slot is ours; it becomes a handle.
                pool.allocate_reserved(layout)
                    .map(|slot| unsafe { pool.from_raw(slot.cast()) }.unwrap())
            }
            10 => {
                return self.shared.extend([
                    Bytes::new(),
                    Bytes::from_static(&[OURS; 40]),
                    Bytes::default(),
                ]);
            }
            _ => {
                let Ok(layout) = Layout::from_size_align(m, 1) else { return };
                // SAFETY: the slot is ours; it becomes a handle.
                pool.allocate(layout).map(|slot| unsafe { pool.from_raw(slot.cast()) }.unwrap())
            }
        };
        let Ok(mut buffer) = made else { return };
        self.look_at_a_new_slot(&mut buffer);
        self.muts.push(buffer);
    }

    fn look_at_a_new_slot(&self, buffer: &mut BytesMut) {
        if self.wiped && buffer.is_pooled() {
            let (headroom, len, whole) = (buffer.headroom(), buffer.len(), buffer.footprint());
            // SAFETY: the memory of these pools was initialised by the test, and the slot is ours.
            let slot =
                unsafe { std::slice::from_raw_parts(buffer.as_mut_ptr().sub(headroom), whole) };
            assert!(
                slot[..headroom].iter().chain(&slot[headroom + len..]).all(|&byte| byte == 0),
                "another's bytes in a new slot"
            );
        }
    }

    /// Several slots as one. Its parts are kept.
    fn use_a_chain(&mut self, pool: &'static Pool, m: usize, n: usize) {
        let (data, made) = (self.data(n), pool.alloc_chain(m));
        let Ok(mut filled): Result<ChainMut<4>, _> = made else { return };
        filled.parts_mut().iter_mut().for_each(|part| self.look_at_a_new_slot(part));
        let _ = (filled.extend_from_slice(&data), write!(filled, "{n}"));
        filled.parts().iter().for_each(|part| self.look_at(part));
        let mut chain = filled.freeze();
        let _ = chain.push_front(self.shared.last().cloned().unwrap_or_default());
        let _ = chain.push_back(Bytes::from_static(&[OURS; 4]));
        let mut front = vec![OURS; m.min(8)];
        let _ = (chain.advance(m), chain.copy_to_slice(&mut front));
        self.look_at(&front);
        let mut other = chain.slice(..n.min(chain.len())).unwrap();
        if let Ok(bytes) = other.linearize(pool) {
            self.look_at(bytes);
        }
        let mut more = chain.split_to(chain.len() / 2).unwrap();
        more.truncate(n);
        for mut chain in [chain, other, more] {
            chain.chunks().for_each(|chunk| self.look_at(chunk));
            while let Some(part) = chain.pop_front() {
                self.shared.push(part);
            }
        }
    }

    /// Each way keeps the buffer, or gives it up.
    fn on_mut(
        &mut self,
        what: usize,
        mut buffer: BytesMut,
        pool: &'static Pool,
        m: usize,
        n: usize,
    ) {
        let data = self.data(m);
        let byte = self.data[0];
        // A failure is as good as a success here: what can be seen afterwards is looked at.
        let _: Option<()> = match what {
            0 => buffer.reserve(m).ok(),
            1 => buffer.reserve_in(pool, m).ok(),
            2 => buffer.extend_in_place(&data).ok(),
            3 => buffer.extend_from_slice(&data).ok(),
            4 => buffer.push(byte).ok(),
            5 => buffer.resize(m, byte).ok(),
            6 => buffer.try_reclaim(m).then_some(()),
            7 => buffer.reserve_front(m).ok(),
            8 => buffer.reserve_front_in(pool, m).ok(),
            9 => buffer.prepend(&data).ok(),
            10 => return self.cache.recycle(buffer),
            11 => buffer.advance(m).ok(),
            12 => buffer.reset(m).ok(),
            13 => write!(buffer, "{m}").ok(),
            14 => {
                buffer.truncate(m);
                None
            }
            15 => {
                buffer.clear();
                None
            }
            16 => {
                buffer.fill(byte);
                None
            }
            17 => {
                // Safe code may write here, and cannot count in what it has not.
                let spare = buffer.spare_capacity_mut();
                let fill = spare.len().min(n);
                spare[..fill].fill(MaybeUninit::new(byte));
                None
            }
            18 => buffer.extend_from_iter(data).ok(),
            19 => {
                return self.shared.push(if n.is_multiple_of(2) {
                    buffer.freeze()
                } else {
                    Bytes::from(buffer)
                });
            }
            20 => buffer.extend_from_within(m.min(n)..m.max(n)).ok(),
            #[cfg(feature = "bytes")]
            21 => buffer.extend_from_buf(&data[..]).ok(),
            22 => buffer.split_to(m).ok().map(|front| self.muts.push(front)),
            23 => buffer.split_off(m).ok().map(|back| self.muts.push(back)),
            24 => {
                let all = buffer.split();
                self.muts.push(all);
                None
            }
            25 => {
                let back = swap_out(&mut self.muts, n);
                back.and_then(|back| buffer.unsplit(back).err()).map(|back| self.muts.push(back))
            }
            _ => return self.turn_raw(buffer),
        };
        self.muts.push(buffer);
    }

    /// A raw slot, freed; what is none stays.
    fn turn_raw(&mut self, buffer: BytesMut) {
        match buffer.into_raw() {
            Ok(slot) => {
                let home = self
                    .pools
                    .iter()
                    .find(|pool| pool.owns(slot.cast().as_ptr()))
                    .expect("one of ours");
                // SAFETY: the slot is not used any more.
                unsafe { home.deallocate(slot.cast()) }.unwrap();
            }
            Err(back) => self.muts.push(back),
        }
    }

    fn on_shared(
        &mut self,
        what: usize,
        mut bytes: Bytes,
        pool: &'static Pool,
        m: usize,
        n: usize,
    ) {
        let byte = self.data[0];
        let parts = match what {
            0 => bytes.slice(m..n),
            1 => bytes.slice(..=m),
            2 => Ok(bytes.slice_clamped(m, n)),
            3 => bytes.slice_ref(bytes.get(m..n).unwrap_or(&[])),
            4 => bytes.split_to(m),
            5 => bytes.split_off(m),
            6 => bytes.advance(m).map(|()| bytes.clone()),
            7 | 8 => Ok(bytes.clone()),
            9 => return bytes.truncate(m),
            10 => return bytes.clear(),
            11 => return bytes.make_mut().map_or((), |bytes| bytes.fill(byte)),
            12 => {
                let _ = bytes.make_mut_in(pool).map(|bytes| bytes.fill(byte));
                Ok(bytes.clone())
            }
            13 => match bytes.try_into_mut() {
                Ok(buffer) => return self.muts.push(buffer),
                Err(back) => return self.shared.push(back),
            },
            14 | 15 | 17 => {
                let turned = match what {
                    14 => bytes.into_mut(),
                    15 => bytes.into_mut_in(pool, m),
                    _ => bytes.move_to(pool, m),
                };
                return match turned {
                    Ok(buffer) => self.muts.push(buffer),
                    Err(back) => self.shared.push(back.bytes),
                };
            }
            16 => return self.cache.recycle(bytes),
            _ => {
                let _ = bytes.compact_in(pool);
                Ok(Bytes::new())
            }
        };
        self.shared.extend(parts);
        self.shared.push(bytes);
    }

    fn use_objects(&self) {
        let recycled = RecyclePool::<[u8; 8], 1>::new([[OURS; 8]]);
        self.look_at(&*recycled.request().unwrap());
        assert!(recycled.is_idle() && recycled.stats().in_use == 0);
        let object = self.objects.alloc([OURS; 8]).unwrap();
        self.look_at(&*object);
        let made = self.objects.alloc_with(|| [OURS; 8]).ok().unwrap();
        self.look_at(&*made);
        drop(made);
        self.look_at(&*self.objects.alloc_uninit().unwrap().write([OURS; 8]));
        let mut shared = object.share();
        self.look_at(&*shared.clone());
        self.look_at(&*shared.get_mut().unwrap());
        let object = shared.try_unwrap().unwrap();
        let pointer = object.into_raw();
        // SAFETY: from `into_raw`, once.
        self.look_at(&unsafe { self.objects.from_raw(pointer) }.into_inner());
        assert!(self.objects.is_idle() && self.objects.stats().in_use == 0);
    }

    /// Somebody else fills what is free now, and gives it back.
    fn others_use_everything(&self) {
        let all = |pool: &'static Pool| {
            std::iter::from_fn(move || pool.alloc_pooled(1).or_else(|_| pool.alloc_pooled(17)).ok())
        };
        for mut buffer in self.pools.into_iter().flat_map(all).collect::<Vec<_>>() {
            buffer.resize(buffer.capacity(), THEIRS).unwrap();
        }
    }

    /// No byte that can be seen is another's. With `zero_on_free` this owner has written such bytes
    /// itself.
    fn look_at(&self, bytes: &(impl AsRef<[u8]> + ?Sized)) {
        assert!(self.wiped || !bytes.as_ref().contains(&THEIRS), "safe code sees another's bytes");
    }

    /// The formats that show bytes show the visible ones.
    fn look_at_the_formats(&self) {
        for bytes in &self.shared {
            let shown = format!("{bytes:?} {bytes:x} {bytes:X}");
            let expected = &bytes[..];
            let hex: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
            let theirs = ::bytes::Bytes::copy_from_slice(expected);
            assert_eq!(shown, format!("{theirs:?} {hex} {}", hex.to_uppercase()));
            assert!(bytes.iter().eq(expected) && bytes.into_iter().eq(expected));
        }
    }
}

/// Runs a case; returns all memory of its pools.
fn run(steps: &[Step], wiped: bool) -> [&'static [u8]; 2] {
    let fallback = &UsedHeap;
    let left = if wiped { 0 } else { THEIRS };
    let looked = [
        Looked::new(
            &Config::new(&[(16, 4), (40, 3)]).spill(1).zero_on_free(wiped).fallback(fallback),
            left,
        ),
        Looked::new(&Config::new(&[(8, 2), (48, 3), (64, 2)]).align(8).zero_on_free(wiped), left),
    ];
    let mut owner = Owner::new(looked.each_ref().map(|looked| looked.pool), wiped);
    steps.iter().for_each(|step| owner.step(step));
    owner.look_at_the_formats();
    drop(owner);
    looked.map(Looked::into_memory)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn safe_code_never_sees_anothers_bytes(steps in steps()) {
        run(&steps, false);
    }

    #[test]
    fn with_zero_on_free_nothing_is_left(steps in steps()) {
        let memory = run(&steps, true);
        prop_assert!(memory.iter().all(|memory| memory.iter().all(|&byte| byte == 0)), "a freed slot was not wiped");
    }
}

/// The stack is handed a slice to write to: zeros.
#[cfg(feature = "embassy-net-driver-02")]
#[test]
fn the_network_stack_sees_zeros() {
    use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, TxToken};
    use tierpool::net_driver::{self, State};
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    drop(POOL.copy_from_slice(&[THEIRS; 64]));
    let mut capabilities = Capabilities::default();
    capabilities.max_transmission_unit = 64;
    let state = leak(Box::new(State::<2, 2>::new()));
    let (mut device, mut radio) =
        net_driver::new(state, &POOL, HardwareAddress::Ip, capabilities).unwrap();
    radio.link.set(LinkState::Up);
    let token = device.transmit(&mut Context::from_waker(Waker::noop())).expect("a buffer");
    token.consume(50, |bytes| assert_eq!(bytes, [0; 50]));
    assert_eq!(radio.tx.try_next().expect("the packet"), [0; 50]);
}

/// So the tests above can fail: without the option most cases leave something.
#[test]
fn without_zero_on_free_something_is_left() {
    let memory = run(&[(4, 0, 0, 10, 0)], false);
    assert!(
        memory.iter().any(|memory| memory.contains(&OURS))
            && memory.iter().any(|memory| memory.contains(&THEIRS))
    );
}

/// Every safe public method of the sources is called above, or shows no bytes of a buffer.
#[test]
fn every_safe_method_is_among_them() {
    const SHOW_NO_BYTES: &str = "align arm_free_notify_for buckets capacity cached check checked dropped fallback histogram hit_permille \
        hits is_empty is_unique lane lanes larger lists leak len misses on_free payload_align report requests slots spill tiers waiters exhausted \
        fallback_live fallbacks from_caches moved oversized retries free_slots on_low reserve reset_peak since held holders mark assert_idle __reserve lane_of_c name __name on_free_of_c on_low_of_c in_zeros in_zeros_at once request_wait alloc_timeout alloc_wait_with_headroom \
        slot_bytes has_fallback memory_of_fallback serves allocated freed inner zero_on_free";
    // A received packet is what was given; a waker's place and a counter, which no user sees, hold
    // no bytes; nor does `PoolGlobalAlloc`.
    const PASS_ON: &str = "add before_wrap begin_before_flip bump claim is_waiting_for next pool push register retract served set \
        set_handles enter entered strike_out wake wake_after_store";
    let here = include_str!("secrets.rs");
    let mut methods = 0;
    for path in common::sources() {
        let source = std::fs::read_to_string(&path).unwrap();
        for line in source.lines() {
            let Some(signature) = ["    pub fn ", "    pub const fn ", "    pub async fn "]
                .iter()
                .find_map(|start| line.strip_prefix(start))
            else {
                continue;
            };
            let name = signature.split(['(', '<']).next().unwrap();
            methods += 1;
            let called =
                here.contains(&format!(".{name}(")) || here.contains(&format!("::{name}("));
            assert!(
                called
                    || [SHOW_NO_BYTES, PASS_ON]
                        .iter()
                        .any(|list| list.split_whitespace().any(|other| other == name)),
                "{}: `{name}` is not called here",
                path.display()
            );
        }
    }
    assert!(methods > 60, "{methods} methods found");
}

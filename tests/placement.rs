//! Where slots lie: aligned as promised, in the section named, in memory that is handed over at run
//! time.

use std::alloc::Layout;
use std::mem::MaybeUninit;
use tierpool::{AllocError, BytesMut, Config, ConfigError, Pool, PoolStorage, SlotState};
use tierpool_testkit::{Heap, fresh_pool, leak};

// ---- alignment

fn addresses(buffers: &[BytesMut]) -> impl Iterator<Item = usize> {
    buffers.iter().map(|buffer| buffer.as_ptr().addr())
}

#[test]
fn slots_headroom_and_heap_buffers_are_aligned() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [20 x 5, 100 x 3, 500 x 3], align = 64, spill = 2, fallback = &HEAP; }
    let plain: Vec<_> = (0..20).map(|n| POOL.alloc(n).unwrap()).collect();
    assert_eq!(plain.iter().filter(|buffer| buffer.is_pooled()).count(), 11);
    assert!(addresses(&plain).all(|address| address % 64 == 0));
    let capacities: Vec<_> = plain[..11].iter().map(BytesMut::capacity).collect();
    assert_eq!(capacities, [64, 64, 64, 64, 64, 128, 128, 128, 512, 512, 512]);
    drop(plain);

    let ahead: Vec<_> = (0..20).map(|n| POOL.alloc_with_headroom(n * 7, 1).unwrap()).collect();
    assert!(addresses(&ahead).all(|address| address % 64 == 0));
    assert!(
        ahead
            .iter()
            .enumerate()
            .all(|(n, buffer)| buffer.headroom() == (n * 7).next_multiple_of(64))
    );
    drop(ahead);

    let mut buffer = POOL.alloc(500).unwrap();
    buffer.reset(1).unwrap();
    assert_eq!(buffer.headroom(), 64);
    assert_eq!(buffer.as_ptr().addr() % 64, 0);
    assert_eq!(HEAP.outstanding(), (0, 0));
}

#[test]
fn an_alignment_that_no_slot_has_is_refused() {
    for align in [1_usize, 2, 64, 4096] {
        // The size is odd, so that only the pool's own alignment aligns it.
        let pool =
            fresh_pool(&Config::new(&[(align.next_multiple_of(2) - 1, 2)]).align(align)).unwrap();
        let ask = |align| pool.allocate(Layout::from_size_align(1, align).unwrap());
        let slot = ask(align).unwrap();
        assert_eq!(slot.cast::<u8>().addr().get() % align, 0);
        for larger in [2 * align, 4 * align, 65_536] {
            assert_eq!(ask(larger), Err(AllocError::Oversized), "{larger} in a pool of {align}");
        }
    }
}

#[test]
fn heap_buffers_are_aligned_as_their_pool() {
    for align in [1_usize, 8, 64, 4096] {
        let heap = leak(Box::new(Heap::<true>::new()));
        let pool = fresh_pool(&Config::new(&[(8, 1)]).align(align).fallback(heap)).unwrap();
        let held: Vec<_> = (1..9).map(|n| pool.alloc(n * align.max(16)).unwrap()).collect();
        assert!(addresses(&held).all(|address| address % align.max(8) == 0));
        assert!(
            held[1..]
                .iter()
                .all(|buffer| !buffer.is_pooled() && buffer.capacity() % align.max(8) == 0)
        );
    }
}

/// The largest alignment, as the documentation of `Config::align` has it.
const MAX_ALIGN: usize = 4096;

#[test]
fn alignments_go_as_far_as_they_say() {
    let check = |align| Config::new(&[(1, 1)]).align(align).check();
    assert_eq!(check(1), Ok(()));
    assert_eq!(check(MAX_ALIGN), Ok(()));
    for wrong in [0, 3, MAX_ALIGN - 1, 2 * MAX_ALIGN] {
        assert_eq!(check(wrong), Err(ConfigError::Align { align: wrong }));
    }
}

/// Only a block that shrinks may move to a smaller slot.
#[cfg(feature = "alloc")]
#[test]
fn a_block_that_keeps_its_size_keeps_its_place() {
    use std::alloc::{GlobalAlloc, System};
    let pool = fresh_pool(&Config::new(&[(8, 1), (16, 1)]).spill(1)).unwrap();
    let allocator = tierpool::PoolGlobalAlloc::new(pool, System);
    let layout = Layout::from_size_align(8, 1).unwrap();
    let small = pool.alloc(8);
    // SAFETY: each block is given up with the layout that it has then.
    unsafe {
        let spilled = allocator.alloc(layout);
        drop(small);
        assert_eq!(allocator.realloc(spilled, layout, 8), spilled);
        let shrunk = allocator.realloc(spilled, layout, 7);
        assert_ne!(shrunk, spilled);
        allocator.dealloc(shrunk, Layout::from_size_align(7, 1).unwrap());
    }
    assert!(pool.is_idle());
}

#[test]
fn a_pool_has_up_to_16_tiers() {
    let tiers = [(1, 1); 17];
    assert_eq!(
        (1..=16).map(|tiers_of| Config::new(&tiers[..tiers_of]).check()).collect::<Vec<_>>(),
        [Ok(()); 16]
    );
    assert_eq!(Config::new(&tiers).check(), Err(ConfigError::Tiers { tiers: 17 }));
    assert_eq!(Config::new(&[]).check(), Err(ConfigError::Tiers { tiers: 0 }));
}

// ---- where the data lie when room is made

#[test]
fn data_move_no_further_than_they_must() {
    let pool = fresh_pool(&Config::new(&[(64, 2)])).unwrap();
    let mut full = pool.alloc_with_headroom(8, 56).unwrap();
    full.extend_from_slice(&[1; 56]).unwrap();
    let start = full.as_ptr();
    let full = full.freeze().into_mut_in(pool, 4).unwrap();
    assert_eq!(full.as_ptr(), start, "there was headroom enough");
    assert_eq!(full.headroom(), 8, "there was headroom enough");
}

/// So that what is filled byte by byte slides once.
#[test]
fn data_slide_all_the_way() {
    let pool = fresh_pool(&Config::new(&[(64, 2)])).unwrap();
    let mut buffer = pool.copy_from_slice(&[1; 10]).unwrap();
    buffer.prepend(&[2]).unwrap();
    assert_eq!(buffer.headroom(), 53);
    buffer.reserve(1).unwrap();
    assert_eq!(buffer.headroom(), 0);
    assert_eq!(buffer.capacity(), 64);
}

#[test]
fn slots_are_aligned_as_their_size_allows() {
    tierpool::pool! { static POOL = [10 x 3, 48 x 2, 256 x 3, 1024 x 2]; }
    for (size, slots, align) in [(10, 3, 2), (48, 2, 16), (256, 3, 64), (1024, 2, 64)] {
        let held: Vec<_> = (0..slots).map(|_| POOL.alloc(size).unwrap()).collect();
        assert!(addresses(&held).all(|address| address % align == 0), "{size}");
        assert_eq!(held[0].capacity(), size, "no byte is lost to rounding");
    }
}

#[test]
fn every_alignment_up_to_a_page() {
    for align in (0..=12).map(|power| 1 << power) {
        let pool =
            tierpool_testkit::fresh_pool(&Config::new(&[(1, 2), (align + 1, 2)]).align(align))
                .unwrap();
        let held = [pool.alloc(1).unwrap(), pool.alloc(1).unwrap(), pool.alloc(align + 1).unwrap()];
        assert!(addresses(&held).all(|address| address % align == 0));
        assert_eq!(held.each_ref().map(BytesMut::capacity), [align, align, 2 * align]);
    }
}

// ---- a section of its own

#[cfg(target_os = "linux")]
#[test]
fn payload_lies_in_the_section_named() {
    tierpool::pool! { static POOL = [256 x 4, 1024 x 2], unsafe section = "tierpool_test"; }
    tierpool::pool! { static ELSEWHERE = [256 x 4]; }
    unsafe extern "C" {
        // The linker's own names for both ends of a section.
        static __start_tierpool_test: [u8; 0];
        static __stop_tierpool_test: [u8; 0];
    }
    let section =
        (&raw const __start_tierpool_test).addr()..(&raw const __stop_tierpool_test).addr();
    let lies_inside = |buffer: &BytesMut| section.contains(&buffer.as_ptr().addr());
    let held: Vec<_> =
        [256; 4].into_iter().chain([1024; 2]).map(|bytes| POOL.zeroed(bytes).unwrap()).collect();
    assert!(held.iter().all(lies_inside));
    assert!(!lies_inside(&ELSEWHERE.alloc(1).unwrap()));
    assert_eq!(section.len(), 4 * 256 + 2 * 1024, "payload alone: no head, no state word");
}

// ---- memory handed over at run time

/// Memory for a pool, as C or a linker script would give it.
struct Parts<const TIERS: usize> {
    states: &'static mut [MaybeUninit<SlotState>],
    payload: &'static mut [MaybeUninit<u8>],
    place: &'static mut MaybeUninit<PoolStorage<TIERS>>,
}

#[repr(C, align(4096))]
struct Page([MaybeUninit<u8>; 8192]);

impl<const TIERS: usize> Parts<TIERS> {
    /// So many states, and so many bytes at so many bytes behind a page.
    fn new(states: usize, offset: usize, bytes: usize) -> Self {
        let page = &mut leak(Box::new(Page([MaybeUninit::uninit(); 8192]))).0;
        let payload = &mut page[offset..offset + bytes];
        Parts {
            states: leak(Box::new_uninit_slice(states)),
            payload,
            place: leak(Box::new_uninit()),
        }
    }

    fn build(self, config: &Config<'_>) -> Result<&'static Pool, ConfigError> {
        Pool::from_static_parts(config, self.states, self.payload, self.place)
    }
}

const CONFIG: Config = Config::new(&[(100, 3), (250, 4)]);

#[test]
fn exactly_enough_memory_is_enough() {
    // 3 · 100 + 4 · 250, up to the next multiple of 64.
    assert_eq!(CONFIG.tiers(), 2);
    assert_eq!(CONFIG.slots(), 7);
    assert_eq!(CONFIG.payload_bytes(), 1344);
    assert_eq!(CONFIG.payload_align(), 64);
    let pool = Parts::<2>::new(7, 64, 1344).build(&CONFIG).unwrap();
    let held: Vec<_> = [100, 100, 100, 250, 250, 250, 250]
        .into_iter()
        .map(|bytes| pool.zeroed(bytes).unwrap())
        .collect();
    assert!(pool.alloc(1).is_err() && pool.alloc(101).is_err());
    drop(held);
    tierpool_testkit::assert_all_home(pool);
    assert!(Parts::<16>::new(100, 128, 5000).build(&CONFIG).is_ok(), "more is fine");
}

#[test]
fn too_little_memory_is_named() {
    let too_little = [
        (Parts::<1>::new(7, 0, 1344).build(&CONFIG), ConfigError::PlaceTooSmall { needed: 2 }),
        (Parts::<0>::new(7, 0, 1344).build(&CONFIG), ConfigError::PlaceTooSmall { needed: 2 }),
        (Parts::<2>::new(6, 0, 1344).build(&CONFIG), ConfigError::StateTooShort { needed: 7 }),
        (Parts::<2>::new(0, 0, 1344).build(&CONFIG), ConfigError::StateTooShort { needed: 7 }),
        (Parts::<2>::new(7, 0, 1343).build(&CONFIG), ConfigError::PayloadTooShort { needed: 1344 }),
        (Parts::<2>::new(7, 0, 0).build(&CONFIG), ConfigError::PayloadTooShort { needed: 1344 }),
        (Parts::<2>::new(7, 32, 1344).build(&CONFIG), ConfigError::PayloadMisaligned { align: 64 }),
        (Parts::<2>::new(7, 1, 1344).build(&CONFIG), ConfigError::PayloadMisaligned { align: 64 }),
        (
            Parts::<2>::new(7, 512, 2048).build(&CONFIG.align(1024)),
            ConfigError::PayloadTooShort { needed: 7168 },
        ),
        (
            Parts::<2>::new(7, 512, 7168).build(&CONFIG.align(1024)),
            ConfigError::PayloadMisaligned { align: 1024 },
        ),
    ];
    for (result, expected) in too_little {
        assert_eq!(result.unwrap_err(), expected);
    }
}

#[test]
fn a_wrong_geometry_is_named() {
    type Tiers<'a> = &'a [(usize, usize)];
    let wrong: [(Tiers<'_>, usize, ConfigError); 9] = [
        (&[], 1, ConfigError::Tiers { tiers: 0 }),
        (&[(8, 1); 17], 1, ConfigError::Tiers { tiers: 17 }),
        (&[(8, 1), (0, 1)], 1, ConfigError::Size { tier: 1, size: 0 }),
        (&[(8, 1), (65_537, 1)], 1, ConfigError::Size { tier: 1, size: 65_537 }),
        (&[(8, 0)], 1, ConfigError::Slots { tier: 0, slots: 0 }),
        (&[(8, 1), (8, usize::MAX)], 1, ConfigError::Slots { tier: 1, slots: usize::MAX }),
        (&[(8, 1), (16, 1), (15, 1)], 1, ConfigError::Descending { tier: 2, size: 15 }),
        (&[(8, 1)], 0, ConfigError::Align { align: 0 }),
        (&[(8, 1)], usize::MAX, ConfigError::Align { align: usize::MAX }),
    ];
    for (tiers, align, expected) in wrong {
        let config = Config::new(tiers).align(align);
        assert_eq!(config.check(), Err(expected));
        assert_eq!(Parts::<16>::new(20, 0, 4096).build(&config).unwrap_err(), expected);
        #[cfg(feature = "alloc")]
        assert_eq!(Pool::leak(&config).unwrap_err(), expected);
        assert!(!expected.to_string().is_empty());
    }
}

/// Room made in front by a slide is rounded to the alignment, as room asked for is.
#[test]
fn room_made_in_front_keeps_the_alignment() {
    tierpool::pool! { static POOL = [256 x 2], align = 64; }
    let mut buffer = POOL.copy_from_slice(b"payload for DMA").unwrap();
    buffer.reserve_front(20).unwrap();
    assert_eq!(buffer.headroom() % 64, 0);
    assert_eq!(buffer.as_ptr().addr() % 64, 0);
}

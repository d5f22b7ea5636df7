//! Pools as allocators of every version of `allocator-api2`: collections, hashbrown's maps, the
//! trait call by call, and fallbacks out of two allocators.
#![cfg(all(feature = "allocator-api2-02", feature = "allocator-api2-03"))]

use std::alloc::Layout;
use tierpool::{AllocError, Config, Pool};
use tierpool_testkit::{assert_all_home, canary, check_canary, fresh_pool};

fn over(tiers: &[(usize, usize)], spill: usize) -> &'static Pool {
    fresh_pool(&Config::new(tiers).spill(spill)).unwrap()
}

fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

/// The same tests for one version; the traits are distinct types.
macro_rules! version {
    ($name:ident) => {
        mod $name {
            use super::*;
            use ::$name::alloc::{Allocator, Global};
            use ::$name::boxed::Box;
            use ::$name::vec::Vec;
            use tierpool::$name::AllocatorFallback;

            #[test]
            fn a_vec_grows_and_shrinks_through_the_tiers() {
                let pool = over(&[(16, 1), (64, 1), (256, 1)], 0);
                let mut vec: Vec<u8, &Pool> = Vec::new_in(pool);
                assert!(pool.is_idle(), "an empty vector takes nothing");
                let mut moves = 0;
                let mut start = vec.as_ptr();
                for byte in canary(1, 256) {
                    vec.push(byte);
                    moves += u32::from(vec.as_ptr() != start);
                    start = vec.as_ptr();
                }
                assert_eq!(moves, 3, "once into each tier");
                check_canary(1, &vec);
                assert!(vec.try_reserve(1).is_err(), "no tier is larger");
                check_canary(1, &vec);
                vec.truncate(10);
                vec.shrink_to_fit();
                check_canary(1, &vec);
                assert_eq!(pool.stats().tiers()[0].in_use, 1);
                let boxed: Box<[u8], &Pool> = vec.into_boxed_slice();
                check_canary(1, &boxed);
                drop(boxed);
                assert_all_home(pool);
            }

            #[test]
            fn no_bytes_take_no_slot() {
                let pool = over(&[(16, 1)], 0);
                let allocator: &dyn Allocator = &pool;
                let (none, some) = (Layout::from_size_align(0, 64).unwrap(), bytes(9));
                let block = allocator.allocate(none).unwrap();
                assert_eq!(block.len(), 0);
                assert_eq!(block.cast::<u8>().addr().get() % 64, 0);
                // SAFETY: each layout is that of the block as it then is.
                unsafe {
                    allocator.deallocate(block.cast(), none);
                    let grown = allocator.grow(block.cast(), none, some).unwrap();
                    assert_eq!(pool.stats().tiers()[0].in_use, 1);
                    let shrunk = allocator.shrink(grown.cast(), some, none).unwrap();
                    assert_eq!(shrunk.len(), 0);
                    assert_all_home(pool);
                    let again = allocator.grow(shrunk.cast(), none, none).unwrap();
                    allocator.deallocate(again.cast(), none);
                }
                assert_all_home(pool);
            }

            #[test]
            fn a_resized_block_may_ask_for_another_alignment() {
                let pool = over(&[(24, 1), (72, 1), (128, 1)], 2);
                let allocator: &dyn Allocator = &pool;
                let (loose, strict) = (bytes(60), Layout::from_size_align(70, 64).unwrap());
                // SAFETY: each layout is that of the block as it then is.
                unsafe {
                    let block = allocator.allocate(loose).unwrap().cast::<u8>();
                    let grown = allocator.grow(block, loose, strict).unwrap();
                    assert_eq!(grown.len(), 128, "72-byte slots are aligned to 8");
                    assert_eq!(
                        grown.cast::<u8>().addr().get() % 64,
                        0,
                        "72-byte slots are aligned to 8"
                    );
                    let aligned = Layout::from_size_align(20, 64).unwrap();
                    let shrunk = allocator.shrink(grown.cast(), strict, aligned).unwrap();
                    assert_eq!(shrunk, grown, "no smaller slot is aligned so");
                    let small = allocator.shrink(shrunk.cast(), aligned, bytes(19)).unwrap();
                    assert_eq!(small.len(), 24);
                    allocator.deallocate(small.cast(), bytes(19));
                }
                assert_all_home(pool);
            }

            #[test]
            fn a_block_may_be_freed_by_any_size_of_its_slot() {
                let pool = over(&[(64, 1), (64, 1), (100, 1)], 2);
                let allocator: &dyn Allocator = &pool;
                let blocks = [(); 3].map(|()| allocator.allocate(bytes(30)).unwrap());
                for block in blocks {
                    // SAFETY: a layout between what was asked for and what was given fits the
                    // block.
                    unsafe { allocator.deallocate(block.cast(), bytes(block.len())) };
                }
                assert_all_home(pool);
            }

            #[test]
            fn grown_zeroed_memory_is_zero_behind() {
                let pool = over(&[(32, 1), (64, 1)], 0);
                let allocator: &dyn Allocator = &pool;
                for size in [32, 64] {
                    let mut dirty = pool.alloc(size).unwrap();
                    dirty.resize(size, 0xAA).unwrap();
                }
                // SAFETY: each layout is that of the block as it then is, and its bytes are
                // initialised.
                unsafe {
                    let block = allocator.allocate_zeroed(bytes(4)).unwrap();
                    assert_eq!(block.as_ref(), [0; 32]);
                    block.cast::<[u8; 4]>().write([1, 2, 3, 4]);
                    let same = allocator.grow_zeroed(block.cast(), bytes(4), bytes(20)).unwrap();
                    assert_eq!(same, block);
                    assert_eq!(&same.as_ref()[..6], &[1, 2, 3, 4, 0, 0][..]);
                    let larger = allocator.grow_zeroed(same.cast(), bytes(20), bytes(64)).unwrap();
                    assert_eq!(&larger.as_ref()[..4], [1, 2, 3, 4]);
                    assert_eq!(larger.as_ref()[4..], [0; 60]);
                    allocator.deallocate(larger.cast(), bytes(64));
                }
                assert_all_home(pool);
            }

            #[test]
            fn a_fallback_is_any_two_allocators() -> Result<(), AllocError> {
                let control = over(&[(64, 1)], 0);
                // SAFETY: atomics work in a pool's ordinary memory.
                let heap = std::boxed::Box::leak(std::boxed::Box::new(unsafe {
                    AllocatorFallback::with_control(Global, control)
                }));
                let pool = fresh_pool(&Config::new(&[(16, 1)]).fallback(heap)).unwrap();
                let large = pool.zeroed(5000)?;
                assert!(!large.is_pooled() && !control.owns(large.as_ptr()));
                assert_eq!(control.stats().tiers()[0].in_use, 1);
                assert_eq!(
                    pool.zeroed(5000).unwrap_err(),
                    AllocError::Oversized,
                    "no second control block"
                );
                drop(large);
                assert_eq!(control.stats().tiers()[0].in_use, 1, "deferred");
                assert_eq!(pool.reclaim(), 1);
                assert_all_home(control);
                assert_all_home(pool);
                Ok(())
            }
        }
    };
}

version!(allocator_api2_02);
version!(allocator_api2_03);

#[test]
fn hashbrown_maps_live_in_a_pool() {
    tierpool::pool! { static TABLES = [128 x 8, 1024 x 4, 8192 x 2]; }
    let mut routes: hashbrown::HashMap<u32, [u8; 16], hashbrown::DefaultHashBuilder, &Pool> =
        hashbrown::HashMap::new_in(&TABLES);
    for hop in 0..200_u32 {
        routes.insert(hop, [hop as u8; 16]);
    }
    routes.retain(|hop, _| hop % 3 == 0);
    routes.shrink_to_fit();
    assert_eq!(routes.len(), 67);
    assert!(routes.iter().all(|(&hop, hash)| hop % 3 == 0 && *hash == [hop as u8; 16]));
    assert!(routes.values().all(|hash| TABLES.owns(hash.as_ptr())));
    assert!(routes.try_reserve(10_000).is_err(), "more than the pool has");
    assert_eq!(routes.len(), 67);
    drop(routes);
    assert_all_home(&TABLES);
}

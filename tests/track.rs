//! Who holds the buffers: the places and marks of each, and that a mark does nothing without the
//! feature.

use std::sync::Mutex;
use tierpool::ObjectPool;

#[test]
fn assert_idle_panics_if_a_buffer_is_out() {
    tierpool::pool! { static POOL = [64 x 2]; }
    static OBJECTS: ObjectPool<u32, 2> = ObjectPool::new();
    POOL.assert_idle();
    OBJECTS.assert_idle();
    let message =
        |result: std::thread::Result<()>| *result.unwrap_err().downcast::<String>().unwrap();

    let forgotten = POOL.alloc(1).unwrap();
    forgotten.mark(&"forgotten");
    let said = message(std::panic::catch_unwind(|| POOL.assert_idle()));
    assert!(said.starts_with("buffers are still out\n") && said.contains(" 64 "), "{said}");
    let object = OBJECTS.alloc(1).unwrap();
    object.mark(&"forgotten");
    let about_objects = message(std::panic::catch_unwind(|| OBJECTS.assert_idle()));
    assert!(
        about_objects.starts_with("objects are still out\n4 bytes: 1 of 2 "),
        "{about_objects}"
    );
    for said in [said, about_objects] {
        assert_eq!(said.ends_with("  forgotten"), cfg!(feature = "track"), "{said}");
    }
}

/// A failure is reported where the test asks, and not in the library.
#[test]
fn assert_idle_fails_at_its_caller() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let _held = POOL.alloc(1).unwrap();
    static PLACE: Mutex<Option<(String, u32)>> = Mutex::new(None);
    let (hook, this) = (std::panic::take_hook(), std::thread::current().id());
    std::panic::set_hook(Box::new(move |info| {
        // Other tests panic, too.
        if std::thread::current().id() == this {
            *PLACE.lock().unwrap() = info.location().map(|at| (at.file().to_owned(), at.line()));
        }
    }));
    let result = std::panic::catch_unwind(|| POOL.assert_idle());
    let line = line!() - 1;
    std::panic::set_hook(hook);
    assert!(result.is_err());
    assert_eq!(*PLACE.lock().unwrap(), Some((file!().to_owned(), line)));
}

#[cfg(feature = "track")]
mod with_the_feature {
    use super::*;
    use std::alloc::Layout;
    use tierpool::{BytesMut, HeldBuffer, Holder, PoolCache, RecyclePool};
    use tierpool_testkit::fresh_pool;

    /// The line of this file that holds a buffer.
    fn line_of(held: &HeldBuffer) -> u32 {
        match held.holder {
            Holder::Place(place) if place.file() == file!() => place.line(),
            other => panic!("held by {other}, and not by this file"),
        }
    }

    /// Runs the expression, and expects that its result is held by the line that the call stands
    /// in.
    macro_rules! held_here {
        ($pool:expr, $allocate:expr) => {{
            let before: Vec<_> = $pool.held().map(|held| (held.tier, held.slot)).collect();
            let kept = $allocate;
            let new: Vec<_> =
                $pool.held().filter(|held| !before.contains(&(held.tier, held.slot))).collect();
            assert_eq!(new.len(), 1, "{}", stringify!($allocate));
            assert_eq!(line_of(&new[0]), line!(), "{}", stringify!($allocate));
            kept
        }};
    }

    #[test]
    fn every_way_to_a_buffer_notes_its_caller() {
        tierpool::pool! { static POOL = [64 x 8, 512 x 16], spill = 1; }
        drop(held_here!(POOL, POOL.alloc(64).unwrap()));
        drop(held_here!(POOL, POOL.alloc_pooled(64).unwrap()));
        drop(held_here!(POOL, POOL.alloc_with_headroom(8, 8).unwrap()));
        drop(held_here!(POOL, POOL.zeroed(64).unwrap()));
        drop(held_here!(POOL, POOL.copy_from_slice(b"bytes").unwrap()));
        drop(held_here!(POOL, POOL.copy_with_headroom(8, b"bytes").unwrap()));
        drop(held_here!(POOL, POOL.copy_from_iter(b"bytes".iter().copied()).unwrap()));
        drop(held_here!(POOL, POOL.alloc_chain::<2>(20).unwrap()));
        let raw = held_here!(POOL, POOL.allocate(Layout::new::<u64>()).unwrap());
        assert_eq!(POOL.held().next().unwrap().handles, None);
        // SAFETY: the slot is raw, and only this test knows it.
        let handle = unsafe { POOL.from_raw(raw.cast()) }.unwrap();
        assert_eq!(line_of(&POOL.held().next().unwrap()), line!() - 1);
        drop(handle);

        let all: Vec<_> = (0..8).map(|_| POOL.alloc(64).unwrap()).collect();
        drop(held_here!(POOL, POOL.alloc(64).unwrap())); // a larger slot
        let _raw = held_here!(POOL, POOL.allocate(Layout::new::<u64>()).unwrap());
        drop(all);
    }

    #[test]
    fn every_growth_and_copy_notes_its_caller() {
        tierpool::pool! { static POOL = [8 x 8, 512 x 8]; }
        let small = || POOL.copy_from_slice(b"8 bytes!").unwrap();
        let grown = |grow: &dyn Fn(&mut BytesMut), line: u32| {
            let mut buffer = small();
            grow(&mut buffer);
            let held: Vec<_> = POOL.held().collect();
            assert_eq!((held.len(), held[0].bytes, line_of(&held[0])), (1, 512, line));
        };
        grown(&|buffer| buffer.reserve(9).unwrap(), line!());
        grown(&|buffer| buffer.reserve_in(&POOL, 9).unwrap(), line!());
        grown(&|buffer| buffer.extend_from_slice(b"9").unwrap(), line!());
        grown(&|buffer| buffer.extend_from_within(..).unwrap(), line!());
        grown(&|buffer| buffer.extend_from_iter([9; 9]).unwrap(), line!());
        let filtered = || [9; 9].into_iter().filter(|_| true);
        grown(&|buffer| buffer.extend_from_iter(filtered()).unwrap(), line!());
        grown(&|buffer| buffer.push(9).unwrap(), line!());
        grown(&|buffer| buffer.resize(9, 9).unwrap(), line!());
        grown(&|buffer| buffer.reserve_front(9).unwrap(), line!());
        grown(&|buffer| buffer.reserve_front_in(&POOL, 9).unwrap(), line!());
        grown(&|buffer| buffer.prepend(b"9").unwrap(), line!());

        let mut first = small().freeze();
        let mut second = first.clone();
        held_here!(POOL, second.make_mut().unwrap().len());
        let mut third = first.clone();
        held_here!(POOL, third.make_mut_in(&POOL).unwrap().len());
        drop(held_here!(POOL, first.clone().into_mut().unwrap()));
        drop(held_here!(POOL, first.clone().into_mut_in(&POOL, 4).unwrap()));
        drop((second, third));
        let moved = first.clone().move_to(&POOL, 0).unwrap();
        assert_eq!(line_of(&POOL.held().last().unwrap()), line!() - 1);
        drop((first, moved));
        let mut large = POOL.alloc(500).unwrap();
        large.extend_from_slice(b"short").unwrap();
        first = large.freeze();
        first.compact_in(&POOL).unwrap();
        assert_eq!(line_of(&POOL.held().next().unwrap()), line!() - 1);

        let mut chain = POOL.alloc_chain::<4>(8).unwrap();
        let bytes = [0; 16];
        held_here!(POOL, chain.extend_from_slice(&bytes).unwrap());
        let mut chain = chain.freeze();
        drop(first);
        held_here!(POOL, chain.linearize(&POOL).unwrap().len());
    }

    #[test]
    fn every_way_through_a_cache_notes_its_caller() {
        tierpool::pool! { static POOL = [64 x 8]; }
        let mut cache = PoolCache::<4, 1>::new(&POOL);
        for _ in 0..2 {
            let first = held_here!(POOL, cache.alloc(64).unwrap());
            let second = held_here!(POOL, cache.alloc_pooled(64).unwrap());
            drop((first, second));
        }
        drop(held_here!(POOL, cache.alloc_with_headroom(8, 8).unwrap()));
        drop(held_here!(POOL, cache.zeroed(8).unwrap()));
        drop(held_here!(POOL, cache.copy_from_slice(b"bytes").unwrap()));
        let kept = cache.alloc(64).unwrap();
        cache.recycle(kept);
        assert_eq!(
            (POOL.held().count(), cache.cached() > 0),
            (0, true),
            "a cached slot is not out"
        );
    }

    #[test]
    fn every_way_to_an_object_notes_its_caller() {
        static POOL: ObjectPool<u64, 4> = ObjectPool::new();
        drop(held_here!(POOL, POOL.alloc(1).unwrap()));
        drop(held_here!(POOL, POOL.alloc_with(|| 1).ok().unwrap()));
        drop(held_here!(POOL, POOL.alloc_uninit().unwrap()));
        let shared = POOL.alloc(1).unwrap().share();
        let (second, held) = (shared.clone(), POOL.held().next().unwrap());
        assert_eq!((held.handles, held.bytes, held.tier), (Some(2), 8, None));
        second.mark(&"in a timer");
        assert_eq!(POOL.held().next().unwrap().holder, Holder::Mark("in a timer"));

        static RECYCLED: RecyclePool<u64, 2> = RecyclePool::new([1, 2]);
        let kept = held_here!(RECYCLED, RECYCLED.request().unwrap());
        kept.mark(&"kept");
        assert_eq!(RECYCLED.held().next().unwrap().holder, Holder::Mark("kept"));
        drop(kept);
        RECYCLED.assert_idle();
    }

    #[cfg(feature = "lanes")]
    #[test]
    fn slots_of_lanes_are_numbered_through() {
        let pool =
            fresh_pool(&tierpool::Config::new(&[(8, 5), (64, 4)]).lanes(2).lane(|| 1)).unwrap();
        let all: Vec<_> = (0..4).map(|_| held_here!(pool, pool.alloc(64).unwrap())).collect();
        let slots: Vec<_> = pool.held().map(|held| (held.tier, held.slot)).collect();
        assert_eq!(slots, [0, 1, 2, 3].map(|slot| (Some(1), slot)));
        drop(all);

        static LANES: tierpool::ObjectLanes<u8, 1, 2> = tierpool::ObjectLanes::new();
        let first = held_here!(LANES, LANES.alloc(1, 1).unwrap());
        let second = held_here!(LANES, LANES.alloc_uninit(1).unwrap());
        assert!(LANES.held().map(|held| held.slot).eq([0, 1]));
        drop((first, second));
        LANES.assert_idle();
    }

    #[cfg(feature = "reserve")]
    #[test]
    fn reserved_slots_come_behind_the_others() {
        tierpool::pool! { static POOL = [8 x 1, 64 x 2 + 2]; }
        let plain = [POOL.alloc(64).unwrap(), POOL.alloc(64).unwrap()];
        let reserved = held_here!(POOL, POOL.alloc_reserved(64).unwrap());
        let raw = held_here!(POOL, POOL.allocate_reserved(Layout::new::<[u8; 64]>()).unwrap());
        let slots: Vec<_> = POOL.held().map(|held| (held.tier, held.slot)).collect();
        assert_eq!(slots, [0, 1, 2, 3].map(|slot| (Some(1), slot)));
        // SAFETY: the slot is raw, and only this test knows it.
        unsafe { POOL.deallocate(raw.cast()) }.unwrap();
        drop((plain, reserved));
        drop(held_here!(POOL, POOL.alloc_reserved(64).unwrap()));
        let _raw = held_here!(POOL, POOL.allocate_reserved(Layout::new::<u8>()).unwrap());
    }

    #[cfg(feature = "wait")]
    #[test]
    fn a_wait_notes_who_waits() {
        use core::future::Future;
        tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
        let only = POOL.alloc(64).unwrap();
        let mut wait = core::pin::pin!(POOL.alloc_wait_with_headroom(8, 8));
        let line = line!() - 1;
        let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
        assert!(wait.as_mut().poll(cx).is_pending());
        drop(only);
        let _buffer = wait.as_mut().poll(cx);
        assert_eq!(line_of(&POOL.held().next().unwrap()), line);
    }

    /// The list has 32 places, which are free again with the buffers.
    #[test]
    fn buffers_of_the_fallback_are_listed() {
        let config = tierpool::Config::new(&[(64, 1)]).fallback(&tierpool::GlobalHeap);
        let pool = fresh_pool(&config).unwrap();
        for _ in 0..2 {
            let first = held_here!(pool, pool.alloc(1000).unwrap());
            let held = pool.held().next().unwrap();
            assert_eq!((held.tier, held.bytes, held.handles), (None, 1000, None));
            let more: Vec<_> = (1..40).map(|_| pool.alloc(2000).unwrap()).collect();
            assert_eq!(pool.held().count(), 32);
            assert_eq!(pool.held().next().unwrap().age, 39);
            first.mark(&"the first");
            assert_eq!(pool.held().next().unwrap().holder, Holder::Mark("the first"));
            drop((first, more));
            assert_eq!(pool.held().count(), 0);
        }
        pool.assert_idle();
    }

    #[test]
    fn the_table_names_holders_by_age() {
        tierpool::pool! { static POOL = [64 x 40, 512 x 4]; }
        let young = POOL.alloc(500).unwrap();
        let old: Vec<_> = (0..3).map(|_| POOL.alloc(60).unwrap()).collect();
        let line = line!() - 1;
        drop(POOL.alloc(60).unwrap());
        young.mark(&"the young one");
        let text = format!("{:#}", POOL.stats());
        let table = format!(
            "\n  held     bytes        oldest  held by\n     3       192             3  {}:{line}\n     1       512             0  the young one",
            file!()
        );
        assert!(text.ends_with(&table), "{text}");
        let stats = POOL.stats();
        let [row, other] = stats.holders() else { panic!("two holders") };
        assert_eq!((row.buffers, row.bytes, row.oldest, other.buffers), (3, 192, 3, 1));
        assert_eq!(POOL.stats().since(&POOL.stats()).holders().len(), 2);
        drop((young, old));
        assert!(POOL.stats().holders().is_empty());
        assert!(!format!("{:#}", POOL.stats()).contains("held by"));
    }

    #[test]
    fn more_holders_than_rows_are_summed() {
        const MARKS: &[&str; 20] = &[
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
            "16", "17", "18", "19",
        ];
        tierpool::pool! { static POOL = [64 x 20]; }
        let held = MARKS.each_ref().map(|mark| {
            let buffer = POOL.alloc(1).unwrap();
            buffer.mark(mark);
            buffer
        });
        let stats = POOL.stats();
        assert_eq!(stats.holders().len(), 16);
        assert!(format!("{stats:#}").ends_with("\n     4                          others"));
        drop(held);
    }

    /// It has no words that a mark could go to.
    #[test]
    fn a_handle_without_a_buffer_takes_a_mark() {
        tierpool::Bytes::new().mark(&"nothing");
        tierpool::Bytes::from_static(b"static").mark(&"nothing");
    }
}

//! A heap behind a pool that refuses at any call, hands out misaligned memory, or may free only
//! later: nothing is lost, and whoever asked keeps what it had.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Mutex;
use tierpool::{AllocError, Bytes, Fallback, Pool};
use tierpool_testkit::{Heap, assert_all_home};

/// Everything that allocates, in one go. Each failed step has changed nothing; the first one ends
/// it.
fn scenario(pool: &'static Pool) -> Result<(), AllocError> {
    let unchanged = |result: Result<(), AllocError>, now: &[u8], before: &[u8]| {
        assert!(result.is_ok() || now == before);
        result
    };
    let mut buffer = pool.alloc_with_headroom(10, 90)?;
    buffer.extend_from_slice(&[1; 90])?;
    let result = buffer.extend_from_slice(&[2; 400]);
    unchanged(result, &buffer, &[1; 90])?;
    assert_eq!(&buffer[..90], &[1; 90][..]);
    assert_eq!(&buffer[90..], &[2; 400][..]);
    let before = buffer.to_vec();
    let result = buffer.prepend(&[0; 700]);
    unchanged(result, &buffer, &before)?;
    let result = buffer.resize(5000, 9);
    unchanged(result, &buffer[..1190], &[&[0; 700], &before[..]].concat())?;
    buffer.truncate(200);

    let first = buffer.freeze();
    let mut second = first.clone();
    if let Err(error) = second.make_mut() {
        assert_eq!(&second[..], &first[..]);
        assert_eq!(second.as_ptr(), first.as_ptr());
        return Err(error);
    }
    second.make_mut()?[0] = 7;
    assert_eq!(first[0], 0);
    assert_eq!(second[0], 7);
    let third = second.clone().into_mut_in(pool, 50).map_err(|back| {
        assert_eq!(&back.bytes[..], &second[..]);
        assert_eq!(back.bytes.as_ptr(), second.as_ptr());
        back.error
    })?;
    assert_eq!(&third[..], &second[..]);
    assert_eq!(third.headroom(), 50);
    let mut part = first.slice_clamped(100, 40);
    if let Err(error) = part.make_mut() {
        assert_eq!(part.as_ptr(), first[100..].as_ptr());
        return Err(error);
    }
    pool.copy_from_slice(&part)?;
    pool.zeroed(77)?;
    Ok(())
}

/// Lets the heap refuse one call of the scenario, and every call from there on, until a run goes
/// through.
fn refuse_at_every_call<const FREE_NOW: bool>(pool: &'static Pool, heap: &'static Heap<FREE_NOW>) {
    refuse(pool, heap, |served| heap.refuse_one_after(served));
    refuse(pool, heap, |served| heap.allow(served));
}

fn refuse<const FREE_NOW: bool>(
    pool: &'static Pool,
    heap: &'static Heap<FREE_NOW>,
    at_call: impl Fn(usize),
) {
    let mut served = 0;
    loop {
        at_call(served);
        let before = heap.refused();
        let result = scenario(pool);
        let refused = heap.refused() - before;
        assert_all_home(pool);
        assert_eq!(heap.outstanding(), (0, 0), "after {served} served calls");
        match result {
            Ok(()) if refused == 0 => break,
            Ok(()) => {} // growth was content with less than double
            Err(error) => assert!(
                refused > 0 && error == AllocError::Oversized,
                "after {served} served calls"
            ),
        }
        served += 1;
    }
    assert!(served >= 16, "payload and control block of eight steps at least, not {served} calls");
}

#[test]
fn refusals_of_a_heap_that_frees_at_once() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    refuse_at_every_call(&POOL, &HEAP);
}

#[test]
fn refusals_of_a_heap_that_frees_later() {
    static HEAP: Heap<false> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    refuse_at_every_call(&POOL, &HEAP);
}

/// Where twice the size is refused, what is needed is asked for.
#[test]
fn growth_is_content_with_less_than_double() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    let mut buffer = POOL.zeroed(104).unwrap();
    buffer.push(1).unwrap();
    assert!(buffer.capacity() >= 208, "doubled");
    let large = buffer.capacity();
    buffer.resize(large, 0).unwrap();
    HEAP.allow(0);
    assert_eq!(buffer.push(1), Err(AllocError::Oversized));
    assert_eq!(buffer.len(), large, "asked for twice as much, then for what is needed");
    assert_eq!(HEAP.refused(), 2, "asked for twice as much, then for what is needed");
    drop(buffer);
    assert_eq!(HEAP.outstanding(), (0, 0));
}

#[test]
fn misaligned_memory_is_given_back() {
    fn check<const FREE_NOW: bool>(pool: &'static Pool, heap: &'static Heap<FREE_NOW>) {
        let only = pool.alloc(16).unwrap();
        for (payload, control) in [(1, 0), (0, 1), (1, 1)] {
            heap.skew(payload, control);
            assert_eq!(pool.alloc(100).unwrap_err(), AllocError::Oversized);
            assert_eq!(pool.alloc(1).unwrap_err(), AllocError::Exhausted);
            assert_eq!(heap.outstanding(), (0, 0));
        }
        heap.skew(0, 0);
        drop((pool.alloc(100).unwrap(), only));
        assert_all_home(pool);
        assert_eq!(heap.outstanding(), (0, 0));
        assert_eq!(pool.stats().fallbacks(), 1);
    }
    static NOW: Heap<true> = Heap::new();
    static LATER: Heap<false> = Heap::new();
    tierpool::pool! { static ON_NOW = [16 x 1], fallback = &NOW; }
    tierpool::pool! { static ON_LATER = [16 x 1], fallback = &LATER; }
    check(&ON_NOW, &NOW);
    check(&ON_LATER, &LATER);
}

#[test]
fn frees_are_deferred_until_the_next_request() {
    static HEAP: Heap<false> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    drop([POOL.zeroed(100).unwrap(), POOL.zeroed(200).unwrap(), POOL.zeroed(300).unwrap()]);
    assert_eq!(HEAP.outstanding(), (3, 3));
    assert_eq!(POOL.stats().fallback_live(), 0);
    assert!(POOL.is_idle());
    let fourth = POOL.zeroed(400).unwrap();
    assert_eq!(HEAP.outstanding(), (1, 1), "drained before the heap was asked");
    let shared = fourth.freeze();
    drop(shared.clone());
    assert_eq!(POOL.reclaim(), 0, "still held");
    drop(shared);
    assert_eq!(POOL.reclaim(), 1);
    assert_eq!(POOL.reclaim(), 0);
    assert_eq!(HEAP.outstanding(), (0, 0));
}

#[test]
fn a_heap_that_may_free_at_once_does() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    let held = [POOL.zeroed(100).unwrap(), POOL.zeroed(200).unwrap()];
    assert_eq!(HEAP.outstanding(), (2, 2));
    assert_eq!(POOL.stats().fallback_live(), 2);
    drop(held);
    assert_eq!(HEAP.outstanding(), (0, 0));
    assert_eq!(POOL.reclaim(), 0);
}

/// A heap with a lock, in a program without handlers that drop: not in an interrupt handler, but at
/// once.
struct WithoutHandlers(Heap<false>);

// SAFETY: passed on. No handler drops the buffers of these tests.
unsafe impl Fallback for WithoutHandlers {
    fn free_in_interrupt(&self) -> bool {
        self.0.free_in_interrupt()
    }

    fn free_at_once(&self) -> bool {
        true
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.0.deallocate(memory, layout) }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        self.0.control()
    }
}

#[test]
fn without_handlers_the_last_drop_frees() {
    static HEAP: WithoutHandlers = WithoutHandlers(Heap::new());
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP, zero_on_free = true; }
    let bytes = POOL.copy_from_slice(&[7; 100]).unwrap().freeze();
    let (part, moved) = (bytes.slice(50..).unwrap(), bytes.clone());
    drop(bytes);
    assert_eq!(HEAP.0.outstanding(), (1, 1), "two handles are left");
    std::thread::spawn(|| drop(moved)).join().unwrap();
    assert_eq!(HEAP.0.outstanding(), (1, 1), "a part is left");
    drop(part);
    assert_eq!(HEAP.0.outstanding(), (0, 0), "freed by the last drop");
    assert_eq!(HEAP.0.dirty(), 0, "wiped before");
    assert_eq!((POOL.reclaim(), POOL.is_idle()), (0, true));
    // What grows leaves its old block at once, too.
    let mut buffer = POOL.zeroed(100).unwrap();
    buffer.reserve(1000).unwrap();
    assert_eq!(HEAP.0.outstanding(), (1, 1));
}

/// Not with growth, not with copies, not through parts, in whichever pool.
#[test]
fn sticky_buffers_never_reach_the_heap() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [16 x 2], fallback = &HEAP; }
    tierpool::pool! { static OTHER = [8 x 1], fallback = &HEAP; }
    let mut sticky = POOL.alloc_pooled(16).unwrap();
    sticky.extend_from_slice(&[1; 16]).unwrap();
    assert_eq!(sticky.push(1), Err(AllocError::Oversized));
    assert_eq!(sticky.prepend(&[1]), Err(AllocError::Oversized));
    assert_eq!(sticky.reserve_in(&OTHER, 1), Err(AllocError::Oversized));
    assert_eq!(sticky.resize(17, 0), Err(AllocError::Oversized));
    let bytes = sticky.freeze();
    let mut copy = bytes.clone();
    copy.make_mut().unwrap();
    assert!(copy.is_pooled());
    let mut third = bytes.slice(1..).unwrap();
    assert_eq!(third.make_mut().unwrap_err(), AllocError::Exhausted);
    assert_eq!(third.make_mut_in(&OTHER).unwrap_err(), AllocError::Oversized);
    assert_eq!(third.clone().into_mut().unwrap_err().error, AllocError::Exhausted);
    assert_eq!(third.clone().into_mut_in(&OTHER, 0).unwrap_err().error, AllocError::Oversized);
    // A copy is as sticky as what it was made from.
    assert_eq!(copy.into_mut().unwrap().push(1), Err(AllocError::Oversized));
    // An empty part has no buffer that could be sticky, and no pool to grow in.
    assert_eq!(third.split_off(15).unwrap().into_mut().unwrap().push(1), Err(AllocError::NoPool));
    // Nor does a smaller slot that is not free.
    drop((bytes, third));
    let [mut first, mut second] = [(); 2].map(|()| {
        let mut sticky = POOL.alloc_pooled(16).unwrap();
        sticky.resize(8, 1).unwrap();
        sticky.freeze()
    });
    first.compact_in(&OTHER).unwrap();
    assert_eq!(first.footprint(), 8);
    assert_eq!(second.compact_in(&OTHER), Err(AllocError::Exhausted));
    assert_eq!(second.footprint(), 16);
    assert_eq!(first.into_mut().unwrap().push(1), Err(AllocError::Oversized));
    assert_eq!(HEAP.refused(), 0);
    assert_eq!(POOL.stats().fallbacks(), 0);
    assert_eq!(OTHER.stats().fallbacks(), 0);
}

/// A heap whose every call lets go of a buffer, as another core may while a copy is made, and then
/// refuses.
#[derive(Debug)]
struct LetsGo(Mutex<Option<Bytes>>);

// SAFETY: it never hands anything out.
unsafe impl Fallback for LetsGo {
    fn free_in_interrupt(&self) -> bool {
        true
    }

    fn allocate(&self, _: Layout) -> Option<NonNull<u8>> {
        drop(self.0.lock().unwrap().take());
        None
    }

    unsafe fn deallocate(&self, _: NonNull<u8>, _: Layout) {
        unreachable!("nothing is out");
    }
}

/// The last other holder goes while a copy finds no memory: its slot is no free one, but the bytes
/// need no copy any more.
#[test]
fn a_failed_copy_is_not_needed_when_unique() {
    static HEAP: LetsGo = LetsGo(Mutex::new(None));
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    let shared = |other_goes: bool| {
        let bytes = POOL.copy_from_slice(&[7; 8]).unwrap().freeze();
        let other = bytes.clone();
        let stays = if other_goes { HEAP.0.lock().unwrap().replace(other) } else { Some(other) };
        (bytes, stays)
    };
    for other_goes in [true, false] {
        let expected = if other_goes { Ok(()) } else { Err(AllocError::Exhausted) };
        for pool in [None, Some(&POOL)] {
            let (mut bytes, stays) = shared(other_goes);
            let result = match pool {
                None => bytes.make_mut().map(drop),
                Some(pool) => bytes.make_mut_in(pool).map(drop),
            };
            assert_eq!(result, expected);
            assert_eq!(&bytes[..], &[7; 8][..]);
            drop((bytes, stays));

            let (bytes, stays) = shared(other_goes);
            let result = match pool {
                None => bytes.into_mut(),
                Some(pool) => bytes.into_mut_in(pool, 8),
            };
            assert_eq!(result.map(drop).map_err(|back| back.error), expected);
            drop(stays);
        }
    }
    assert!(POOL.is_idle());
}

/// More than was asked for is tried first where a buffer grows; what is asked for, once.
#[test]
fn a_refusing_heap_is_not_asked_for_the_same() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [16 x 1], fallback = &HEAP; }
    HEAP.refuse_one_after(0);
    assert_eq!(POOL.alloc(1000).unwrap_err(), AllocError::Oversized);
    let mut buffer = POOL.copy_from_slice(&[1; 100]).unwrap();
    HEAP.refuse_one_after(0);
    buffer.reserve(10).unwrap();
    assert_eq!(buffer.capacity(), 112, "not twice as much");
    assert_eq!(HEAP.refused(), 2, "not twice as much");
}

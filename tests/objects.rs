//! Objects that several handles share: a value is dropped once, by the last handle, and a writer is
//! alone. Objects that keep their value: each owner finds what the last one left.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use tierpool::{Object, ObjectPool, RecyclePool, Recycled, SharedObject};
use tierpool_testkit::Random;

/// Tells how many of its kind are alive.
struct Live<'c>(&'c AtomicUsize, u32);

impl<'c> Live<'c> {
    fn new(count: &'c AtomicUsize, value: u32) -> Self {
        count.fetch_add(1, Relaxed);
        Live(count, value)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[test]
fn the_last_handle_drops_the_value_once() {
    let live = AtomicUsize::new(0);
    let pool = ObjectPool::<Live<'_>, 2>::new();
    let first = pool.alloc(Live::new(&live, 7)).ok().unwrap().share();
    let mut handles: Vec<_> = (0..10).map(|_| first.clone()).collect();
    assert_eq!(pool.stats().in_use, 1, "all on one slot");
    assert!(handles.iter().all(|handle| std::ptr::eq(&**handle, &*first)));
    drop(first);
    while let Some(handle) = handles.pop() {
        assert_eq!((handle.1, live.load(Relaxed)), (7, 1));
        assert!(!pool.is_idle());
        drop(handle);
    }
    assert_eq!(live.load(Relaxed), 0);
    assert!(pool.is_idle());
}

/// Whichever handle goes first.
#[test]
fn only_the_last_handle_writes_or_unwraps() {
    let live = AtomicUsize::new(0);
    let pool = ObjectPool::<Live<'_>, 1>::new();
    for (clone_goes_first, unwraps) in [(true, true), (true, false), (false, true), (false, false)]
    {
        let one = pool.alloc(Live::new(&live, 1)).ok().unwrap().share();
        let two = one.clone();
        let (mut goes, mut stays) = if clone_goes_first { (two, one) } else { (one, two) };
        assert!(goes.get_mut().is_none() && stays.get_mut().is_none());
        stays = stays.try_unwrap().err().expect("two handles");
        goes = goes.try_unwrap().err().expect("two handles");
        assert_eq!((goes.1, stays.1, live.load(Relaxed)), (1, 1, 1), "an error loses nothing");
        drop(goes);
        stays.get_mut().expect("the only handle").1 = 2;
        if unwraps {
            let object = stays.try_unwrap().ok().expect("the only handle");
            assert_eq!((object.1, pool.is_idle()), (2, false));
            let again = object.share(); // and the count is right
            drop(again.clone());
            assert_eq!(again.try_unwrap().ok().unwrap().into_inner().1, 2);
        } else {
            drop(stays);
        }
        assert_eq!(live.load(Relaxed), 0);
        assert!(pool.is_idle());
    }
}

#[test]
fn a_shared_slot_is_filled_again_as_an_object() {
    let pool = ObjectPool::<String, 1>::new();
    for n in 0..5 {
        let shared = pool.alloc(n.to_string()).unwrap().share();
        let other = shared.clone();
        assert_eq!(pool.alloc(String::from("full")).unwrap_err(), "full");
        drop((shared, other));
        // The mark of the slot is a fresh one: one handle.
        let object: Object<'_, String, 1> = pool.alloc(n.to_string()).unwrap();
        assert_eq!(object.share().try_unwrap().unwrap().into_inner(), n.to_string());
    }
    assert!(pool.is_idle());
}

/// A destructor that panics, at the last drop of one handle and of several.
#[test]
fn a_panic_in_the_last_drop_loses_no_slot() {
    struct Panics<'c>(&'c Cell<u32>);
    impl Drop for Panics<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            std::panic::resume_unwind(Box::new("at times")); // no message
        }
    }

    let drops = Cell::new(0);
    let pool = ObjectPool::<Panics<'_>, 1>::new();
    for clones in 0..3 {
        let shared = pool.alloc(Panics(&drops)).ok().unwrap().share();
        for _ in 0..clones {
            drop(shared.clone());
        }
        let last = shared.clone();
        drop(shared);
        let panic = catch_unwind(AssertUnwindSafe(|| drop(last))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"at times"));
        assert_eq!(drops.get(), clones + 1, "dropped once");
        assert!(pool.is_idle());
    }
}

/// Handles that cross threads; each thread reads, clones, and writes where it can.
#[test]
#[cfg_attr(miri, ignore = "a race; the sanitizers run it")]
fn shared_objects_of_several_threads() {
    const THREADS: usize = 4;
    static POOL: ObjectPool<(Live<'static>, [u64; 4]), 3> = ObjectPool::new();
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    type Shared = SharedObject<'static, (Live<'static>, [u64; 4]), 3>;
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| std::sync::mpsc::channel::<Shared>()).unzip();
    let (written, unwrapped) = (AtomicUsize::new(0), AtomicUsize::new(0));

    thread::scope(|scope| {
        for (number, inbox) in inboxes.into_iter().enumerate() {
            let (senders, written, unwrapped) = (senders.clone(), &written, &unwrapped);
            scope.spawn(move || {
                let mut random = Random::new(number as u64);
                let mut handled = 0;
                while handled < 5_000 {
                    let made = POOL.alloc((Live::new(&LIVE, 0), [random.u64(); 4])).ok();
                    let got = inbox.try_iter().take(2).collect::<Vec<_>>();
                    if made.is_none() && got.is_empty() {
                        thread::yield_now(); // all slots are with the others
                    }
                    for mut shared in made.map(Object::share).into_iter().chain(got) {
                        handled += 1;
                        let words = shared.1;
                        assert!(words.iter().all(|&word| word == words[0]), "read while written");
                        if let Some(value) = shared.get_mut() {
                            value.1 = [random.u64(); 4];
                            written.fetch_add(1, Relaxed);
                        }
                        match random.u64() % 4 {
                            // Nobody waits: a receiver may be gone already.
                            0 | 1 => {
                                let to = random.u64() as usize % THREADS;
                                let _ = senders[to].send(shared.clone());
                            }
                            2 => match shared.try_unwrap() {
                                Ok(object) => {
                                    unwrapped.fetch_add(1, Relaxed);
                                    drop(object.into_inner());
                                }
                                Err(shared) => drop(shared),
                            },
                            _ => drop(shared),
                        }
                    }
                }
            });
        }
    });
    drop(senders);
    assert!(written.into_inner() > 1_000 && unwrapped.into_inner() > 100);
    assert_eq!(LIVE.load(Relaxed), 0);
    assert!(POOL.is_idle());
    assert_eq!(POOL.stats().in_use, 0);
}

#[test]
fn a_shared_object_has_the_traits_of_its_value() {
    let pool = ObjectPool::<String, 3>::new();
    let [a, b, c] = ["a", "b", "b"].map(|text| pool.alloc(String::from(text)).unwrap().share());
    assert!(a != b && b == c && a < b && a.max(b.clone()) == c);
    assert_eq!(format!("{b} {b:?}"), "b \"b\"");
    assert_eq!(AsRef::<String>::as_ref(&b).len(), 1);
    assert_eq!(HashSet::from([b.clone(), c.clone(), b]).len(), 1);
    // As long as the value may cross threads, and be reached from several of them.
    fn crosses<T: Send + Sync>() {}
    crosses::<SharedObject<'static, String, 3>>();
}

// ---- objects that keep their value

#[test]
fn a_recycled_value_is_as_it_was_left() {
    let live = AtomicUsize::new(0);
    let pool = RecyclePool::new([1, 2, 3].map(|number| Live::new(&live, number)));
    let mut held: Vec<_> = std::iter::from_fn(|| pool.request()).collect();
    assert!(held.iter().map(|value| value.1).eq(1..=3), "each once, the first slot first");
    assert_eq!((pool.stats().in_use, pool.stats().missed), (3, 1));
    held[1].1 = 20;
    let old = std::mem::replace(&mut *held[2], Live::new(&live, 30));
    drop(old);
    assert_eq!(live.load(Relaxed), 3);
    for value in held {
        drop(value); // the third one last
        assert_eq!(live.load(Relaxed), 3, "none is dropped");
    }
    assert!(pool.is_idle());
    let again: Vec<_> = (0..3).map(|_| pool.request().unwrap()).collect();
    assert!(again.iter().map(|value| value.1).eq([30, 20, 1]), "that of the last slot first");
    again.into_iter().for_each(std::mem::forget);
    assert_eq!(pool.stats().in_use, 3, "forgotten slots are lost");
    drop(pool);
    assert_eq!(live.load(Relaxed), 0, "and their values are not");
}

/// The other values are dropped as well.
#[test]
fn a_panic_in_a_recycled_destructor_is_passed_on() {
    struct Panics<'c>(Live<'c>);
    impl Drop for Panics<'_> {
        fn drop(&mut self) {
            if self.0.1 == 1 {
                std::panic::resume_unwind(Box::new("at times")); // no message
            }
        }
    }

    let live = AtomicUsize::new(0);
    let pool = RecyclePool::new([0, 1, 2].map(|number| Panics(Live::new(&live, number))));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
    assert_eq!(live.load(Relaxed), 0);
}

#[test]
fn a_panic_of_its_owner_leaves_the_value() {
    static POOL: RecyclePool<[u32; 2], 1> = RecyclePool::new([[0; 2]]);
    let panics = || {
        let mut value = POOL.request().unwrap();
        value[0] = 1;
        std::panic::resume_unwind(Box::new("half done")); // no message
    };
    assert!(catch_unwind(panics).is_err());
    assert_eq!(*POOL.request().unwrap(), [1, 0], "in its slot, as it was left");
    assert!(POOL.is_idle());
}

#[test]
#[cfg_attr(miri, ignore = "a race; the sanitizers run it")]
fn recycled_values_of_several_threads() {
    static POOL: RecyclePool<Vec<u64>, 2> = RecyclePool::new([const { Vec::new() }; 2]);
    let work = || {
        let served = (0..20_000).filter(|_| {
            let Some(mut value) = POOL.request() else { return false };
            let next = value.len() as u64;
            assert!(value.last().is_none_or(|&last| last + 1 == next), "two owners");
            value.push(next);
            true
        });
        served.count()
    };
    let served: usize = thread::scope(|scope| {
        [(); 3].map(|()| scope.spawn(work)).map(|worker| worker.join().unwrap()).iter().sum()
    });
    let both = [POOL.request().unwrap(), POOL.request().unwrap()];
    assert_eq!(both[0].len() + both[1].len(), served, "no push is lost");
}

#[test]
fn a_recycled_value_has_its_own_traits() {
    let pool = RecyclePool::new(["a", "b"].map(String::from));
    let (mut a, b) = (pool.request().unwrap(), pool.request().unwrap());
    assert!(a < b && format!("{a} {b:?}") == "a \"b\"");
    AsMut::<String>::as_mut(&mut a).push('!');
    assert_eq!(AsRef::<String>::as_ref(&a), "a!");
    let shown = format!("{pool:?}");
    assert!(shown.starts_with("RecyclePool { stats: TierStats { size: "), "{shown}");
    fn crosses<T: Send + Sync>() {}
    crosses::<(RecyclePool<String, 2>, Recycled<'static, String, 2>)>();
}

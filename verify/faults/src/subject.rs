//! What is put to the test: `tierpool`, or a pool behind a lock, to show that the tests can fail.

use std::marker::PhantomData;
use std::sync::{Mutex, TryLockError};

use crate::mix::{Heaps, Mix};
use tierpool_testkit::Random;

/// Which pool.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub enum Pool {
    /// The library
    #[default]
    Tierpool,
    /// An array of buffers behind a spin lock
    Spinlock,
    /// The same behind the standard library's mutex
    Mutex,
}

/// One context's hold on a pool that others use as well.
pub trait Subject: Sized + Send + 'static {
    /// Makes the pool ready; once, before the first context.
    fn set_up() {}

    /// A context of this number. One `with_heap` also allocates from a heap, where the subject has
    /// one.
    fn new(number: usize, with_heap: bool) -> Self;

    /// Some operations; checks whatever it finds in a buffer.
    fn step(&mut self);

    /// Whether somebody holds the pool's lock.
    fn locked() -> bool {
        false
    }

    /// All contexts are gone: panics if a buffer is, too.
    fn all_home();
}

impl Subject for Mix {
    fn set_up() {
        crate::mix::set_up();
    }

    fn new(number: usize, with_heap: bool) -> Self {
        Mix::new(number, if with_heap { Heaps::Deferred } else { Heaps::None })
    }

    fn step(&mut self) {
        Mix::step(self);
    }

    fn all_home() {
        crate::mix::all_home();
    }
}

/// The buffers of a locked pool: as short a critical section as there can be, one pop or push of an
/// array.
type Buffers = Vec<&'static mut [u8; 64]>;

const BUFFERS: usize = 64;

/// A lock around the buffers.
pub trait Lock: Send + 'static {
    fn with<R>(work: impl FnOnce(&mut Buffers) -> R) -> R;
    fn locked() -> bool;
}

pub struct Spinning;

static SPINNING: spin::Mutex<Buffers> = spin::Mutex::new(Vec::new());

impl Lock for Spinning {
    fn with<R>(work: impl FnOnce(&mut Buffers) -> R) -> R {
        work(&mut SPINNING.lock())
    }

    fn locked() -> bool {
        SPINNING.is_locked()
    }
}

pub struct Blocking;

static BLOCKING: Mutex<Buffers> = Mutex::new(Vec::new());

impl Lock for Blocking {
    fn with<R>(work: impl FnOnce(&mut Buffers) -> R) -> R {
        work(&mut BLOCKING.lock().expect("nobody panics with the lock held"))
    }

    fn locked() -> bool {
        matches!(BLOCKING.try_lock(), Err(TryLockError::WouldBlock))
    }
}

/// A context of a pool behind a lock.
pub struct Locked<L> {
    random: Random,
    lock: PhantomData<L>,
}

impl<L: Lock> Subject for Locked<L> {
    fn set_up() {
        L::with(|buffers| buffers.extend((0..BUFFERS).map(|_| Box::leak(Box::new([0; 64])))));
    }

    fn new(number: usize, _: bool) -> Self {
        Locked { random: Random::new(number as u64), lock: PhantomData }
    }

    fn step(&mut self) {
        let mark = self.random.u64() as u8;
        let buffer = L::with(Vec::pop).expect("more buffers than contexts");
        buffer.fill(mark);
        assert_eq!(buffer, &[mark; 64], "two owners");
        L::with(|buffers| buffers.push(buffer));
    }

    fn locked() -> bool {
        L::locked()
    }

    fn all_home() {
        assert_eq!(L::with(|buffers| buffers.len()), BUFFERS);
    }
}

//! Steps on the object pool.

use crate::counts::Fault;
use crate::held::{WaitingValue, take};
use crate::objects::{Counted, Held, OBJECTS, RECYCLED, Value};
use crate::worker::Worker;
use std::future::Future;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use tierpool_testkit::Choices;

impl Worker {
    pub(crate) fn object_alloc(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let panics = choices.once_in(8);
        let made = match choices.below(4) {
            0 => match self.object_made_in_its_slot(choices, panics) {
                Some(made) => made,
                None => return Some(()), // it has panicked
            },
            1 => OBJECTS.alloc_uninit().map(|slot| slot.write(Counted::new(panics))),
            2 => OBJECTS.alloc_uninit().map(|mut slot| {
                MaybeUninit::write(&mut slot, Counted::new(panics));
                // SAFETY: it has just been written.
                unsafe { slot.assume_init() }
            }),
            _ => match OBJECTS.alloc(Counted::new(panics)) {
                Ok(object) => Some(object),
                Err(value) => {
                    self.let_go(value);
                    None
                }
            },
        };
        match made {
            Some(mut object) => {
                object.rewrite();
                self.objects.push(object);
            }
            None => self.refused(),
        }
        Some(())
    }

    /// At times the function that makes the value panics, or the slot is given up without one.
    fn object_made_in_its_slot(
        &mut self,
        choices: &mut dyn Choices,
        panics: bool,
    ) -> Option<Option<Held>> {
        if choices.once_in(8) {
            drop(OBJECTS.alloc_uninit());
        }
        let fails = choices.once_in(8);
        let make = || {
            if fails {
                resume_unwind(Box::new("at times")); // no message, and no hook
            }
            Counted::new(panics)
        };
        let made = catch_unwind(AssertUnwindSafe(|| OBJECTS.alloc_with(make)));
        self.panicked(made).map(Result::ok)
    }

    pub(crate) fn object_drop(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let object = take(&mut self.objects, choices)?;
        match choices.below(4) {
            0 => self.let_go(object),
            1 => self.let_go(object.into_inner()),
            2 => self.object_share(object, choices),
            _ => {
                let pointer = object.into_raw();
                // SAFETY: from `into_raw`, once.
                self.objects.push(unsafe { OBJECTS.from_raw(pointer) });
            }
        }
        Some(())
    }

    /// Two handles, which another thread reads meanwhile. The last one gives the object back, or lets
    /// it go.
    fn object_share(&mut self, object: Held, choices: &mut dyn Choices) {
        let mut shared = object.share();
        let theirs = shared.clone();
        shared.check();
        if choices.once_in(8) {
            thread::scope(|scope| {
                scope.spawn(|| {
                    theirs.check();
                    drop(theirs); // another handle exists, so no destructor runs
                });
            });
        } else {
            assert!(shared.get_mut().is_none(), "two handles on an object");
            drop(theirs);
        }
        shared.get_mut().expect("the last handle on an object").rewrite();
        if choices.once_in(2) {
            let object = shared.try_unwrap();
            self.objects.push(object.expect("the last handle on an object"));
        } else {
            self.let_go(shared);
        }
    }

    /// Gives its recycled value back, or asks for one.
    pub(crate) fn recycled(&mut self, choices: &mut dyn Choices) -> Option<()> {
        if self.value.take().is_none() {
            match RECYCLED.request() {
                Some(value) => self.keep_value(value, choices),
                None => self.refused(),
            }
        }
        Some(())
    }

    /// Waits for a recycled value, or polls such a wait again. At times it is dropped.
    pub(crate) fn recycled_wait(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.value = None; // or it may wait for itself
        let mut waiting = self.waiting_value.take().unwrap_or_else(|| WaitingValue {
            future: RECYCLED.request_wait(),
            woken: Arc::default(),
        });
        // Before the poll: what wakes from here on counts.
        waiting.woken.take();
        let waker = Waker::from(waiting.woken.clone());
        match Pin::new(&mut waiting.future).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(Ok(value)) => self.keep_value(value, choices),
            Poll::Ready(Err(_)) => self.refused(),
            Poll::Pending => self.waiting_value = Some(waiting).filter(|_| !choices.once_in(4)),
        }
        Some(())
    }

    /// Reads what the last owner has left, and leaves something else.
    fn keep_value(&mut self, mut value: Value, choices: &mut dyn Choices) {
        let last = *value;
        assert!(last.iter().all(|&word| word == last[0]), "a recycled object has two owners");
        value.fill(choices.below(1000) as u64);
        self.value = Some(value);
    }

    /// Drops what may panic.
    pub(crate) fn let_go<T>(&mut self, value: T) {
        self.panicked(catch_unwind(AssertUnwindSafe(|| drop(value))));
    }

    /// Counts a panic on purpose.
    fn panicked<T>(&mut self, result: thread::Result<T>) -> Option<T> {
        result
            .map_err(|panic| {
                assert_eq!(panic.downcast_ref(), Some(&"at times"));
                self.count(Fault::Panic);
            })
            .ok()
    }
}

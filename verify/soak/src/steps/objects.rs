//! Steps on the object pool.

use crate::counts::Fault;
use crate::held::take;
use crate::objects::{Counted, OBJECTS};
use crate::worker::Worker;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tierpool_testkit::Choices;

impl Worker {
    pub(crate) fn object_alloc(&mut self, choices: &mut dyn Choices) -> Option<()> {
        match OBJECTS.alloc(Counted::new(choices.once_in(8))) {
            Ok(mut object) => {
                object.rewrite();
                self.objects.push(object);
            }
            Err(value) => {
                self.refused();
                self.let_go(value);
            }
        }
        Some(())
    }

    pub(crate) fn object_drop(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let object = take(&mut self.objects, choices)?;
        match choices.below(3) {
            0 => self.let_go(object),
            1 => self.let_go(object.into_inner()),
            _ => {
                let pointer = object.into_raw();
                // SAFETY: from `into_raw`, once.
                self.objects.push(unsafe { OBJECTS.from_raw(pointer) });
            }
        }
        Some(())
    }

    /// Drops what may panic.
    pub(crate) fn let_go<T>(&mut self, value: T) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            assert_eq!(panic.downcast_ref(), Some(&"at times"));
            self.count(Fault::Panic);
        }
    }
}

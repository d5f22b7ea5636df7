//! The traits that a handle has because its value has them.
//!
//! | trait | handles |
//! |---|---|
//! | `Debug`, `Display`, comparisons, `Hash`, `AsRef` | all: they deref to the value |
//! | `AsMut` | those that can write |

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::object_pool::Object;
use crate::object_pool::recycle::Recycled;
use crate::object_pool::shared::SharedObject;

/// Passes the traits on to the value.
macro_rules! as_the_value {
    ($handle:ident) => {
        impl<T: fmt::Debug, const N: usize, const W: usize> fmt::Debug for $handle<'_, T, N, W> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: PartialEq, const N: usize, const W: usize> PartialEq for $handle<'_, T, N, W> {
            fn eq(&self, other: &Self) -> bool {
                **self == **other
            }
        }

        impl<T: Eq, const N: usize, const W: usize> Eq for $handle<'_, T, N, W> {}

        impl<T: PartialOrd, const N: usize, const W: usize> PartialOrd for $handle<'_, T, N, W> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                (**self).partial_cmp(&**other)
            }
        }

        impl<T: Ord, const N: usize, const W: usize> Ord for $handle<'_, T, N, W> {
            fn cmp(&self, other: &Self) -> Ordering {
                (**self).cmp(&**other)
            }
        }

        impl<T: Hash, const N: usize, const W: usize> Hash for $handle<'_, T, N, W> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                (**self).hash(state);
            }
        }

        impl<T: fmt::Display, const N: usize, const W: usize> fmt::Display
            for $handle<'_, T, N, W>
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }

        impl<T, const N: usize, const W: usize> AsRef<T> for $handle<'_, T, N, W> {
            fn as_ref(&self) -> &T {
                self
            }
        }
    };
}

as_the_value!(Object);
as_the_value!(SharedObject);
as_the_value!(Recycled);

impl<T, const N: usize, const W: usize> AsMut<T> for Object<'_, T, N, W> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T, const N: usize, const W: usize> AsMut<T> for Recycled<'_, T, N, W> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

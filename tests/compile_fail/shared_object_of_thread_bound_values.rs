use std::cell::Cell;

fn crosses<T: Send>() {}
fn is_reached<T: Sync>() {}

fn main() {
    // `Send` alone is enough for the object, and too little for one that is shared.
    crosses::<tierpool::Object<'static, Cell<u32>, 4>>();
    crosses::<tierpool::SharedObject<'static, Cell<u32>, 4>>();
    // `Sync` alone is too little, too: the last handle drops the value, wherever it is.
    is_reached::<tierpool::SharedObject<'static, std::sync::MutexGuard<'static, u32>, 4>>();
}

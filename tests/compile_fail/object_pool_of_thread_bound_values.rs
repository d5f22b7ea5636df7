use std::rc::Rc;

static POOL: tierpool::ObjectPool<Rc<u32>, 4> = tierpool::ObjectPool::new();

fn main() {
    let _ = &POOL;
}

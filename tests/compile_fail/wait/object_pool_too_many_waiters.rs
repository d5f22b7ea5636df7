static POOL: tierpool::ObjectPool<u32, 1, 1023> = tierpool::ObjectPool::with_waiters();

fn main() {
    let _ = &POOL;
}

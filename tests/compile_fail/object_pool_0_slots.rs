static POOL: tierpool::ObjectPool<u32, 0> = tierpool::ObjectPool::new();

fn main() {
    let _ = &POOL;
}

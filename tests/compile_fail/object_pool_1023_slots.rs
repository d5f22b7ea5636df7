static POOL: tierpool::ObjectPool<u32, 1023> = tierpool::ObjectPool::new();

fn main() {
    let _ = &POOL;
}

tierpool::pool! { static POOL = default; }

fn main() {
    let mut buffer = POOL.zeroed(1).unwrap();
    let bytes = buffer.freeze();
    buffer[0] = 1;
    drop(bytes);
}

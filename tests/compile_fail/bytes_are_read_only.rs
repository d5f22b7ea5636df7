tierpool::pool! { static POOL = default; }

fn main() {
    let bytes = POOL.zeroed(1).unwrap().freeze();
    bytes[0] = 1;
}

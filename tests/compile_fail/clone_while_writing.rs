tierpool::pool! { static POOL = default; }

fn main() {
    let mut bytes = POOL.zeroed(1).unwrap().freeze();
    let writing = bytes.make_mut().unwrap();
    let reading = bytes.clone();
    writing[0] = reading[0];
}

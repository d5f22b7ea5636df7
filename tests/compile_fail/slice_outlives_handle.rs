tierpool::pool! { static POOL = default; }

fn main() {
    let slice: &[u8];
    {
        let bytes = POOL.zeroed(1).unwrap().freeze();
        slice = &bytes;
    }
    assert_eq!(slice, [0]);
}

fn main() {
    let local = [1, 2, 3];
    let _ = tierpool::Bytes::from_static(&local);
}

fn main() {
    let _ = tierpool::Chain::<0>::from(tierpool::Bytes::new());
}

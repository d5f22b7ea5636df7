fn main() {
    let _ = tierpool::Pool::new;
}

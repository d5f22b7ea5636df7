fn shared_by_two<T: Clone>() {}

fn main() {
    shared_by_two::<tierpool::BytesMut>();
}

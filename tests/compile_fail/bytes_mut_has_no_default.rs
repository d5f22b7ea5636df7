fn from_no_pool<T: Default>() {}

fn main() {
    from_no_pool::<tierpool::BytesMut>();
}

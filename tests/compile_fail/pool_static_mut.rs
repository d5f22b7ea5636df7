tierpool::pool! { static mut POOL = [256 x 16]; }

fn main() {}

tierpool::pool! { static POOL = [MTU * 2 x 16]; }

fn main() {}

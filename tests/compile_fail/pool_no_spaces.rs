tierpool::pool! { static POOL = [256x16]; }

fn main() {}

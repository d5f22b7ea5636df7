tierpool::pool! { static POOL = [256 x 16], spil = 1; }

fn main() {}

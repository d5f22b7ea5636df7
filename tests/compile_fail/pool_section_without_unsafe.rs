tierpool::pool! { static POOL = [256 x 16], section = ".init_array"; }

fn main() {}

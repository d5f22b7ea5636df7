tierpool::pool! { static POOL = [256 x 16], fallback = tierpool::GlobalHeap; }

fn main() {}

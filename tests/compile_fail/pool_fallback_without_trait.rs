struct Heap;

tierpool::pool! { static POOL = [256 x 16], fallback = &Heap; }

fn main() {}

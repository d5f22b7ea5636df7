tierpool::pool! { static POOL = defualt; }

fn main() {}

tierpool::pool! { static POOL = []; }

fn main() {}

//! Who holds a buffer, as each core sees it of its own.

use crate::pools::{self, SMALL};
use crate::round::{self, Round};
use tierpool::{BytesMut, HeldBuffer, Holder};

const MARKS: [&&str; 2] = [&"core 0", &"core 1"];

pub fn run(round: Round) {
    round.both(job, |_| ());
}

fn job(core: usize) {
    for _ in 0..round::steps() {
        let Some(buffer) = pools::count(SMALL.alloc(64)) else { continue };
        let line = line!() - 1;
        let here = |held: &HeldBuffer| match held.holder {
            Holder::Place(place) => place.file().ends_with("held.rs") && place.line() == line,
            _ => false,
        };
        assert!(SMALL.held().any(|held| here(&held)), "the place of a buffer is not shown");
        marked(&buffer, MARKS[core]);
    }
}

/// Only this core marks with this text. So until it gives the buffer back, exactly its own has the
/// mark, or a slot that it had before and that the other core takes at this moment.
fn marked(buffer: &BytesMut, mark: &'static &'static str) {
    buffer.mark(mark);
    let mine = |held: &HeldBuffer| held.holder == Holder::Mark(mark);
    let Some(held) = SMALL.held().find(mine) else { panic!("a mark is not shown") };
    assert!(held.bytes >= 64, "{} bytes are not what was asked for", held.bytes);
}

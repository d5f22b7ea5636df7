//! A descriptor that is built by whoever comes first, word by word, and read by plain loads.

use std::sync::Arc;

use loom::thread;
use tierpool::__private::Words;

use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("words_are_settled_by_two", || settled_by(2)),
    bounded("words_are_settled_by_three", || settled_by(3)),
];

/// So many contexts need the words at the same time. Exposes a word that is written, or not yet
/// seen, while somebody reads it.
fn settled_by(contexts: usize) {
    let words = Arc::new(Words::new());
    let others: Vec<_> = (1..contexts)
        .map(|_| {
            let words = words.clone();
            thread::spawn(move || words.get())
        })
        .collect();
    assert_eq!(words.get(), [8, 16]);
    for other in others {
        assert_eq!(other.join().unwrap(), [8, 16]);
    }
}

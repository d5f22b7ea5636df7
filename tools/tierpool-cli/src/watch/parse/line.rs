//! `RX requests=5 hits=3 misses=2 fallbacks=0 hit_rate=60% 256=2/2 512=~1/1+1/2`
//!
//! `defmt` prints the tiers as a list, `[256=2/2, 512=1/1]`; C leaves out `fallbacks`.

use super::prefix;
use crate::watch::snapshot::{Clock, Reserve, Snapshot, Tier, is_use};

/// Reads the line: none if there is no statistics line in it, an error if it lost a part.
pub(super) fn read(line: &str, now: (f64, Clock)) -> Option<Result<Snapshot, ()>> {
    let start = line.rfind("requests=")?;
    Some(snapshot(line, start, now).ok_or(()))
}

fn snapshot(line: &str, start: usize, (seconds, clock): (f64, Clock)) -> Option<Snapshot> {
    let mut words = line[start..].split_whitespace().peekable();
    let mut value = |key: &str| number(words.next_if(|word| word.starts_with(key))?, key);
    let mut snapshot = Snapshot {
        name: prefix::name(&line[..start]).map(str::to_owned),
        seconds,
        clock,
        requests: value("requests=")?,
        hits: value("hits=")?,
        misses: value("misses=")?,
        fallbacks: value("fallbacks=").unwrap_or(0),
        ..Snapshot::default()
    };
    let rate: u64 = words.next()?.strip_prefix("hit_rate=")?.strip_suffix('%')?.parse().ok()?;
    let mut list = false;
    for word in words {
        let begins = word.starts_with('[');
        list |= begins;
        let ends = word.ends_with(']');
        let word = word.trim_start_matches('[').trim_end_matches([']', ',']);
        match tier(word) {
            Some(tier) => snapshot.tiers.push(tier),
            // Behind the tiers stands a logger's, such as the place in the code.
            None if !list => break,
            None => return None,
        }
        if ends {
            list = false;
            break;
        }
    }
    let tens = |count: u64| u128::from(count) * 1000;
    let permille = tens(snapshot.hits).checked_div(snapshot.requests.into()).unwrap_or(1000);
    let adds_up = snapshot.hits.checked_add(snapshot.misses) == Some(snapshot.requests)
        && permille / 10 == rate.into()
        && !list
        && !snapshot.tiers.is_empty()
        && snapshot.tiers.is_sorted_by_key(|tier| tier.bytes);
    adds_up.then_some(snapshot)
}

fn number(word: &str, key: &str) -> Option<u64> {
    word.strip_prefix(key)?.parse().ok()
}

/// `512=~1/16+1/2`
fn tier(word: &str) -> Option<Tier> {
    let (bytes, rest) = word.split_once('=')?;
    let (plain, reserved) = match rest.split_once('+') {
        Some((plain, reserved)) => (plain, Some(reserved)),
        None => (rest, None),
    };
    let exact = !plain.starts_with('~');
    let (in_use, slots) = pair(plain.trim_start_matches('~'))?;
    let reserve = match reserved {
        Some(reserved) => {
            let (in_use, slots) = pair(reserved)?;
            Some(Reserve { slots, in_use, counts: None })
        }
        None => None,
    };
    let bytes = bytes.parse().ok()?;
    Some(Tier { bytes, slots, in_use, exact, reserve, counts: None })
}

/// `1/16`: not more in use than there are.
fn pair(text: &str) -> Option<(u64, u64)> {
    let (in_use, slots) = text.split_once('/')?;
    let (in_use, slots) = (in_use.parse().ok()?, slots.parse().ok()?);
    is_use(in_use, slots).then_some((in_use, slots))
}

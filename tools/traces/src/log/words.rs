//! Words that name blocks and sizes.

/// A block's name, as a number; none for the null pointer.
pub(super) type Name = Option<u128>;

/// Reads a name: decimal, or hexadecimal with or without `0x`. All are read as hexadecimal: that
/// tells apart what is written apart, as long as a log writes each block in one way.
pub(super) fn name(word: &str) -> Option<Name> {
    let digits = word.strip_prefix("0x").or(word.strip_prefix("0X"));
    if matches!(word, "(nil)" | "(null)")
        || digits
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit == b'0'))
    {
        return Some(None);
    }
    number(digits.unwrap_or(word), 16).map(Some)
}

/// Reads bytes of an allocation: decimal, or hexadecimal after `0x`; none above 4 GiB.
pub(super) fn size(word: &str) -> Option<u32> {
    let size = match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        Some(digits) => number(digits, 16),
        None => number(word, 10),
    };
    size?.try_into().ok()
}

/// Digits alone: the standard library's parser would take a sign, too.
fn number(digits: &str, radix: u32) -> Option<u128> {
    if digits.starts_with('+') { None } else { u128::from_str_radix(digits, radix).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sizes() {
        assert_eq!(
            ["7", "0x3ffb1234", "3FFB1234", "18446744073709551615"]
                .map(|word| name(word).is_some()),
            [true; 4]
        );
        assert_eq!(name("0x3FFB1234"), name("3ffb1234"));
        assert_eq!(
            ["0", "(nil)", "0x0", "0x00000000"].map(name),
            [Some(Some(0)), Some(None), Some(None), Some(None)]
        );
        assert_eq!(["wifi", "", "0x", "+1", "1\u{fffd}"].map(name), [None; 5]);
        assert_eq!(
            ["64", "0x40", "4294967295", "4294967296", "4f", "+4", ""].map(size),
            [Some(64), Some(64), Some(u32::MAX), None, None, None, None]
        );
    }
}

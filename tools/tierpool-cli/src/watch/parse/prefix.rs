//! What a logger puts in front of a text: the time, a level, a task.
//!
//! ```text
//!   I (1234) relay: RX requests=…                       ESP-IDF, esp-println
//!   [2026-01-31T10:00:00Z INFO  relay] RX requests=…    env_logger
//!   12.345678 [INFO ] RX requests=… (relay main.rs:9)   defmt, by probe-rs or espflash
//!   [00:00:01.234,567] <inf> relay: RX requests=…       Zephyr
//! ```

/// Words that stand where a name could, but are a logger's.
const LEVELS: [&str; 17] = [
    "trace", "debug", "info", "warn", "warning", "error", "fatal", "notice", "log", "inf", "wrn",
    "err", "dbg", "i", "w", "e", "d",
];

/// A clock that goes back by less than so many seconds has not started again.
const SWAPPED: f64 = 0.5;

/// The clock of a device, as far as its log tells it.
#[derive(Debug, Default)]
pub(super) struct DeviceClock {
    /// The last time that was read, and what came before the last start of the device.
    last: Option<f64>,
    before: f64,
}

impl DeviceClock {
    /// Reads the time in front of a line, if there is one.
    pub(super) fn read(&mut self, line: &str) {
        let Some(seconds) = time(line) else { return };
        if let Some(last) = self.last.filter(|&last| seconds < last) {
            // Lines of two cores may stand in another order than their times.
            if last - seconds < SWAPPED {
                return;
            }
            // The device has started again, and its clock with it.
            self.before += last - seconds;
        }
        self.last = Some(seconds);
    }

    /// The time of the device, if its log has one.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.last.map(|last| self.before + last)
    }
}

/// The time at the start of a line, in seconds from any moment.
fn time(line: &str) -> Option<f64> {
    let line = line.trim_start();
    // `I (1234) tag:` in milliseconds.
    if let Some((level, rest)) = line.split_once(" (")
        && level.len() == 1
        && let Some((digits, _)) = rest.split_once(')')
        && let Ok(milliseconds) = digits.parse::<u64>()
    {
        return Some(milliseconds as f64 / 1000.0);
    }
    let line = line.trim_start_matches('[');
    let first = line.split([' ', ']']).next()?;
    if let Some((date, time)) = first.split_once('T') {
        let parts: Vec<&str> = date.split('-').collect();
        let [year, month, day] = parts[..] else { return None };
        let days = days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        return Some(days as f64 * 86_400.0 + clock(time)?);
    }
    if first.contains(':') {
        return clock(first);
    }
    // Seconds since the start, to the millisecond or finer: a plain number is none.
    let (whole, fraction) = first.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction) && fraction.len() >= 3).then(|| first.parse().ok())?
}

/// `10:00:01.234`, with anything behind it.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let hours: f64 = parts.next().filter(is_short)?.parse().ok()?;
    let minutes: f64 = parts.next().filter(is_short)?.parse().ok()?;
    let seconds = parts.next()?;
    let end = seconds.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(seconds.len());
    let seconds: f64 = seconds[..end].parse().ok()?;
    Some(hours * 3600.0 + minutes * 60.0 + seconds)
}

/// True for one digit or two.
fn is_short(text: &&str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Days from a day long ago to this one.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Counted from March, so that the day of a leap year is the last one.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    Some(
        365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * month + 2) / 5
            + day,
    )
}

/// True for what can be the name of a pool, and is no level of a logger.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !LEVELS.contains(&word.to_lowercase().as_str())
}

/// The name that stands right before a statistics line.
pub(super) fn name(before: &str) -> Option<&str> {
    let word = before.strip_suffix(' ')?;
    let word = word.rsplit(char::is_whitespace).next()?;
    is_name(word).then_some(word)
}

/// The name in the line before the headings of a table, which have `prefix` before them.
///
/// A table without a name looks the same, and then that line is anybody's. So behind a logger's
/// prefix only a name in capital letters counts, as statics have, and else only a line of one word.
pub(super) fn name_line(line: &str, prefix: &str) -> Option<String> {
    let (before, word) = match line.trim().rsplit_once(char::is_whitespace) {
        Some((before, word)) => (before.trim_end(), word),
        None => ("", line.trim()),
    };
    let capitals = !word.chars().any(char::is_lowercase);
    let of_logger = before.ends_with([':', ']', '-', '>', ')', '|'])
        || before.rsplit(char::is_whitespace).next().is_some_and(|word| {
            LEVELS.contains(&word.trim_matches(['[', ']']).to_lowercase().as_str())
        });
    let stands_alone = if before.is_empty() { prefix.is_empty() } else { of_logger && capitals };
    (is_name(word) && stands_alone).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_loggers_are_read() {
        assert_eq!(time("I (1234) relay: RX requests=1"), Some(1.234));
        assert_eq!(time("12.345678 [INFO ] RX requests=1"), Some(12.345678));
        assert_eq!(time("[00:00:01.250,567] <inf> relay: RX"), Some(1.25));
        assert_eq!(time("10:00:01 INFO RX"), Some(36_001.0));
        let at = |text: &str| time(text).unwrap();
        assert_eq!(at("[2026-03-01T00:00:01.5Z INFO  relay]") - at("2026-02-28T23:59:59Z"), 2.5);
        assert_eq!(at("2028-03-01T00:00:00Z") - at("2028-02-28T00:00:00Z"), 2.0 * 86_400.0);
        for none in [
            "",
            "RX requests=1",
            "I (x) relay",
            "1.5 volts",
            "  256      16",
            "a:b:c d",
            "999:00:00 x",
        ] {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn a_clock_that_starts_again_goes_on() {
        let mut clock = DeviceClock::default();
        assert_eq!(clock.seconds(), None);
        for (line, seconds) in [
            ("I (5000) a: b", 5.0),
            ("no time", 5.0),
            ("I (100) a: b", 5.0),
            ("I (1100) a: b", 6.0),
        ] {
            clock.read(line);
            assert_eq!(clock.seconds(), Some(seconds), "{line}");
        }
    }

    #[test]
    fn levels_and_tags_are_no_names() {
        let names = ["RX ", "I (5) relay: RX ", "[x] rx_2 ", "INFO - RX ", "t.1 "];
        assert_eq!(
            names.map(name),
            [Some("RX"), Some("RX"), Some("rx_2"), Some("RX"), Some("t.1")]
        );
        let none = ["", "INFO ", "I (5) relay: ", "[2026 INFO relay] ", "INFO - ", "12.5 ", "RX"];
        assert_eq!(none.map(name), [None; 7]);
    }

    #[test]
    fn a_line_before_the_table_may_be_a_name() {
        let of = |line, prefix| name_line(line, prefix);
        assert_eq!(of("RX", "").as_deref(), Some("RX"));
        assert_eq!(of("queue-2", "").as_deref(), Some("queue-2"));
        assert_eq!(of("I (5) relay: RX", "").as_deref(), Some("RX"));
        assert_eq!(of("INFO - RX", "INFO -").as_deref(), Some("RX"));
        assert_eq!(of("I (44) wifi: connected", ""), None);
        assert_eq!(of("the link is UP", ""), None);
        assert_eq!(of("done", "INFO -"), None, "the headings have a prefix, and this has none");
        assert_eq!(of("", ""), None);
    }
}

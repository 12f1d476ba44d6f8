//! When something was signed: the grammar of the text, and how far from now it may be. Comes in: text and a
//! clock; goes out: seconds, or a refusal. It never reads a clock, and compares without overflow.

use alloc::string::String;

use crate::refusal::Refusal;

/// The most digits of a timestamp. They last for 30,000 years.
const MAX_DIGITS: usize = 12;

/// The time by which a webhook is judged.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The present, in seconds since 1970.
    pub now: u64,
    /// How many seconds a timestamp may be from it, in both directions.
    pub tolerance: u64,
}

impl Clock {
    /// Refuses what was signed too long ago or too far in the future.
    pub(crate) fn judge(self, timestamp: u64) -> Result<(), Refusal> {
        let by = self.now.abs_diff(timestamp);
        if by <= self.tolerance {
            Ok(())
        } else if timestamp < self.now {
            Err(Refusal::TooOld(by))
        } else {
            Err(Refusal::TooNew(by))
        }
    }
}

/// The seconds of `^[0-9]{1,12}$`.
pub(crate) fn parse(text: &str) -> Result<u64, Refusal> {
    if text.is_empty() || text.len() > MAX_DIGITS {
        return Err(Refusal::BadTimestamp);
    }
    let mut seconds = 0u64;
    for digit in text.bytes() {
        if !digit.is_ascii_digit() {
            return Err(Refusal::BadTimestamp);
        }
        // Twelve digits are far below the end of the type.
        seconds = seconds * 10 + u64::from(digit - b'0');
    }
    Ok(seconds)
}

/// The text of `seconds`, unless it has more digits than [`parse`] takes.
pub(crate) fn text(seconds: u64) -> Option<String> {
    let mut text = String::new();
    push_decimal(&mut text, seconds);
    (text.len() <= MAX_DIGITS).then_some(text)
}

/// Appends `number`. The formatter of the standard library would make the component a third larger.
pub(crate) fn push_decimal(text: &mut String, number: u64) {
    let mut power = 1u64;
    while number / power >= 10 {
        power *= 10;
    }
    while power > 0 {
        let digit = number / power % 10;
        text.push(char::from(b'0' + digit as u8));
        power /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_one_to_twelve_digits() {
        for (text, seconds) in [
            ("0", 0),
            ("1614265330", 1_614_265_330),
            ("001614265330", 1_614_265_330),
            ("999999999999", 999_999_999_999),
        ] {
            assert_eq!(parse(text), Ok(seconds));
        }
        for text in [
            "",
            "hello",
            "1614265330abc",
            "1614265330.9",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1\n",
            "1e9",
            "0x1",
            "١",
            "1000000000000",
            "18446744073709551617",
        ] {
            assert_eq!(parse(text), Err(Refusal::BadTimestamp), "{text:?}");
        }
    }

    #[test]
    fn tolerance_counts_in_both_directions_and_at_the_ends_of_time() {
        let clock = Clock {
            now: 1_000,
            tolerance: 300,
        };
        for (timestamp, judgement) in [
            (1_000, Ok(())),
            (701, Ok(())),
            (1_299, Ok(())),
            (699, Err(Refusal::TooOld(301))),
            (1_301, Err(Refusal::TooNew(301))),
            (0, Err(Refusal::TooOld(1_000))),
            (u64::MAX, Err(Refusal::TooNew(u64::MAX - 1_000))),
        ] {
            assert_eq!(clock.judge(timestamp), judgement, "{timestamp}");
        }
        let late = Clock {
            now: u64::MAX,
            tolerance: 0,
        };
        assert_eq!(late.judge(0), Err(Refusal::TooOld(u64::MAX)));
        let any = Clock {
            now: 0,
            tolerance: u64::MAX,
        };
        assert_eq!(any.judge(u64::MAX), Ok(()));
    }

    #[test]
    fn numbers_are_written_as_everybody_writes_them() {
        for number in [0, 1, 9, 10, 99, 100, 1_614_265_330, u64::MAX - 1, u64::MAX] {
            let mut text = String::new();
            push_decimal(&mut text, number);
            assert_eq!(text, number.to_string());
        }
        assert_eq!(text(999_999_999_999).unwrap(), "999999999999");
        assert_eq!(text(1_000_000_000_000), None);
    }
}

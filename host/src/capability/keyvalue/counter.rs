//! A counter: a value of 8 bytes, a 64-bit integer with its sign, little-endian, as Spin keeps it. Comes in:
//! a value and what is added; goes out: the sum, or why there is none. What is not there counts as zero.
//! Never takes text for a number: eight digits are eight bytes as well.

use super::Error;

/// How long a counter is.
pub(super) const BYTES: usize = 8;

/// What is added. The interfaces do not agree on whether it may be negative, nor on the sum: where the
/// addend has no sign, neither has the sum.
#[derive(Debug, Clone, Copy)]
pub enum Delta {
    /// Any number; so is the sum.
    Signed(i64),
    /// No negative number; nor is the sum.
    Unsigned(u64),
}

/// Why a value was not incremented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSum {
    /// The value has so many bytes, and is no counter.
    NotACounter(usize),
    /// A counter cannot hold the sum.
    OutOfRange,
}

impl Delta {
    /// The sum of `value` and this.
    pub(super) fn add(self, value: Option<&[u8]>) -> Result<i64, NoSum> {
        let before = match value {
            None => 0,
            Some(value) => i64::from_le_bytes(
                value
                    .try_into()
                    .map_err(|_| NoSum::NotACounter(value.len()))?,
            ),
        };
        let sum = match self {
            Self::Signed(delta) => before.checked_add(delta),
            Self::Unsigned(delta) => before.checked_add_unsigned(delta).filter(|sum| *sum >= 0),
        };
        sum.ok_or(NoSum::OutOfRange)
    }
}

impl From<NoSum> for Error {
    fn from(reason: NoSum) -> Self {
        match reason {
            NoSum::NotACounter(length) => Self::NotACounter(length),
            NoSum::OutOfRange => Self::CounterRange,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Delta, NoSum};

    #[test]
    fn a_counter_has_eight_bytes_and_begins_at_zero() {
        assert_eq!(Delta::Signed(-3).add(None), Ok(-3));
        assert_eq!(
            Delta::Unsigned(3).add(Some(&[255, 0, 0, 0, 0, 0, 0, 0])),
            Ok(258)
        );
        assert_eq!(Delta::Signed(1).add(Some(b"7")), Err(NoSum::NotACounter(1)));
        assert_eq!(Delta::Signed(1).add(Some(b"")), Err(NoSum::NotACounter(0)));
    }

    #[test]
    fn a_sum_that_no_counter_holds_is_refused() {
        let most = Some(i64::MAX.to_le_bytes());
        let most = most.as_ref().map(|bytes| &bytes[..]);
        assert_eq!(Delta::Signed(1).add(most), Err(NoSum::OutOfRange));
        assert_eq!(Delta::Unsigned(1).add(most), Err(NoSum::OutOfRange));
        assert_eq!(Delta::Unsigned(u64::MAX).add(None), Err(NoSum::OutOfRange));
        assert_eq!(Delta::Signed(i64::MIN).add(most), Ok(-1));
        // Whoever knows no signs is not told of a number that has one.
        let debt = Some((-5_i64).to_le_bytes());
        let debt = debt.as_ref().map(|bytes| &bytes[..]);
        assert_eq!(Delta::Unsigned(4).add(debt), Err(NoSum::OutOfRange));
        assert_eq!(Delta::Unsigned(6).add(debt), Ok(1));
    }
}

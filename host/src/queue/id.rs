//! The names of batches and jobs. Comes in: the time and chance; goes out: names that sort by the order in which
//! they were made and that nobody guesses. Never reads a clock.

use std::fmt;
use std::str::FromStr;

/// How many bits below the time are chance.
const CHANCE: u32 = 80;

/// A batch: 32 hexadecimal digits, of which the first 12 are the milliseconds at which it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(u128);

/// A job: its batch's name, a hyphen, and its place in the batch as four hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// The batch that it came with.
    pub batch: BatchId,
    /// Its place there, from 0.
    pub place: u16,
}

/// What should be a name is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name of a {0} has another form: take it from a receipt or from a list")]
pub struct NoName(&'static str);

impl BatchId {
    /// The name as bytes, which sort as it does.
    pub(super) fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The names of its jobs, if it has so many.
    pub(super) fn jobs(self, count: usize) -> Vec<JobId> {
        let places = (0..=u16::MAX).take(count);
        places.map(|place| JobId { batch: self, place }).collect()
    }
}

impl JobId {
    /// Behind every other.
    pub(super) const LAST: Self = Self {
        batch: BatchId(u128::MAX),
        place: u16::MAX,
    };
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04x}", self.batch, self.place)
    }
}

/// Exactly `digits` digits in lower case: each name has one spelling.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for BatchId {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let number = is_hex(text, 32).then(|| u128::from_str_radix(text, 16).ok());
        number.flatten().map(Self).ok_or(NoName("batch"))
    }
}

impl FromStr for JobId {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let parts = text.split_once('-').filter(|(_, place)| is_hex(place, 4));
        let (batch, place) = parts.ok_or(NoName("job"))?;
        Ok(Self {
            batch: batch.parse().map_err(|_| NoName("job"))?,
            place: u16::from_str_radix(place, 16).map_err(|_| NoName("job"))?,
        })
    }
}

/// Makes the names of one engine, each behind the one before, whatever the clock does.
#[derive(Debug, Default)]
pub(super) struct Ids {
    last: u128,
}

impl Ids {
    /// Goes on behind the last name that there is.
    pub(super) fn after(last: Option<BatchId>) -> Self {
        Self {
            last: last.map_or(0, |last| last.0),
        }
    }

    /// Another name.
    pub(super) fn next(&mut self, now: u64, chance: impl Fn() -> u64) -> BatchId {
        let chance = (u128::from(chance()) << 64 | u128::from(chance())) >> (128 - CHANCE);
        let made = u128::from(now) << CHANCE | chance;
        self.last = made.max(self.last.saturating_add(1));
        BatchId(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_the_order_in_which_they_were_made() {
        let mut ids = Ids::default();
        let made = [(5, 9), (5, 1), (6, 0), (2, u64::MAX), (7, 3)]
            .map(|(now, chance)| ids.next(now, || chance));
        assert!(made.is_sorted_by(|a, b| a < b && a.to_string() < b.to_string()));
        assert!(Ids::after(Some(made[4])).next(0, || 0) > made[4]);
    }

    #[test]
    fn a_name_is_read_in_its_one_spelling() {
        let batch = Ids::default().next(1_764_100_000_000, || 7);
        let job = JobId { batch, place: 300 };
        assert_eq!(batch.to_string().parse(), Ok(batch));
        assert_eq!(job.to_string().parse(), Ok(job));
        assert!(job.to_string().ends_with("-012c"));
        for wrong in ["", "-", "0-0000", &job.to_string().to_uppercase(), "é-0000"] {
            assert_eq!(wrong.parse::<JobId>(), Err(NoName("job")), "{wrong}");
            assert_eq!(wrong.parse::<BatchId>(), Err(NoName("batch")), "{wrong}");
        }
    }
}

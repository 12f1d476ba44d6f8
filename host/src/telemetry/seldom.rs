//! Lines that somebody else causes, kept few: a client or a guest must not fill the disk with what it does
//! wrong. Comes in: that there is something to say; goes out: whether it is time to, and for how many it stands.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a line into the log at most once a second, and says how many it stands for: what clients cause
/// must not fill the disk.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

const EVERY: Duration = Duration::from_secs(1);

impl Seldom {
    /// How many times this was asked since it last said so, if it is time to say so again.
    pub fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, count) = &mut *state;
        *count += 1;
        if last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_stands_for_all() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.count(start), Some(1));
        assert_eq!(seldom.count(start), None);
        assert_eq!(seldom.count(start + EVERY / 2), None);
        assert_eq!(seldom.count(start + EVERY), Some(3));
    }
}

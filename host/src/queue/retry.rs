//! When a job is tried again, if it is. Comes in: the policy, how often it was tried, the time, and a number by
//! chance; goes out: the time of the next attempt, or that there is none. Never reads a clock, never throws the
//! dice itself, and no number that it is given makes it wrap.

use super::Policy;
use crate::clock::millis;
use core::time::Duration;

/// What becomes of a job that did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is tried again.
    At(u64),
    /// It was tried often enough.
    Dead,
}

/// The delay before the first attempt.
pub(super) fn first(policy: &Policy, own: Option<&[Duration]>) -> Duration {
    let schedule = own.unwrap_or(&policy.schedule);
    schedule.first().copied().unwrap_or_default()
}

/// What becomes of a job that was tried `tried` times and has a schedule of its `own` or none. Not before
/// `after`, as far as the policy honours that.
pub(super) fn next(
    policy: &Policy,
    own: Option<&[Duration]>,
    tried: u32,
    after: Option<Duration>,
    now: u64,
    chance: u64,
) -> Next {
    let schedule = own.unwrap_or(&policy.schedule);
    let attempts = match own {
        Some(own) => own.len(),
        None => policy.attempts as usize,
    };
    let tried = tried as usize;
    if tried >= attempts {
        return Next::Dead;
    }
    let delay = schedule.get(tried).or(schedule.last()).copied();
    let delay = moved(millis(delay.unwrap_or_default()), policy.jitter, chance);
    let after = millis(after.unwrap_or_default().min(policy.most_after));
    Next::At(now.saturating_add(delay.max(after)))
}

/// A delay, longer or shorter by up to so many per cent.
fn moved(delay: u64, jitter: u8, chance: u64) -> u64 {
    let jitter = u128::from(jitter.min(100)) * 10;
    let thousandths = 1000 - jitter + u128::from(chance) % (2 * jitter + 1);
    u64::try_from(u128::from(delay) * thousandths / 1000).unwrap_or(u64::MAX)
}

/// A schedule as it is kept: eight bytes for each delay, in milliseconds.
pub(super) fn to_bytes(schedule: &[Duration]) -> Vec<u8> {
    let delays = schedule.iter().map(|delay| millis(*delay).to_le_bytes());
    delays.flatten().collect()
}

/// A schedule that was kept.
pub(super) fn from_bytes(bytes: &[u8]) -> Vec<Duration> {
    let delays = bytes.as_chunks::<8>().0.iter();
    delays
        .map(|delay| Duration::from_millis(u64::from_le_bytes(*delay)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    const EVEN: u64 = 200;

    fn at(tried: u32, after: Option<u64>) -> Next {
        let after = after.map(Duration::from_secs);
        next(&Policy::default(), None, tried, after, 1000, EVEN)
    }

    #[test]
    fn the_default_schedule_ends_after_ten_attempts_and_75_hours_35_minutes() {
        let mut total = first(&Policy::default(), None).as_millis() as u64;
        for tried in 1..10 {
            match at(tried, None) {
                Next::At(time) => total += time - 1000,
                Next::Dead => panic!("{tried} attempts were too many"),
            }
        }
        assert_eq!(total, ((75 * 60 + 35) * 60 + 5) * 1000);
        assert_eq!(at(10, None), Next::Dead);
    }

    #[test]
    fn who_asks_for_more_time_has_it_up_to_the_cap() {
        assert_eq!(at(1, Some(1)), Next::At(1000 + 5_000));
        assert_eq!(at(1, Some(100)), Next::At(1000 + 100_000));
        assert_eq!(at(1, Some(u64::MAX)), Next::At(1000 + 24 * 3600 * 1000));
    }

    #[test]
    fn a_job_with_a_schedule_of_its_own_keeps_to_that() {
        let own = [Duration::ZERO, Duration::from_secs(1)];
        let next = |tried| next(&Policy::default(), Some(&own), tried, None, 0, EVEN);
        assert_eq!(next(1), Next::At(1000));
        assert_eq!(next(2), Next::Dead);
    }

    proptest! {
        #![proptest_config(cases(2000))]

        #[test]
        fn no_attempt_is_moved_by_more_than_the_jitter(
            delay in any::<u64>(), jitter in 0_u8..=100, chance in any::<u64>(),
        ) {
            let moved = u128::from(moved(delay, jitter, chance));
            let (delay, jitter) = (u128::from(delay), u128::from(jitter));
            prop_assert!(moved >= delay * (100 - jitter) / 100);
            let most = delay * (100 + jitter) / 100;
            prop_assert!(moved <= most.max(u128::from(u64::MAX)));
            prop_assert!(moved <= most);
        }

        #[test]
        fn no_number_wraps(tried in any::<u32>(), after in any::<u64>(), now in any::<u64>()) {
            let policy = Policy { attempts: u32::MAX, most_after: Duration::MAX, ..Policy::default() };
            let wait = Some(Duration::from_millis(after));
            match next(&policy, None, tried, wait, now, after) {
                Next::At(at) => prop_assert!(at >= now),
                Next::Dead => prop_assert_eq!(tried, u32::MAX),
            }
        }

        #[test]
        fn a_schedule_is_read_as_it_was_written(delays in prop::collection::vec(any::<u64>(), 0..8)) {
            let schedule: Vec<_> = delays.into_iter().map(Duration::from_millis).collect();
            prop_assert_eq!(from_bytes(&to_bytes(&schedule)), schedule);
        }
    }
}

//! Leaves a lane alone that fails again and again. Comes in: what came of attempts, and the time; goes out:
//! whether the lane is closed (as usual), open (nothing runs until a time) or half open (one attempt finds out).
//! Never reads a clock.

use crate::clock::millis;
use core::time::Duration;

/// When it opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After so many failures without a success between them.
    pub failures: u32,
    /// How long it is open the first time; twice as long after each attempt that found out it should be.
    pub open: Duration,
    /// How long at most.
    pub most: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failures: 10,
            open: Duration::from_secs(30),
            most: Duration::from_secs(3600),
        }
    }
}

/// The breaker of one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures since the last success.
    pub(super) failures: u32,
    /// How often it has opened since then.
    pub(super) opened: u32,
    /// Until when it is open; half open from then on. None while it is closed.
    pub(super) until: Option<u64>,
}

impl Breaker {
    /// An attempt worked.
    pub(super) fn success(&mut self) {
        *self = Self::default();
    }

    /// An attempt did not work.
    pub(super) fn failure(&mut self, settings: Option<&Settings>, now: u64) {
        let Some(settings) = settings else {
            return;
        };
        self.failures = self.failures.saturating_add(1);
        let opens = match self.until {
            None => self.failures >= settings.failures,
            // One that began before it opened says nothing new.
            Some(until) => now >= until,
        };
        if opens {
            let times = 1_u32.checked_shl(self.opened).unwrap_or(u32::MAX);
            let open = settings.open.saturating_mul(times).min(settings.most);
            self.until = Some(now.saturating_add(millis(open)));
            self.opened = self.opened.saturating_add(1);
        }
    }

    /// Somebody says that it is worth a try: one that is open is half open from now on.
    pub(super) fn probe(&mut self, now: u64) {
        self.until = self.until.map(|until| until.min(now));
    }

    /// Whether it keeps back nothing.
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// How many may run, of as many as usual.
    pub(super) fn most_running(&self, usual: u32) -> u32 {
        if self.until.is_some() {
            usual.min(1)
        } else {
            usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        failures: 3,
        open: Duration::from_secs(1),
        most: Duration::from_secs(3),
    };

    fn fail(breaker: &mut Breaker, now: u64) -> Option<u64> {
        breaker.failure(Some(&SETTINGS), now);
        breaker.until
    }

    #[test]
    fn it_opens_after_failures_without_a_success_between_them() {
        let mut breaker = Breaker::default();
        fail(&mut breaker, 0);
        fail(&mut breaker, 0);
        breaker.success();
        assert_eq!(fail(&mut breaker, 5), None);
        assert_eq!(fail(&mut breaker, 5), None);
        assert_eq!(breaker.most_running(8), 8);
        assert_eq!(fail(&mut breaker, 5), Some(1005));
    }

    #[test]
    fn one_probe_runs_and_each_that_fails_opens_it_for_longer_up_to_the_most() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            fail(&mut breaker, 0);
        }
        assert_eq!(breaker.most_running(8), 1);
        // A straggler that began before.
        assert_eq!(fail(&mut breaker, 999), Some(1000));
        assert_eq!(fail(&mut breaker, 1000), Some(3000));
        assert_eq!(fail(&mut breaker, 3000), Some(6000));
        for _ in 0..100 {
            let now = breaker.until.unwrap();
            assert_eq!(fail(&mut breaker, now), Some(now + 3000));
        }
        let open = breaker.until.unwrap();
        breaker.probe(open - 500);
        assert_eq!(breaker.until, Some(open - 500), "one probe may run");
        breaker.probe(open);
        assert_eq!(breaker.until, Some(open - 500));
        breaker.success();
        assert_eq!(breaker, Breaker::default());
        breaker.probe(5);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn without_settings_it_stays_closed() {
        let mut breaker = Breaker::default();
        (0..100).for_each(|_| breaker.failure(None, 0));
        assert_eq!(breaker, Breaker::default());
    }
}

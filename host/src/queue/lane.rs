//! When a lane's next job may be begun. Comes in: what the lane has, what its policy allows, and the time; goes
//! out: a time, or that something else must happen first. Never reads a clock, never touches a job.

use super::breaker::Breaker;
use super::{Depth, LaneChange, LaneStatus, Policy, Rate};

/// What decides about a lane. All times in milliseconds since the epoch, but for `paced`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lane {
    /// When the job that is next here is due; in an ordered lane that is the oldest, else the one due first.
    pub(super) due_at: Option<u64>,
    /// How many of its jobs are worked on.
    pub(super) claimed: u32,
    /// Whether nothing is begun until somebody says so.
    pub(super) paused: bool,
    /// Nothing is begun before.
    pub(super) slow_until: u64,
    /// Whether it failed too often.
    pub(super) breaker: Breaker,
    /// When, by its rate, the next job would come if all came evenly; in microseconds.
    pub(super) paced: u64,
    /// When a job of it was last begun: those that wait for longer go first.
    pub(super) served_at: u64,
}

impl Lane {
    /// From when on a job of it may be begun, if nothing else changes.
    pub(super) fn wake_at(&self, policy: &Policy) -> Option<u64> {
        let due_at = self.due_at.filter(|_| !self.paused)?;
        let usual = if policy.ordered {
            1
        } else {
            policy.lane_concurrency
        };
        if self.claimed >= self.breaker.most_running(usual) {
            return None;
        }
        let open_until = self.breaker.until.unwrap_or(0);
        let paced = policy.lane_rate.map_or(0, |rate| paced(self.paced, &rate));
        let times = [self.slow_until, open_until, paced, self.served_at];
        Some(times.into_iter().fold(due_at, u64::max))
    }

    /// A job of it is begun. What is next and due is for the engine to say.
    pub(super) fn begin(&mut self, policy: &Policy, now: u64) {
        self.claimed = self.claimed.saturating_add(1);
        self.served_at = now;
        if let Some(rate) = &policy.lane_rate {
            let now = now.saturating_mul(1000);
            self.paced = self.paced.max(now).saturating_add(step(rate));
        }
    }

    /// A job of it is not worked on any more.
    pub(super) fn end(&mut self) {
        self.claimed = self.claimed.saturating_sub(1);
    }

    /// Somebody slows it down or lets it go.
    pub(super) fn change(&mut self, change: LaneChange) {
        match change {
            LaneChange::Pause => self.paused = true,
            LaneChange::SlowUntil(until) => self.slow_until = self.slow_until.max(until),
            LaneChange::Resume => {
                self.paused = false;
                self.slow_until = 0;
                self.breaker = Breaker::default();
            }
        }
    }

    /// Whether nothing is known of it that holds back a job, so that it may go when it has none.
    pub(super) fn is_plain(&self, now: u64) -> bool {
        !self.paused
            && self.slow_until <= now
            && self.breaker.is_over(now)
            && self.paced <= now.saturating_mul(1000)
    }

    /// What is shown of it.
    pub(super) fn status(&self, name: &str, depth: Depth) -> LaneStatus {
        LaneStatus {
            lane: name.to_owned(),
            depth,
            due_at: self.due_at,
            paused: self.paused,
            slow_until: self.slow_until,
            open_until: self.breaker.until,
        }
    }
}

/// The time between two jobs that come evenly, in microseconds.
fn step(rate: &Rate) -> u64 {
    let step = rate.per.as_micros() / u128::from(rate.count.max(1));
    u64::try_from(step).unwrap_or(u64::MAX).max(1)
}

/// From when on the rate allows another, in milliseconds: one that comes later in the same one is not held up.
fn paced(paced: u64, rate: &Rate) -> u64 {
    let ahead = step(rate).saturating_mul(u64::from(rate.burst.saturating_sub(1)));
    paced.saturating_sub(ahead) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn due(due_at: u64) -> Lane {
        Lane {
            due_at: Some(due_at),
            ..Lane::default()
        }
    }

    #[test]
    fn a_lane_is_begun_when_everything_allows_it() {
        let policy = Policy::default();
        assert_eq!(Lane::default().wake_at(&policy), None);
        assert_eq!(due(5).wake_at(&policy), Some(5));
        let slow = Lane {
            slow_until: 9,
            ..due(5)
        };
        assert_eq!(slow.wake_at(&policy), Some(9));
        let paused = Lane {
            paused: true,
            ..due(5)
        };
        assert_eq!(paused.wake_at(&policy), None);
        let breaker = Breaker {
            until: Some(20),
            ..Breaker::default()
        };
        let mut open = Lane { breaker, ..due(5) };
        assert_eq!(open.wake_at(&policy), Some(20));
        open.begin(&policy, 20);
        assert_eq!(open.wake_at(&policy), None, "a second probe");
    }

    #[test]
    fn no_more_are_begun_than_may_run_at_once() {
        for (ordered, most) in [(false, 4), (true, 1)] {
            let policy = Policy {
                ordered,
                ..Policy::default()
            };
            let mut lane = due(0);
            for _ in 0..most {
                assert!(lane.wake_at(&policy).is_some());
                lane.begin(&policy, 7);
            }
            assert_eq!(lane.wake_at(&policy), None);
            lane.end();
            assert_eq!(lane.wake_at(&policy), Some(7));
        }
    }

    #[test]
    fn a_rate_is_kept_and_allows_its_burst() {
        let policy = Policy {
            lane_rate: Some(Rate {
                count: 10,
                per: Duration::from_secs(1),
                burst: 3,
            }),
            lane_concurrency: 1000,
            ..Policy::default()
        };
        let (mut lane, mut begun) = (due(0), Vec::new());
        for _ in 0..6 {
            let at = lane.wake_at(&policy).unwrap().max(5000);
            lane.begin(&policy, at);
            begun.push(at);
        }
        assert_eq!(begun, [5000, 5000, 5000, 5100, 5200, 5300]);
    }

    #[test]
    fn a_rate_above_one_in_a_millisecond_is_kept_too() {
        let policy = Policy {
            lane_rate: Some(Rate {
                count: 5000,
                per: Duration::from_secs(1),
                burst: 1,
            }),
            lane_concurrency: u32::MAX,
            ..Policy::default()
        };
        let (mut lane, mut now) = (due(0), 0);
        for _ in 0..5000 {
            now = lane.wake_at(&policy).unwrap().max(now);
            lane.begin(&policy, now);
        }
        assert!((990..=1000).contains(&now), "{now}");
    }
}

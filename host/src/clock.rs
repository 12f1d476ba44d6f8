//! What time it is, for whoever must be able to be told otherwise. Comes in: nothing; goes out: milliseconds
//! since the epoch that never go back while the host runs, nor behind a time that it is told. Never follows a wall
//! clock that is set while the host runs: what is due in five seconds is due in five seconds.

use futures::future::BoxFuture;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch.
    fn now(&self) -> u64;

    /// Goes on from `at`, unless it is later already.
    fn not_before(&self, at: u64);

    /// Comes back when it is `at`, or later. Needs the runtime that it is awaited on.
    fn sleep_until(&self, at: u64) -> BoxFuture<'static, ()>;
}

/// The machine's clock: the wall's time when it was made, or what it was told to go on from, and what has passed
/// since.
#[derive(Debug)]
pub struct System {
    made: Instant,
    made_at: AtomicU64,
}

impl Default for System {
    fn default() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            made: Instant::now(),
            #[cfg(not(feature = "failpoints"))]
            made_at: AtomicU64::new(since.map_or(0, millis)),
            #[cfg(feature = "failpoints")]
            made_at: AtomicU64::new(since.map_or(0, millis).saturating_add_signed(ahead())),
        }
    }
}

/// How far a host of a build for torture starts ahead of the wall's clock, in milliseconds; behind it if negative.
#[cfg(feature = "failpoints")]
fn ahead() -> i64 {
    let ahead = std::env::var("SIGNET_CLOCK_AHEAD_MS").ok();
    ahead.and_then(|ahead| ahead.parse().ok()).unwrap_or(0)
}

impl Clock for System {
    fn now(&self) -> u64 {
        let made_at = self.made_at.load(Ordering::Relaxed);
        made_at.saturating_add(millis(self.made.elapsed()))
    }

    fn not_before(&self, at: u64) {
        let made_at = at.saturating_sub(millis(self.made.elapsed()));
        self.made_at.fetch_max(made_at, Ordering::Relaxed);
    }

    fn sleep_until(&self, at: u64) -> BoxFuture<'static, ()> {
        let left = Duration::from_millis(at.saturating_sub(self.now()));
        Box::pin(tokio::time::sleep(left))
    }
}

/// A duration in milliseconds, as many as there can be.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that stands still until a test moves it.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Manual(tokio::sync::watch::Sender<u64>);

#[cfg(test)]
impl Manual {
    /// A clock that stands at `now`.
    pub(crate) fn at(now: u64) -> Self {
        Self(tokio::sync::watch::Sender::new(now))
    }

    /// Moves it on.
    pub(crate) fn pass(&self, duration: Duration) {
        self.0.send_modify(|now| *now += millis(duration));
    }
}

#[cfg(test)]
impl Clock for Manual {
    fn now(&self) -> u64 {
        *self.0.borrow()
    }

    fn not_before(&self, at: u64) {
        self.0
            .send_if_modified(|now| std::mem::replace(now, at.max(*now)) < at);
    }

    fn sleep_until(&self, at: u64) -> BoxFuture<'static, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            // A clock that is gone stands still for ever.
            if now.wait_for(|now| *now >= at).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_goes_on_from_a_later_time_and_never_back_to_an_earlier_one() {
        let clock = System::default();
        let start = clock.now();
        clock.not_before(start + 1_000_000);
        assert!(clock.now() >= start + 1_000_000);
        clock.not_before(start);
        assert!(clock.now() >= start + 1_000_000);
    }
}

//! The lines of one component: how long one may be, and how many there may be in a second. Comes in: lines of
//! all its instances, from any thread; goes out: those that the limits let through; the others are counted.
//! Never makes a guest wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::lines::{Line, Lines, Stream};
use super::stream::LineStream;
use crate::metrics::Counter;

/// How much a component may print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes; a longer one is cut into several.
    pub line: usize,
    /// How many lines there may be in one second; those beyond are dropped.
    pub lines_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 16 << 10,
            lines_per_second: 10_000,
        }
    }
}

/// Where the lines of one component go through.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    lines: Lines,
    label: Arc<str>,
    limits: Limits,
    start: Instant,
    rate: Rate,
    dropped: Counter,
}

impl Source {
    /// The lines of a component that is shown as `label`; `dropped` counts those that are not.
    pub fn new(lines: Lines, label: &str, limits: Limits, dropped: Counter) -> Self {
        Self(Arc::new(Inner {
            lines,
            label: label.into(),
            limits,
            start: Instant::now(),
            rate: Rate::default(),
            dropped,
        }))
    }

    /// A stream for one instance.
    pub fn stream(&self, stream: Stream) -> LineStream {
        LineStream::new(self.clone(), stream)
    }

    /// The longest line, in bytes; a line has at least one.
    pub(super) fn longest(&self) -> usize {
        self.0.limits.line.max(1)
    }

    pub(super) fn send(&self, stream: Stream, text: Vec<u8>) {
        let own = &self.0;
        let (passes, lost) = own
            .rate
            .pass(own.start.elapsed().as_secs(), own.limits.lines_per_second);
        if let Some(lost) = lost {
            own.warn(lost);
        }
        let line = Line {
            label: Arc::clone(&own.label),
            stream,
            text,
        };
        if !passes || !own.lines.send(line) {
            own.dropped.inc();
        }
    }
}

impl Inner {
    fn warn(&self, lost: u64) {
        tracing::warn!(
            guest = &*self.label,
            lost,
            lines_per_second = self.limits.lines_per_second,
            "guest lines were dropped: the component prints more than it may"
        );
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let lost = *self.rate.lost.get_mut();
        if lost > 0 {
            self.warn(lost);
        }
    }
}

/// How many lines there were in the current second.
#[derive(Default)]
struct Rate {
    second: AtomicU64,
    count: AtomicU64,
    /// Dropped and not yet spoken of.
    lost: AtomicU64,
}

impl Rate {
    /// Whether one more line may pass in this second, and how many were dropped before it, if it is time to
    /// say so. Threads that meet at the turn of a second may let a line more through.
    fn pass(&self, second: u64, most: u64) -> (bool, Option<u64>) {
        let mut lost = None;
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.count.store(0, Ordering::Relaxed);
            lost = Some(self.lost.swap(0, Ordering::Relaxed)).filter(|lost| *lost > 0);
        }
        let passes = self.count.fetch_add(1, Ordering::Relaxed) < most;
        if !passes {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        (passes, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_rate_is_dropped_and_spoken_of_once() {
        let rate = Rate::default();
        let passed = |second, lines: usize| {
            let asked = (0..lines).map(|_| rate.pass(second, 3));
            asked.filter(|(passes, _)| *passes).count()
        };
        assert_eq!(passed(0, 10), 3);
        assert_eq!(rate.pass(1, 3), (true, Some(7)));
        assert_eq!(passed(1, 2), 2);
        assert_eq!(rate.pass(2, 3), (true, None));
    }
}

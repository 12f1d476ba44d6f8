//! Whose turn it is to write. SQLite lets one connection write at a time and has the others ask
//! again and again; here those of one host stand in line instead. Comes in: those who are about to
//! write; goes out: one turn at a time, in the order of their coming. Only a courtesy: the lock that
//! counts is SQLite's own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The line in front of one database.
#[derive(Default)]
pub(super) struct Turns {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Default)]
struct Line {
    /// Those in line; the first has the turn.
    waiting: VecDeque<u64>,
    last: u64,
}

/// A turn; to drop it is to let the next one.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Turns {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, as long as `patience` lasts.
    pub(super) fn take(&self, patience: Duration) -> Option<Turn<'_>> {
        let began = Instant::now();
        let mut line = self.line();
        line.last += 1;
        let number = line.last;
        line.waiting.push_back(number);
        // From here on a place in line is given up by dropping it.
        let turn = Turn {
            turns: self,
            number,
        };
        while line.waiting.front() != Some(&number) {
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                drop(line);
                drop(turn);
                return None;
            }
            let waited = self.moved.wait_timeout(line, left);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(line);
        Some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut line = self.turns.line();
        line.waiting.retain(|waiting| *waiting != self.number);
        drop(line);
        self.turns.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use std::time::Duration;

    #[test]
    fn one_at_a_time_and_the_next_after_it() {
        let turns = Turns::default();
        let held = turns.take(Duration::ZERO);
        assert!(held.is_some());
        assert!(turns.take(Duration::ZERO).is_none());
        std::thread::scope(|scope| {
            let next = scope.spawn(|| turns.take(Duration::from_secs(60)).is_some());
            drop(held);
            assert!(next.join().unwrap());
        });
        assert!(turns.take(Duration::ZERO).is_some());
    }
}

//! What the pools of one thread share. Comes in: guests that have computed for a tick, and the word that the
//! thread ends; goes out: when each of them may go on. Never lets two of them go on without everybody else on
//! the thread having had a turn between them.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

/// How many turns everybody else has between two ticks of guests that compute: as many as a short request
/// needs from its socket to its instance and back.
const TURNS_BETWEEN: usize = 4;

/// One of the host's threads, as its pools know it.
#[derive(Debug)]
pub struct Thread {
    /// Whether the thread's runtime goes, which takes along the instances that are left.
    ending: AtomicBool,
    /// Where guests that compute stand in line.
    line: Semaphore,
}

impl Default for Thread {
    fn default() -> Self {
        Self {
            ending: AtomicBool::new(false),
            line: Semaphore::new(1),
        }
    }
}

impl Thread {
    /// Says that the runtime is about to go.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Waits until a guest that has computed for a tick may go on for another. However many there are, to
    /// everybody else they are one: in their place each of them would have had a tick between two turns of a
    /// request that needs a few microseconds.
    pub(super) async fn turn(&self) {
        let _first = self.line.acquire().await;
        for _ in 0..TURNS_BETWEEN {
            // Comes back when all that is ready has had a turn and the sockets have been looked at.
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn between_two_that_compute_everybody_else_has_turns() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let order = Arc::new(Mutex::new(String::new()));
        let note = |letter| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(letter)
        };
        runtime.unwrap().block_on(async {
            let thread = Arc::new(Thread::default());
            for _ in 0..8 {
                let (thread, note) = (Arc::clone(&thread), note('c'));
                tokio::spawn(async move {
                    loop {
                        thread.turn().await;
                        note();
                    }
                });
            }
            let note = note('-');
            for _ in 0..100 {
                tokio::task::yield_now().await;
                note();
            }
        });
        let order = order.lock().unwrap();
        let between: Vec<_> = order.split('c').collect();
        assert!(between.len() > 100 / (TURNS_BETWEEN + 2), "{order}");
        // The last of them was cut off.
        let whole = &between[..between.len() - 1];
        assert!(
            whole.iter().all(|turns| turns.len() >= TURNS_BETWEEN),
            "{order}"
        );
    }

    #[test]
    fn who_leaves_the_line_does_not_hold_it_up() {
        use futures::FutureExt as _;
        let thread = Thread::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let mut first = Box::pin(thread.turn());
            let mut second = Box::pin(thread.turn());
            assert!((&mut first).now_or_never().is_none());
            assert!((&mut second).now_or_never().is_none());
            drop(first);
            drop(second);
            thread.turn().await;
        });
    }
}

//! What the pools of one thread share. Comes in: who gives way, guests that have computed for a while, and the word
//! that the thread ends; goes out: for how long a guest has had the thread to itself, and when it may go on. Never
//! lets two that compute go on without everybody else on the thread having had a turn between them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::super::ticker::{Beat, Held, TICK};

/// How many turns everybody else has between two of guests that compute, at least: as many as a short request
/// needs from its socket to its instance and back.
const TURNS_BETWEEN: usize = 4;

/// How long they have turns, as long as they have something to do: where that is always, those who compute shall
/// come to an end as well.
const TIME_BETWEEN: Duration = Duration::from_millis(4);

/// A turn that takes less was nobody's: it is what a look at the sockets takes.
const NOBODYS_TURN: Duration = Duration::from_micros(20);

/// One of the host's threads, as its pools know it.
pub struct Thread {
    /// Whether the thread's runtime goes, which takes along the instances that are left.
    ending: AtomicBool,
    /// Where guests that compute stand in line.
    line: Semaphore,
    beat: Beat,
    began: Instant,
    /// When somebody gave way last, in nanoseconds since `began`.
    gave_way: AtomicU64,
}

impl Thread {
    /// A thread that begins now, with the clock of its Engine.
    pub fn new(beat: Beat) -> Self {
        Self {
            ending: AtomicBool::new(false),
            line: Semaphore::new(1),
            beat,
            began: Instant::now(),
            gave_way: AtomicU64::new(0),
        }
    }

    /// Says that the runtime is about to go.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Keeps the Engine's clock going for a Store.
    pub(super) fn hold(&self) -> Held {
        self.beat.hold()
    }

    /// Notes that whoever has had the thread up to now gives way to others.
    pub(super) fn gives_way(&self) {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.gave_way.store(now, Ordering::Relaxed);
    }

    /// Since when a guest that is found to compute has done so, if that is long enough to make it stand in line.
    /// The clock ticks for all: it may find one that has only just come back from waiting.
    pub(super) fn computes_since(&self) -> Option<Instant> {
        let gave_way = Duration::from_nanos(self.gave_way.load(Ordering::Relaxed));
        let since = self.began + gave_way;
        (since.elapsed() >= TICK / 2).then_some(since)
    }

    /// Waits until a guest that has computed for a while may go on. However many there are, to everybody else
    /// they are one: in their place each of them would have had a tick between two turns of a request that needs
    /// a few microseconds.
    pub(super) async fn turn(&self) {
        let first = self.line.acquire().await;
        let began = Instant::now();
        let mut before = began;
        for turns in 1.. {
            // Comes back when all that is ready has had a turn and the sockets have been looked at.
            tokio::task::yield_now().await;
            let now = Instant::now();
            let is_nobodys = now - before < NOBODYS_TURN;
            if now - began >= TIME_BETWEEN || (turns >= TURNS_BETWEEN && is_nobodys) {
                break;
            }
            before = now;
        }
        drop(first);
        self.gives_way();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use wasmtime::Engine;

    use super::super::super::ticker::Ticker;
    use super::*;

    fn thread() -> Thread {
        Thread::new(Ticker::start(&Engine::default()).unwrap().beat())
    }

    #[test]
    fn between_two_that_compute_everybody_else_has_turns() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let order = Arc::new(Mutex::new(String::new()));
        let note = |letter| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(letter)
        };
        runtime.unwrap().block_on(async {
            let thread = Arc::new(thread());
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
    fn who_came_back_just_now_has_computed_nothing() {
        let thread = thread();
        let before = Instant::now();
        thread.gives_way();
        while before.elapsed() < TICK {
            std::hint::spin_loop();
        }
        assert!(thread.computes_since().is_some_and(|since| since >= before));
        thread.gives_way();
        let came_back = Instant::now();
        let computes = thread.computes_since();
        // A machine that is busy may take the thread away between the two.
        assert!(computes.is_none() || came_back.elapsed() >= TICK / 4);
    }

    #[test]
    fn who_leaves_the_line_does_not_hold_it_up() {
        use futures::FutureExt as _;
        let thread = thread();
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

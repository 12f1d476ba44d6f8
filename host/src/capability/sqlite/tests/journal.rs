//! The laws of the disk: who waits, for what, and what happens when it fails.

use super::{Journal, Stop};
use crate::capability::sqlite::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

fn patient() -> Stop {
    Stop::within(Duration::from_secs(60))
}

#[test]
fn commits_that_wait_together_share_one_sync() {
    let (enter, entered) = mpsc::channel();
    let (leave, left) = mpsc::channel();
    let left = std::sync::Mutex::new(left);
    let journal = Arc::new(Journal::new(move || {
        enter.send(()).unwrap();
        left.lock().unwrap().recv().unwrap();
        Ok(())
    }));
    std::thread::scope(|scope| {
        let commit = || scope.spawn(|| journal.settle(journal.announce()).unwrap());
        let first = commit();
        entered.recv().unwrap();
        let others: Vec<_> = (0..10).map(|_| commit()).collect();
        // The first is at it; the others are in line once all of them have come.
        while journal.state().written.len() < 10 {
            std::thread::yield_now();
        }
        leave.send(()).unwrap();
        first.join().unwrap();
        entered.recv().unwrap();
        leave.send(()).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
    assert!(entered.try_recv().is_err(), "there was a third");
}

#[test]
fn who_reads_a_commit_waits_until_it_is_on_disk() {
    let journal = Arc::new(Journal::new(|| Ok(())));
    let number = journal.announce();
    let hurried = journal.read(&Stop::within(Duration::ZERO));
    assert!(matches!(hurried, Err(Error::TimedOut(_))), "{hurried:?}");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| journal.read(&patient()));
        journal.settle(number).unwrap();
        reader.join().unwrap().unwrap();
    });
    // What is committed later holds nobody back who looked before; what is on disk, nobody at all.
    journal.read(&Stop::within(Duration::ZERO)).unwrap();
}

#[test]
fn a_log_that_could_not_be_synced_is_never_trusted_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let journal = Journal::new(move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(()),
        1 => Err(io::Error::other("no disk")),
        _ => Ok(()),
    });
    journal.settle(journal.announce()).unwrap();
    for _ in 0..2 {
        let outcome = journal.settle(journal.announce());
        assert!(matches!(outcome, Err(Error::Unsynced(_))), "{outcome:?}");
    }
    assert!(journal.sound().is_err());
    assert!(journal.read(&patient()).is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

//! What a request and the instance that serves it know of each other. Comes in: the request's start, its
//! response, the end of its instance; goes out: whether the instance fell, and whether others were on it.
//! Never holds a request up: all of it is flags.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

/// One attempt to have a request answered.
pub(super) struct Ticket {
    /// The request's name in the log.
    id: String,
    /// Whether the instance served another request as well, before or beside this one.
    shared: AtomicBool,
    /// Why the instance ended, if it ended with an error while this request was with it.
    fell: OnceLock<String>,
    /// When the response began.
    answered_at: OnceLock<Instant>,
}

impl Ticket {
    pub(super) fn new(id: String) -> Arc<Self> {
        Arc::new(Self {
            id,
            shared: AtomicBool::new(false),
            fell: OnceLock::new(),
            answered_at: OnceLock::new(),
        })
    }

    /// Notes that the response began.
    pub(super) fn answered(&self) {
        let _ = self.answered_at.set(Instant::now());
    }

    /// When the response began, if it has.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.answered_at.get().copied()
    }

    /// Why the instance fell, if it did.
    pub(super) fn fell(&self) -> Option<&str> {
        self.fell.get().map(String::as_str)
    }

    /// Whether the instance fell and may have fallen through another request's doing.
    pub(super) fn fell_in_company(&self) -> bool {
        self.fell().is_some() && self.shared.load(Ordering::Relaxed)
    }
}

/// The requests of one instance.
#[derive(Clone, Default)]
pub(super) struct Tickets(Arc<Mutex<Vec<Weak<Ticket>>>>);

impl Tickets {
    /// Takes a request in.
    pub(super) fn add(&self, ticket: &Arc<Ticket>) {
        let mut tickets = self.lock();
        if !tickets.is_empty() {
            ticket.shared.store(true, Ordering::Relaxed);
            for other in tickets.iter().filter_map(Weak::upgrade) {
                other.shared.store(true, Ordering::Relaxed);
            }
        }
        tickets.push(Arc::downgrade(ticket));
    }

    /// When the response to the latest request began, if it has.
    pub(super) fn latest_answered_at(&self) -> Option<Instant> {
        self.lock()
            .last()
            .and_then(Weak::upgrade)
            .and_then(|ticket| ticket.answered_at())
    }

    /// Tells all requests that are with the instance that it fell, and says which they are.
    pub(super) fn fall(&self, reason: &str) -> Vec<String> {
        let tickets = self.lock();
        let present = tickets.iter().filter_map(Weak::upgrade);
        present
            .map(|ticket| {
                let _ = ticket.fell.set(reason.to_owned());
                ticket.id.clone()
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Ticket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_alone_did_it_and_who_was_not_may_not_have() {
        let (tickets, first) = (Tickets::default(), Ticket::new("first".into()));
        tickets.add(&first);
        assert_eq!(tickets.fall("trap"), ["first"]);
        assert!(first.fell() == Some("trap") && !first.fell_in_company());

        let tickets = Tickets::default();
        let (first, second) = (Ticket::new("first".into()), Ticket::new("second".into()));
        tickets.add(&first);
        tickets.add(&second);
        tickets.fall("trap");
        assert!(first.fell_in_company() && second.fell_in_company());
    }

    #[test]
    fn who_comes_after_others_is_not_alone_even_when_they_are_gone() {
        let (tickets, second) = (Tickets::default(), Ticket::new("second".into()));
        tickets.add(&Ticket::new("first".into()));
        tickets.add(&second);
        assert_eq!(tickets.fall("trap"), ["second"]);
        assert!(second.fell_in_company());
    }
}

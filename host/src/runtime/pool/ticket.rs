//! What a request and the instance that serves it know of each other. Comes in: the request's start, its
//! response, the instance's turns and its end; goes out: whether the instance fell or is stuck, and whether
//! others were on it. Never holds a request up: all of it is flags.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::telemetry::RequestId;

/// How long an instance computes, or stands in line to do so, before the requests that wait for it are told.
pub(super) const STUCK_TIME: Duration = Duration::from_millis(100);

/// How often an instance is found to compute, each time after it was let go on, before it is believed that it does.
/// A machine that is busy may have taken the thread away while the clock ticked: so often in a row it does not.
const BELIEVED: usize = 8;

/// One attempt to have a request answered.
pub(super) struct Ticket {
    /// The request's name in the log.
    id: RequestId,
    /// How many components asked one another before this request came about.
    depth: u8,
    /// Whether the instance served another request as well, before or beside this one.
    shared: AtomicBool,
    /// Why the instance ended, if it ended with an error while this request was with it.
    fell: OnceLock<String>,
    /// When the response began.
    answered_at: OnceLock<Instant>,
    /// Whether the response is on its way out.
    settled: AtomicBool,
    /// Told when the instance computes and computes while others wait for it.
    stuck: Notify,
    /// Whether it was told so.
    told: AtomicBool,
    /// The requests of the instance, once it took this one.
    company: OnceLock<Weak<Inner>>,
}

impl Ticket {
    pub(super) fn new(id: RequestId, depth: u8) -> Arc<Self> {
        Arc::new(Self {
            id,
            depth,
            shared: AtomicBool::new(false),
            fell: OnceLock::new(),
            answered_at: OnceLock::new(),
            settled: AtomicBool::new(false),
            stuck: Notify::new(),
            told: AtomicBool::new(false),
            company: OnceLock::new(),
        })
    }

    /// Notes that the response began.
    pub(super) fn answered(&self) {
        let _ = self.answered_at.set(Instant::now());
    }

    /// Notes that the response is on its way out.
    pub(super) fn settled(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Waits until the instance is stuck, and this request not the only one that waits for it.
    pub(super) async fn stuck(&self) {
        self.stuck.notified().await;
    }

    /// Whether the instance computes right now and so cannot go on with this request, which perhaps is to be tried
    /// elsewhere. A request that nobody else is to blame for has nothing to wait for.
    pub(super) fn is_held_up(&self) -> bool {
        let company = self.company.get().and_then(Weak::upgrade);
        company.is_some_and(|company| {
            let here = company.here();
            here.computes_since.is_some() && !here.stuck_alone
        })
    }

    /// When the response began, if it has.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.answered_at.get().copied()
    }

    /// The request's name in the log.
    pub(super) fn id(&self) -> RequestId {
        self.id
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
pub(super) struct Tickets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    here: Mutex<Here>,
}

impl Inner {
    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Here {
    tickets: Vec<Weak<Ticket>>,
    /// Whether there has been any.
    used: bool,
    /// The depth of the latest one.
    depth: u8,
    /// Since when the instance computes without looking at its other requests.
    computes_since: Option<Instant>,
    /// How often it was found to compute since then.
    found: usize,
    /// Whether it has computed for long, and only one request waits for it, which never had company.
    stuck_alone: bool,
}

impl Here {
    fn tickets(&self) -> impl Iterator<Item = Arc<Ticket>> {
        self.tickets.iter().filter_map(Weak::upgrade)
    }
}

impl Tickets {
    /// Takes a request in.
    pub(super) fn add(&self, ticket: &Arc<Ticket>) {
        let _ = ticket.company.set(Arc::downgrade(&self.0));
        let mut here = self.lock();
        if here.used {
            ticket.shared.store(true, Ordering::Relaxed);
            for other in here.tickets() {
                other.shared.store(true, Ordering::Relaxed);
            }
        }
        here.used = true;
        here.depth = ticket.depth;
        here.tickets.retain(|other| other.strong_count() > 0);
        here.tickets.push(Arc::downgrade(ticket));
    }

    /// The instance looked at all its requests.
    pub(super) fn turned(&self) {
        let mut here = self.lock();
        (here.computes_since, here.found, here.stuck_alone) = (None, 0, false);
    }

    /// The instance is found to compute, and has had the thread to itself since then. How long it has computed
    /// by now without looking at its other requests.
    pub(super) fn computes(&self, since: Instant) -> Duration {
        let mut here = self.lock();
        here.found += 1;
        here.computes_since.get_or_insert(since).elapsed()
    }

    /// Tells those that wait for the instance that it computes, if they are several.
    pub(super) fn stick(&self) {
        let mut here = self.lock();
        let waiting = here.tickets();
        let waiting: Vec<_> = waiting
            .filter(|ticket| !ticket.settled.load(Ordering::Relaxed))
            .collect();
        if let [alone] = &*waiting {
            // Who had company until just now, and was told, is about to be tried elsewhere. Who only stood in line
            // has its body at once when its turn comes, and others come to the instance at that time: a head
            // that is out by then may never have its body.
            here.stuck_alone = here.found >= BELIEVED && !alone.told.load(Ordering::Relaxed);
            return;
        }
        for ticket in waiting {
            ticket.told.store(true, Ordering::Relaxed);
            ticket.stuck.notify_one();
        }
    }

    /// How deep a request is that the instance makes now. Which of its own requests it makes it for, nobody
    /// knows: the deepest one is meant, or the latest if none is left.
    pub(super) fn depth(&self) -> u8 {
        let here = self.lock();
        let deepest = here.tickets().map(|ticket| ticket.depth).max();
        deepest.unwrap_or(here.depth)
    }

    /// When the response to the latest request began, if it has.
    pub(super) fn latest_answered_at(&self) -> Option<Instant> {
        let latest = self.lock().tickets.last().and_then(Weak::upgrade);
        latest.and_then(|ticket| ticket.answered_at())
    }

    /// Tells all requests that are with the instance that it fell, and says which they are.
    pub(super) fn fall(&self, reason: &str) -> Vec<RequestId> {
        self.lock()
            .tickets()
            .map(|ticket| {
                let _ = ticket.fell.set(reason.to_owned());
                ticket.id
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Here> {
        self.0.here()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RequestId {
        let mut digits = [b'-'; 32];
        digits[..text.len()].copy_from_slice(text.as_bytes());
        RequestId::new(digits)
    }

    fn ticket(text: &str, depth: u8) -> Arc<Ticket> {
        Ticket::new(name(text), depth)
    }

    #[test]
    fn who_was_alone_did_it_and_who_was_not_may_not_have() {
        let (tickets, first) = (Tickets::default(), ticket("first", 0));
        tickets.add(&first);
        assert_eq!(tickets.fall("trap"), [name("first")]);
        assert!(first.fell() == Some("trap") && !first.fell_in_company());

        let tickets = Tickets::default();
        let (first, second) = (ticket("first", 0), ticket("second", 0));
        tickets.add(&first);
        tickets.add(&second);
        tickets.fall("trap");
        assert!(first.fell_in_company() && second.fell_in_company());
    }

    #[test]
    fn what_an_instance_asks_is_as_deep_as_the_deepest_of_its_requests() {
        let tickets = Tickets::default();
        let (deep, flat) = (ticket("deep", 3), ticket("flat", 0));
        tickets.add(&deep);
        tickets.add(&flat);
        assert_eq!(tickets.depth(), 3);
        drop(deep);
        assert_eq!(tickets.depth(), 0);
        let last = ticket("last", 2);
        tickets.add(&last);
        drop((flat, last));
        assert_eq!(tickets.depth(), 2, "who answered may still ask");
    }

    #[test]
    fn those_who_wait_together_for_a_stuck_instance_are_told() {
        use futures::FutureExt as _;
        let (tickets, first) = (Tickets::default(), ticket("first", 0));
        tickets.add(&first);
        for _ in 0..BELIEVED {
            tickets.computes(Instant::now());
            assert!(first.is_held_up());
            tickets.stick();
        }
        assert!(
            first.stuck().now_or_never().is_none(),
            "it waits for itself"
        );
        assert!(!first.is_held_up());
        tickets.turned();
        tickets.computes(Instant::now());
        tickets.stick();
        assert!(first.is_held_up(), "it is another time");

        let second = ticket("second", 0);
        tickets.add(&second);
        assert!(second.stuck().now_or_never().is_none());
        tickets.stick();
        assert!(second.is_held_up(), "it is tried elsewhere");
        assert!(first.stuck().now_or_never().is_some());
        assert!(second.stuck().now_or_never().is_some());

        second.settled();
        tickets.stick();
        assert!(first.stuck().now_or_never().is_none());
        assert!(first.is_held_up(), "it was told before");
    }

    #[test]
    fn an_instance_computes_from_when_it_was_let_go_on_until_it_looks_at_its_requests() {
        let (tickets, ticket) = (Tickets::default(), ticket("first", 0));
        tickets.add(&ticket);
        assert!(!ticket.is_held_up());
        let began = Instant::now();
        let computes = tickets.computes(began);
        assert!(ticket.is_held_up());
        assert!(tickets.computes(Instant::now()) >= computes, "it goes on");
        tickets.turned();
        assert!(!ticket.is_held_up());
        let anew = Instant::now();
        assert!(tickets.computes(anew) <= anew.elapsed());
    }

    #[test]
    fn who_comes_after_others_is_not_alone_even_when_they_are_gone() {
        let (tickets, second) = (Tickets::default(), ticket("second", 0));
        tickets.add(&ticket("first", 0));
        tickets.add(&second);
        assert_eq!(tickets.fall("trap"), [name("second")]);
        assert!(second.fell_in_company());
    }
}

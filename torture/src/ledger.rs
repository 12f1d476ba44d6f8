//! What the outside saw: what was posted and how that was answered, what each consumer received and what it said, and
//! when the host fell. Comes in: all of that, from many tasks; goes out: the same, for the audit. Never judges.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What was posted.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its number, which is in its data; within an app a later one has a greater number.
    pub(crate) number: u64,
    /// The app it was posted to.
    pub(crate) app: usize,
    /// What came of that.
    pub(crate) fate: Fate,
}

/// What came of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not answered yet.
    Open,
    /// Answered 202, with this id.
    Accepted(String),
    /// Refused each time it was posted, and given up.
    Refused,
}

/// What a consumer received.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// Which consumer.
    pub(crate) lane: usize,
    /// The number in the data; none if there is none.
    pub(crate) number: Option<u64>,
    /// The `webhook-id`.
    pub(crate) id: String,
    /// When it was there, in milliseconds of the run.
    pub(crate) at: u64,
    /// When it was answered, and how.
    pub(crate) answer: Option<(u64, Answer)>,
    /// What is wrong with its signatures or its content.
    pub(crate) wrong: Option<String>,
}

/// How a consumer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A success, in time and to its end.
    Good,
    /// A success that the host may not have been able to read.
    Unclear,
    /// No success, or nothing at all.
    Bad,
}

/// The host went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fall {
    /// When that began, in milliseconds of the run.
    pub(crate) from: u64,
    /// When it was gone.
    pub(crate) until: u64,
}

/// What happened in one cycle.
#[derive(Debug, Default, Clone)]
pub(crate) struct Page {
    /// What was posted, by number.
    pub(crate) events: BTreeMap<u64, Event>,
    /// What was received, in the order of its coming.
    pub(crate) arrivals: Vec<Arrival>,
    /// When the host fell.
    pub(crate) falls: Vec<Fall>,
    /// What else must not be.
    pub(crate) wrong: Vec<String>,
    /// Posts that were made again because their answer was lost, or was 503.
    pub(crate) reposts: u64,
    /// Posts that were answered 503.
    pub(crate) refusals: u64,
}

/// What the outside sees, as it comes.
#[derive(Debug)]
pub(crate) struct Ledger {
    start: Instant,
    page: Mutex<Page>,
}

impl Ledger {
    /// An empty one; its time begins now.
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            page: Mutex::default(),
        }
    }

    /// Milliseconds of the run.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The page of this cycle.
    pub(crate) fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page as it is, and a new one in its place.
    pub(crate) fn turn(&self) -> Page {
        std::mem::take(&mut *self.page())
    }

    /// Something must not be.
    pub(crate) fn wrong(&self, what: String) {
        self.page().wrong.push(what);
    }

    /// Something arrived: its place, to say later how it was answered.
    pub(crate) fn arrived(&self, arrival: Arrival) -> usize {
        let mut page = self.page();
        page.arrivals.push(arrival);
        page.arrivals.len() - 1
    }

    /// What arrived was answered. A page that was turned meanwhile has no such place, and whoever turned it had
    /// waited for all that matters.
    pub(crate) fn answered(&self, place: usize, id: &str, answer: Answer) {
        let now = self.now();
        if let Some(arrival) = self.page().arrivals.get_mut(place)
            && arrival.id == id
        {
            arrival.answer = Some((now, answer));
        }
    }
}

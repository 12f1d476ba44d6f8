//! What one connection is doing, as far as its bounds depend on it: it sends a head, has requests under
//! way, or is idle. Comes in: what the socket and the requests report, with the time; goes out: when the
//! connection is to be closed unless something happens. Reads the clock only where a request ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Limits;

/// One connection's doings.
pub(super) struct Traffic(Mutex<State>);

struct State {
    phase: Phase,
    requests: usize,
    http2: bool,
    /// The socket takes nothing at present; it has a bound of its own for that.
    blocked: bool,
    /// The client has sent, or was about to send, what nobody will read.
    unread: bool,
    /// Since when the host wants to stop.
    leaving: Option<Instant>,
    closing: Option<Instant>,
}

/// How long a connection without a request is kept when the host stops: a client may have sent one that
/// is on its way, and to close on it would lose it.
const LAST_CALL: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request has come yet.
    Fresh(Instant),
    /// A later request has begun to come in.
    Head(Instant),
    /// Requests are under way.
    Busy,
    /// The last request is done.
    Idle(Instant),
}

/// What happens to a connection when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is closed as the protocol wants it.
    Close,
    /// It is dropped.
    Cut,
}

impl Traffic {
    /// A connection that was accepted at `now`.
    pub(super) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            phase: Phase::Fresh(now),
            requests: 0,
            http2: false,
            blocked: false,
            unread: false,
            leaving: None,
            closing: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came in. Over HTTP/2, where they may be anything, they begin no request.
    pub(super) fn read(&self, now: Instant) {
        let mut state = self.state();
        if state.requests > 0 || state.http2 {
            return;
        }
        state.unread = true;
        if let Phase::Idle(_) = state.phase {
            state.phase = Phase::Head(now);
        }
    }

    /// A request's head is complete. The request is under way until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, http2: bool) -> Flight {
        let mut state = self.state();
        state.requests += 1;
        state.phase = Phase::Busy;
        state.http2 = http2;
        state.unread = false;
        drop(state);
        Flight(Arc::clone(self))
    }

    /// Whether the socket takes what it is given.
    pub(super) fn blocked(&self, blocked: bool) {
        self.state().blocked = blocked;
    }

    /// A request's body was dropped before its end.
    pub(super) fn leave_unread(&self) {
        let mut state = self.state();
        state.unread = !state.http2;
    }

    /// Whether the client may still be sending what nobody will read.
    pub(super) fn is_unread(&self) -> bool {
        self.state().unread
    }

    /// The host wants to stop: the connection ends as soon as nobody loses by it.
    pub(super) fn leave(&self, now: Instant) {
        self.state().leaving.get_or_insert(now);
    }

    /// Whether requests are under way.
    pub(super) fn is_busy(&self) -> bool {
        self.state().requests > 0
    }

    /// The connection was told to close once its requests are done.
    pub(super) fn close(&self, now: Instant) {
        self.state().closing.get_or_insert(now);
    }

    /// When the connection is to end, and how, if nothing happens until then.
    pub(super) fn due(&self, limits: &Limits) -> Option<(Instant, End)> {
        let state = self.state();
        if state.requests > 0 || state.blocked {
            return None;
        }
        let (since, allowed, end) = match (state.closing, state.leaving, state.phase) {
            // Whoever was told goodbye still takes what is on its way, but not for ever.
            (Some(told), _, Phase::Idle(since)) => {
                (told.max(since), limits.write_timeout, End::Cut)
            }
            (Some(told), _, Phase::Busy) => (told, limits.write_timeout, End::Cut),
            (None, Some(leaving), Phase::Idle(_)) => (leaving, LAST_CALL, End::Close),
            (None, Some(leaving), Phase::Fresh(_)) if !state.unread => {
                (leaving, LAST_CALL, End::Close)
            }
            (_, _, Phase::Fresh(since) | Phase::Head(since)) => {
                (since, limits.header_timeout, End::Cut)
            }
            (None, None, Phase::Idle(since)) => (since, limits.idle_timeout, End::Close),
            (None, _, Phase::Busy) => return None,
        };
        // A time that no clock reaches is no bound.
        Some((since.checked_add(allowed)?, end))
    }
}

/// A request that is under way.
pub(super) struct Flight(Arc<Traffic>);

impl Flight {
    /// The connection it came in on.
    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.0
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests = state.requests.saturating_sub(1);
        if state.requests == 0 {
            state.phase = Phase::Idle(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic() -> (Arc<Traffic>, Instant, Limits) {
        let start = Instant::now();
        (Traffic::new(start), start, Limits::default())
    }

    #[test]
    fn bytes_do_not_prolong_the_time_for_a_head() {
        let (traffic, start, limits) = traffic();
        let due = Some((start + limits.header_timeout, End::Cut));
        assert_eq!(traffic.due(&limits), due);
        traffic.read(start + Duration::from_secs(5));
        assert_eq!(traffic.due(&limits), due);
        drop(traffic.begin(false));
        let second = start + Duration::from_secs(20);
        traffic.read(second);
        traffic.read(second + Duration::from_secs(5));
        let due = Some((second + limits.header_timeout, End::Cut));
        assert_eq!(traffic.due(&limits), due);
    }

    #[test]
    fn a_connection_with_a_request_under_way_has_no_end() {
        let (traffic, _, limits) = traffic();
        let (one, two) = (traffic.begin(true), traffic.begin(true));
        assert_eq!(traffic.due(&limits), None);
        drop(one);
        assert_eq!(traffic.due(&limits), None);
        drop(two);
        assert_eq!(traffic.due(&limits).map(|(_, end)| end), Some(End::Close));
    }

    #[test]
    fn idle_http_2_is_not_prolonged_by_frames() {
        let (traffic, start, limits) = traffic();
        drop(traffic.begin(true));
        let due = traffic.due(&limits);
        traffic.read(start + Duration::from_secs(30));
        assert_eq!(traffic.due(&limits), due);
    }

    #[test]
    fn who_does_not_leave_when_told_is_cut() {
        let (traffic, start, limits) = traffic();
        drop(traffic.begin(true));
        let told = start + Duration::from_secs(60);
        traffic.close(told);
        traffic.close(told + Duration::from_secs(60));
        let due = Some((told + limits.write_timeout, End::Cut));
        assert_eq!(traffic.due(&limits), due);
    }

    #[test]
    fn a_host_that_stops_waits_for_what_is_on_its_way() {
        let (traffic, start, limits) = traffic();
        traffic.leave(start);
        let last_call = Some((start + LAST_CALL, End::Close));
        assert_eq!(traffic.due(&limits), last_call);
        // A head has begun to come in: it may come to its end.
        traffic.read(start);
        let due = Some((start + limits.header_timeout, End::Cut));
        assert_eq!(traffic.due(&limits), due);
        let request = traffic.begin(false);
        assert!(traffic.is_busy());
        drop(request);
        assert_eq!(traffic.due(&limits), last_call);
    }

    #[test]
    fn a_body_left_unread_is_forgotten_with_the_next_request() {
        let (traffic, ..) = traffic();
        let request = traffic.begin(false);
        traffic.leave_unread();
        drop(request);
        assert!(traffic.is_unread());
        let _request = traffic.begin(false);
        assert!(!traffic.is_unread());
    }
}

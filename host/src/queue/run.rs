//! Works on one queue: claims what is due, has it done, and settles it. Comes in: an engine, a [`Worker`], and the
//! word to come to an end; goes out: settled jobs. Holds as many jobs as the policy's concurrency and no more.
//! Never polls: between two changes it sleeps until something is due. Never knows what a job is about.

use super::{Backend, Claim, Error, Expired, JobId, Lease, Outcome, Phase, Policy, QueueName};
use crate::clock::{Clock, millis};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// How long to wait after the engine failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long what has ended may lie after a change before somebody looks whether it is to go.
const QUIET: Duration = Duration::from_secs(10);
/// How long others have the engine between two rounds of removals.
const BREATH: Duration = Duration::from_millis(50);

/// Whoever does what a job says.
pub trait Worker: Send + Sync {
    /// Makes one attempt. It is dropped when its time is up, when its lease is lost, and at the end of a drain.
    fn run(&self, claim: Claim) -> BoxFuture<'static, Outcome>;

    /// These jobs of the queue were taken back.
    fn expired(&self, jobs: &[Expired]);

    /// What came of an attempt stands in the engine.
    fn settled(&self, made: &Made<'_>);
}

/// An attempt that was made and settled.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// The job.
    pub job: JobId,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// Where the job stands now: it waits if it is to be tried again.
    pub phase: Phase,
    /// The note or the reason, in whatever length it was given.
    pub note: &'a str,
    /// How long the attempt took, up to when it was settled.
    pub took: Duration,
}

/// What works on one queue.
pub struct Runner {
    /// Where the jobs are.
    pub backend: Arc<dyn Backend>,
    /// Which of them.
    pub queue: QueueName,
    /// How.
    pub policy: Arc<Policy>,
    /// The engine's clock.
    pub clock: Arc<dyn Clock>,
    /// Who does it.
    pub worker: Arc<dyn Worker>,
}

/// How many attempts run, and the word that one does not any more.
#[derive(Default)]
struct Running {
    count: AtomicUsize,
    ended: Notify,
}

/// Which attempt it is, and since when it is made.
#[derive(Clone, Copy)]
struct Begun {
    job: JobId,
    attempt: u32,
    at: u64,
}

/// Counts an attempt as long as it is there.
struct Counted(Arc<Running>);

impl Counted {
    fn by(running: &Arc<Running>) -> Self {
        running.count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(running))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_one();
    }
}

impl Runner {
    /// Works until `drain` says when to have ended, in milliseconds since the epoch: from then on nothing is
    /// begun, what runs may finish until that time, and what is left is given back without counting an attempt.
    /// Wants a runtime, of whichever kind; attempts are tasks on it.
    pub async fn run(self, drain: impl Future<Output = u64>) {
        let this = Arc::new(self);
        let mut changed = this.backend.changed();
        let mut attempts = JoinSet::new();
        let running = Arc::new(Running::default());
        let stop = watch::Sender::new(false);
        let mut drain = std::pin::pin!(drain);
        let deadline = loop {
            while attempts.try_join_next().is_some() {}
            // What changes from here on is seen again.
            changed.mark_unchanged();
            let next = this.begin(&mut attempts, &running, &stop).await;
            select! {
                deadline = &mut drain => break deadline,
                // The engine is gone with all that it would tell.
                told = changed.changed() => if told.is_err() { break 0 },
                () = this.until(next) => {}
                () = running.ended.notified() => {}
            }
        };
        let all = async { while attempts.join_next().await.is_some() {} };
        select! {
            () = all => return,
            () = this.clock.sleep_until(deadline) => {}
        }
        stop.send_replace(true);
        while attempts.join_next().await.is_some() {}
    }

    /// Begins what is due and has room; when to look again if nothing changes.
    async fn begin(
        self: &Arc<Self>,
        attempts: &mut JoinSet<()>,
        running: &Arc<Running>,
        stop: &watch::Sender<bool>,
    ) -> Option<u64> {
        let most = self.policy.concurrency as usize;
        let room = most.saturating_sub(running.count.load(Ordering::Relaxed));
        if room == 0 {
            return None;
        }
        match self.backend.claim(self.queue.clone(), room).await {
            Ok(claims) => {
                self.worker.expired(&claims.expired);
                for claim in claims.claims {
                    let counted = Counted::by(running);
                    attempts.spawn(Arc::clone(self).attempt(claim, counted, stop.subscribe()));
                }
                claims.next
            }
            Err(error) => {
                self.warn("nothing can be claimed", &error);
                Some(self.after(PAUSE))
            }
        }
    }

    async fn attempt(
        self: Arc<Self>,
        claim: Claim,
        counted: Counted,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut lease = claim.lease;
        let begun = Begun {
            job: lease.job,
            attempt: claim.attempt,
            at: self.clock.now(),
        };
        let ends_at = self.after(self.policy.timeout);
        step!("attempt-begun");
        let mut work = self.worker.run(claim);
        let outcome = loop {
            // Twice more before it ends.
            let beat_at = lease
                .until
                .saturating_sub(millis(self.policy.lease) / 3 * 2);
            select! {
                biased;
                outcome = &mut work => break outcome,
                () = stopped(&mut stop) => {
                    drop(work);
                    return self.release(lease).await;
                }
                () = self.clock.sleep_until(ends_at) => break Outcome::Retry {
                    after: None,
                    reason: format!("timeout: not done after {:?}", self.policy.timeout),
                },
                () = self.clock.sleep_until(beat_at) => match self.extend(lease).await {
                    Some(held) => lease = held,
                    // Somebody else has the job, or will soon.
                    None => return,
                },
            }
        };
        drop(work);
        step!("attempt-ended");
        let mut settling = self.backend.settle(lease, outcome.clone());
        let first = futures::poll!(settling.as_mut());
        // What is claimed from here on stands behind it: the engine may commit both at once.
        drop(counted);
        let settled = match first {
            Poll::Ready(settled) => settled,
            Poll::Pending => settling.await,
        };
        if let Some(phase) = self.settled(settled, lease, &outcome, stop).await {
            self.tell(begun, phase, &outcome);
        }
    }

    /// Settles again and again while the engine fails and the lease holds: what was done should not be done twice
    /// because a disk was full for a moment. Where there is no room for a note, its beginning has to do. Where the
    /// job stands then; nothing if that is not known.
    async fn settled(
        &self,
        mut settled: Result<Phase, Error>,
        mut lease: Lease,
        outcome: &Outcome,
        mut stop: watch::Receiver<bool>,
    ) -> Option<Phase> {
        let mut is_full = false;
        loop {
            match settled {
                Ok(phase) => return Some(phase),
                Err(error @ Error::LeaseLost(_)) => {
                    self.warn("an attempt came too late", &error);
                    return None;
                }
                Err(error) => {
                    self.warn("an attempt cannot be settled", &error);
                    is_full |= matches!(error, Error::Full(_));
                }
            }
            select! {
                () = stopped(&mut stop) => return None,
                () = self.clock.sleep_until(self.after(PAUSE)) => {}
            }
            lease = self.extend(lease).await?;
            let outcome = outcome.clone();
            let outcome = if is_full { outcome.brief() } else { outcome };
            settled = self.backend.settle(lease, outcome).await;
        }
    }

    fn tell(&self, begun: Begun, phase: Phase, outcome: &Outcome) {
        let (Outcome::Done { note }
        | Outcome::Retry { reason: note, .. }
        | Outcome::Dead { reason: note }) = outcome;
        self.worker.settled(&Made {
            job: begun.job,
            attempt: begun.attempt,
            phase,
            note,
            took: Duration::from_millis(self.clock.now().saturating_sub(begun.at)),
        });
    }

    /// The lease for longer; none if it is lost. One that cannot be extended now holds until it ends.
    async fn extend(&self, lease: Lease) -> Option<Lease> {
        match self.backend.extend(vec![lease]).await {
            Ok(held) => held.first().copied(),
            Err(error) => {
                self.warn("a lease cannot be extended", &error);
                self.clock.sleep_until(self.after(PAUSE)).await;
                (self.clock.now() < lease.until).then_some(lease)
            }
        }
    }

    async fn release(&self, lease: Lease) {
        if let Err(error) = self.backend.release(vec![lease]).await {
            self.warn("a job cannot be given back", &error);
        }
    }

    fn after(&self, duration: Duration) -> u64 {
        self.clock.now().saturating_add(millis(duration))
    }

    async fn until(&self, at: Option<u64>) {
        match at {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn warn(&self, what: &str, error: &Error) {
        let error: &dyn std::error::Error = error;
        tracing::warn!(queue = %self.queue, error, "{what}");
    }
}

/// Comes back when everything has to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that is as good.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Removes what is past its retention, a few hundred rows at a time, until `drain` comes back. One for each
/// engine. Sleeps until something is old enough, and for a while after each change.
pub async fn prune(backend: Arc<dyn Backend>, clock: Arc<dyn Clock>, drain: impl Future) {
    let mut changed = backend.changed();
    let mut drain = std::pin::pin!(drain);
    let after = |duration| clock.now().saturating_add(millis(duration));
    loop {
        changed.mark_unchanged();
        let next = match backend.prune().await {
            Ok(pruned) => pruned.next.map(|at| at.max(after(BREATH))),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "what is past its retention cannot be removed");
                Some(after(QUIET))
            }
        };
        let old = async {
            match next {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let quiet = async {
            let told = changed.changed().await.is_ok();
            clock.sleep_until(after(QUIET)).await;
            told
        };
        select! {
            _ = &mut drain => return,
            () = old => {}
            told = quiet => if !told { return },
        }
    }
}

#[cfg(test)]
#[path = "tests/running.rs"]
mod tests;

//! Works on the apps' queues: a thread for all of them, on which each queue's loop claims and settles, and hands
//! jobs to the threads that serve. Comes in: opened apps, and the word to stop; goes out: jobs to pools. Never
//! runs a guest itself, never outlives the threads that do.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::capability::bindings::queue::types;
use crate::capability::queue as capability;
use crate::clock::millis;
use crate::metrics;
use crate::queue::{
    Claim, Expired, JobId, LEASE_EXPIRED, Made, Outcome, Phase, Policy, QueueName, Runner, Worker,
    prune,
};
use crate::runtime::Slot;

/// A job on its way to a thread that serves.
pub(super) struct Task {
    component: String,
    job: types::Job,
    time: Duration,
    answer: oneshot::Sender<types::Outcome>,
}

/// Where one app's jobs go on one thread.
pub(super) type Inbox = mpsc::UnboundedReceiver<Task>;

/// How much of a reason stands in the log, in bytes: all of it is kept with the attempt.
const REASON: usize = 1024;

/// The queues of one app, to be worked on.
pub(super) struct Works {
    /// The app's name.
    pub(super) app: String,
    /// The queues.
    pub(super) shared: capability::Shared,
    /// The counts of each.
    pub(super) counts: BTreeMap<QueueName, Arc<metrics::Queue>>,
    /// Where its jobs go: one for each thread that serves.
    pub(super) threads: Vec<mpsc::UnboundedSender<Task>>,
}

/// Works on all queues until told to stop; then what runs may take as long as `drain`. Threads that serve have
/// jobs until this one is gone.
pub(super) fn start(
    apps: Vec<Works>,
    stopped: watch::Receiver<bool>,
    drain: Duration,
) -> io::Result<Option<JoinHandle<()>>> {
    let has_queues = |app: &Works| app.shared.setup().policies.queues().next().is_some();
    let apps: Vec<_> = apps.into_iter().filter(has_queues).collect();
    if apps.is_empty() {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let work = move || {
        runtime.block_on(async {
            let mut loops = JoinSet::new();
            for app in apps {
                app.begin(&mut loops, &stopped, drain);
            }
            while loops.join_next().await.is_some() {}
        });
    };
    let thread = std::thread::Builder::new().name("queue".into());
    thread.spawn(work).map(Some)
}

impl Works {
    fn begin(self, loops: &mut JoinSet<()>, stopped: &watch::Receiver<bool>, drain: Duration) {
        let setup = self.shared.setup().clone();
        let next = Arc::new(AtomicUsize::new(0));
        for (queue, policy) in setup.policies.queues() {
            let worker = Spread {
                app: self.app.clone(),
                queue: queue.clone(),
                threads: self.threads.clone(),
                next: Arc::clone(&next),
                policy: Arc::clone(policy),
                counts: self.counts.get(queue).cloned().unwrap_or_default(),
            };
            let runner = Runner {
                backend: Arc::clone(self.shared.engine()),
                queue: queue.clone(),
                policy: Arc::clone(policy),
                clock: Arc::clone(&setup.clock),
                worker: Arc::new(worker),
            };
            let (clock, mut stopped) = (Arc::clone(&setup.clock), stopped.clone());
            loops.spawn(runner.run(async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                let drain = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
                clock.now().saturating_add(drain)
            }));
        }
        let mut stopped = stopped.clone();
        let engine = Arc::clone(self.shared.engine());
        loops.spawn(prune(engine, setup.clock, async move {
            stopped.wait_for(|stopped| *stopped).await.is_ok()
        }));
    }
}

/// Hands the jobs of one queue to the threads in turn.
struct Spread {
    app: String,
    queue: QueueName,
    threads: Vec<mpsc::UnboundedSender<Task>>,
    next: Arc<AtomicUsize>,
    policy: Arc<Policy>,
    counts: Arc<metrics::Queue>,
}

impl Worker for Spread {
    fn run(&self, claim: Claim) -> BoxFuture<'static, Outcome> {
        let (answer, outcome) = oneshot::channel();
        let task = Task {
            component: claim.queue.owner.clone(),
            job: capability::job(claim),
            time: self.policy.timeout,
            answer,
        };
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len().max(1);
        let sent = self
            .threads
            .get(turn)
            .is_some_and(|thread| thread.send(task).is_ok());
        let attempt = self.counts.attempt();
        Box::pin(async move {
            match outcome.await {
                Ok(outcome) if sent => {
                    let outcome = capability::outcome(outcome);
                    attempt.ended(match outcome {
                        Outcome::Done { .. } => metrics::Ended::Done,
                        Outcome::Retry { .. } => metrics::Ended::Retry,
                        Outcome::Dead { .. } => metrics::Ended::Dead,
                    });
                    outcome
                }
                // The thread is gone: the host stops, and gives back what it holds.
                Ok(_) | Err(_) => std::future::pending().await,
            }
        })
    }

    fn expired(&self, jobs: &[Expired]) {
        self.counts.leases_expired.inc_by(jobs.len() as u64);
        for Expired {
            job,
            attempt,
            phase,
        } in jobs
        {
            self.tell(*job, *attempt, *phase, None, LEASE_EXPIRED);
        }
    }

    fn settled(&self, made: &Made<'_>) {
        let reason = &made.note[..made.note.floor_char_boundary(REASON)];
        let milliseconds = Some(millis(made.took));
        self.tell(made.job, made.attempt, made.phase, milliseconds, reason);
    }
}

impl Spread {
    /// Says in the log what came of an attempt.
    fn tell(
        &self,
        job: JobId,
        attempt: u32,
        phase: Phase,
        milliseconds: Option<u64>,
        reason: &str,
    ) {
        let (app, component, queue) = (&self.app, &self.queue.owner, &self.queue.name);
        let batch = job.batch;
        let outcome = match phase {
            Phase::Dead => {
                return tracing::warn!(
                    app, component, queue, %job, %batch, attempt, milliseconds, reason,
                    outcome = "dead",
                    "a job was given up"
                );
            }
            Phase::Done => "done",
            Phase::Waiting | Phase::Claimed => "retry",
        };
        tracing::debug!(
            app, component, queue, %job, %batch, attempt, milliseconds, reason,
            outcome,
            "an attempt ended"
        );
    }
}

/// Lets the pools of the calling thread work on what comes, until nobody can send any more and all is answered.
pub(super) async fn attend(mut inbox: Inbox, slots: Vec<(String, Slot)>) {
    let mut jobs = JoinSet::new();
    loop {
        tokio::select! {
            task = inbox.recv() => {
                let Some(task) = task else { break };
                let mut named = slots.iter();
                let Some((_, slot)) = named.find(|(name, _)| *name == task.component) else {
                    continue;
                };
                let pool = slot.pool();
                jobs.spawn(async move {
                    let mut answer = task.answer;
                    let outcome = tokio::select! {
                        outcome = pool.work(task.job, task.time) => outcome,
                        // Nobody waits any more.
                        () = answer.closed() => return,
                    };
                    // It may be so by now.
                    let _ = answer.send(outcome);
                });
            }
            Some(_) = jobs.join_next(), if !jobs.is_empty() => {}
        }
    }
}

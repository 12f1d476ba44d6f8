//! How a queue is worked on: what a manifest sets, with defaults that are safe. Comes in: numbers; goes out: the
//! same, or all that does not go together. Never looks at a job.

use super::batch::within;
use super::{Error, QueueName, breaker};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The policy of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The delay before each attempt. The last one stands for all behind it.
    pub schedule: Vec<Duration>,
    /// After how many attempts without success a job is dead.
    pub attempts: u32,
    /// How far from its time an attempt may be moved, in per cent, so that not all come at once.
    pub jitter: u8,
    /// The longest wait that a worker can ask for.
    pub most_after: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long a claim holds without a word. Longer than the timeout.
    pub lease: Duration,
    /// How many jobs of the queue are worked on at once.
    pub concurrency: u32,
    /// How many of one lane.
    pub lane_concurrency: u32,
    /// How often a job of one lane may be begun.
    pub lane_rate: Option<Rate>,
    /// Whether a job waits until all older ones of its lane are done or dead.
    pub ordered: bool,
    /// When a lane that fails is left alone for a while.
    pub breaker: Option<breaker::Settings>,
    /// How long jobs that were done are kept.
    pub done: Keep,
    /// How long dead letters are kept.
    pub dead: Keep,
}

/// How often: so many in so much time, evenly, and at most `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how much time.
    pub per: Duration,
    /// How many may come at once after a rest.
    pub burst: u32,
}

/// How long finished jobs are kept: until they are too old or too many, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Since they ended.
    pub age: Duration,
    /// In the queue, the newest ones.
    pub count: u64,
}

impl Default for Policy {
    /// The schedule is that of Standard Webhooks: ten attempts in 75 hours and 35 minutes.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            schedule: vec![
                Duration::ZERO,
                Duration::from_secs(5),
                5 * minute,
                30 * minute,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
            attempts: 10,
            jitter: 20,
            most_after: DAY,
            timeout: Duration::from_secs(30),
            lease: Duration::from_secs(60),
            concurrency: 64,
            lane_concurrency: 4,
            lane_rate: None,
            ordered: false,
            breaker: None,
            done: Keep {
                age: 7 * DAY,
                count: 1_000_000,
            },
            dead: Keep {
                age: 30 * DAY,
                count: 1_000_000,
            },
        }
    }
}

/// What does not go together in a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A claim could end while its attempt still runs.
    #[error("lease ({lease:?}) is not longer than the timeout ({timeout:?}): make it longer")]
    ShortLease {
        /// The lease.
        lease: Duration,
        /// The timeout.
        timeout: Duration,
    },
    /// Nothing could ever be done.
    #[error("{0} is 0: it takes at least 1")]
    Zero(&'static str),
    /// A delay could be less than nothing.
    #[error("jitter is {0} per cent: it takes at most 100")]
    Jitter(u8),
}

impl Policy {
    /// Whether it can be kept; all that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<PolicyError>> {
        let mut wrong = Vec::new();
        if self.lease <= self.timeout {
            wrong.push(PolicyError::ShortLease {
                lease: self.lease,
                timeout: self.timeout,
            });
        }
        let rate = self.lane_rate;
        let not_zero = [
            ("schedule", self.schedule.is_empty()),
            ("attempts", self.attempts == 0),
            ("timeout", self.timeout.is_zero()),
            ("concurrency", self.concurrency == 0),
            ("lane_concurrency", self.lane_concurrency == 0),
            ("count of lane_rate", rate.is_some_and(|r| r.count == 0)),
            ("time of lane_rate", rate.is_some_and(|r| r.per.is_zero())),
            ("burst of lane_rate", rate.is_some_and(|r| r.burst == 0)),
            (
                "failures of breaker",
                self.breaker.is_some_and(|b| b.failures == 0),
            ),
        ];
        let zeros = not_zero.into_iter().filter(|(_, zero)| *zero);
        wrong.extend(zeros.map(|(what, _)| PolicyError::Zero(what)));
        if self.jitter > 100 {
            wrong.push(PolicyError::Jitter(self.jitter));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// The queues that there are, each with its policy, and none that cannot be kept.
#[derive(Debug, Clone, Default)]
pub struct Policies(BTreeMap<QueueName, Arc<Policy>>);

/// Why an engine is not opened with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("queue {queue}: {error}")]
pub struct BadPolicy {
    /// The queue.
    pub queue: QueueName,
    /// The first thing that is wrong.
    pub error: PolicyError,
}

impl Policies {
    /// The queues, if each policy can be kept.
    pub fn new(queues: BTreeMap<QueueName, Policy>) -> Result<Self, BadPolicy> {
        let mut policies = BTreeMap::new();
        for (queue, policy) in queues {
            if let Err(wrong) = policy.check()
                && let Some(error) = wrong.into_iter().next()
            {
                return Err(BadPolicy { queue, error });
            }
            policies.insert(queue, Arc::new(policy));
        }
        Ok(Self(policies))
    }

    /// The policy of a queue that there is.
    pub fn get(&self, queue: &QueueName) -> Result<&Arc<Policy>, Error> {
        let policy = self.0.get(queue);
        policy.ok_or_else(|| Error::NoSuchQueue(queue.clone()))
    }

    /// The queues that there are.
    pub fn queues(&self) -> impl Iterator<Item = (&QueueName, &Arc<Policy>)> {
        self.0.iter()
    }

    /// The policy by which what a queue still has is kept, whether or not it is still configured.
    pub(super) fn of(&self, queue: &QueueName) -> Arc<Policy> {
        self.0.get(queue).cloned().unwrap_or_default()
    }

    /// How long a batch of this owner is remembered when its jobs are gone, and how many newer ones there may be.
    pub(super) fn remembered(&self, owner: &str) -> Keep {
        let own = || self.0.iter().filter(|(queue, _)| queue.owner == owner);
        let usual = Policy::default().done;
        Keep {
            age: own().map(|(_, p)| p.done.age).max().unwrap_or(usual.age),
            count: own()
                .map(|(_, p)| p.done.count)
                .max()
                .unwrap_or(usual.count),
        }
    }
}

/// How much of everything one batch may be, and how large everything together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest body, in bytes.
    pub body_bytes: usize,
    /// The longest detail of one job, in bytes.
    pub detail_bytes: usize,
    /// The jobs of one batch.
    pub jobs_per_batch: usize,
    /// The longest name of a queue or lane, and the longest idempotency key, in bytes.
    pub name_bytes: usize,
    /// The longest note or reason that is kept, in bytes; longer ones are cut.
    pub note_bytes: usize,
    /// The most delays in a job's own schedule.
    pub schedule_length: usize,
    /// How many attempts of one job are kept, the newest ones.
    pub attempts_kept: u32,
    /// What all of it may take, in bytes. What is needed to finish what was accepted may go beyond.
    pub store_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            detail_bytes: 4 << 10,
            // As many as there are places in a name.
            jobs_per_batch: 1 << 16,
            name_bytes: 256,
            note_bytes: 4 << 10,
            schedule_length: 64,
            attempts_kept: 100,
            store_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// Whether a name can be one: visible, because it is printed and logged.
    pub(super) fn name(&self, what: &'static str, name: &str) -> Result<(), Error> {
        within(what, name.len(), self.name_bytes)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            let wrong = format!("{what} is empty or has control characters: name it visibly");
            return Err(Error::Invalid(wrong));
        }
        Ok(())
    }

    /// A note as it is kept.
    pub(super) fn cut(&self, note: &str) -> String {
        note[..note.floor_char_boundary(self.note_bytes)].to_owned()
    }
}

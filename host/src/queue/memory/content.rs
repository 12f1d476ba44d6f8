//! What is in a queue in memory, and what changes it. Comes in: one operation at a time; goes out: its answer.
//! Never leaves a job in two places: every move goes through one function.

mod look;
mod operate;
mod prune;

use super::super::id::Ids;
use super::super::lane::Lane;
use super::super::retry;
use super::super::settle::{Tried, Verdict, verdict};
use super::*;
use crate::clock::millis;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Everything.
pub(super) struct Content {
    setup: Setup,
    ids: Ids,
    batches: BTreeMap<BatchId, Batch>,
    keys: BTreeMap<(String, String), BatchId>,
    jobs: BTreeMap<JobId, Row>,
    queues: BTreeMap<QueueName, Queue>,
    lanes: BTreeMap<(QueueName, String), LaneRow>,
    turns: u64,
    /// How many batches there were.
    accepted: u64,
    bytes: u64,
}

struct Batch {
    /// How many were accepted before it.
    number: u64,
    owner: String,
    key: Option<String>,
    digest: [u8; 32],
    body: Bytes,
    accepted_at: u64,
    jobs: usize,
    /// How many of them there still are.
    left: usize,
}

struct Row {
    queue: QueueName,
    lane: String,
    detail: Bytes,
    own: Option<Vec<Duration>>,
    state: State,
    token: u64,
    begun_at: u64,
    /// The number of the last attempt.
    number: u32,
    /// How many of them since the job was last put at its beginning.
    tried: u32,
    attempts: VecDeque<Attempt>,
}

/// What of a queue is not waiting, in the order in which something is to be done about it.
#[derive(Default)]
struct Queue {
    claimed: BTreeSet<(u64, JobId)>,
    done: BTreeSet<(u64, JobId)>,
    dead: BTreeSet<(u64, JobId)>,
}

#[derive(Default)]
struct LaneRow {
    lane: Lane,
    turn: u64,
    depth: Depth,
    /// Those that wait, the next one first.
    waiting: BTreeSet<(u64, JobId)>,
}

/// There is no room for the batch.
#[derive(Debug, thiserror::Error)]
#[error("queue has its {0} bytes in use")]
struct NoRoom(u64);

impl Content {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            ids: Ids::default(),
            batches: BTreeMap::new(),
            keys: BTreeMap::new(),
            jobs: BTreeMap::new(),
            queues: BTreeMap::new(),
            lanes: BTreeMap::new(),
            turns: 0,
            accepted: 0,
            bytes: 0,
        }
    }

    fn now(&self) -> u64 {
        self.setup.clock.now()
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    fn lane(&mut self, queue: &QueueName, lane: &str) -> &mut LaneRow {
        let key = (queue.clone(), lane.to_owned());
        if !self.lanes.contains_key(&key) {
            let turn = self.turn();
            let row = LaneRow {
                turn,
                ..LaneRow::default()
            };
            self.lanes.insert(key.clone(), row);
        }
        self.lanes.entry(key).or_default()
    }

    /// Puts a job where it now stands: out of the old place, into the new one. None is out altogether.
    fn put(&mut self, id: JobId, new: Option<State>) {
        let Some(row) = self.jobs.get_mut(&id) else {
            return;
        };
        let old = row.state.clone();
        if let Some(new) = new.clone() {
            row.state = new;
        }
        let (queue, lane) = (row.queue.clone(), row.lane.clone());
        self.stand(id, &queue, &lane, &old, false);
        if let Some(new) = new {
            self.stand(id, &queue, &lane, &new, true);
        }
    }

    fn stand(&mut self, id: JobId, queue: &QueueName, lane: &str, state: &State, there: bool) {
        let ordered = self.setup.policies.of(queue).ordered;
        let row = self.lane(queue, lane);
        let count = row.depth.of(state.phase());
        *count = if there { *count + 1 } else { *count - 1 };
        let change = |set: &mut BTreeSet<_>, place| {
            if there {
                set.insert((place, id))
            } else {
                set.remove(&(place, id))
            }
        };
        if let State::Waiting { due_at } = state {
            // In an ordered lane the names alone decide, which is the order in which they came.
            change(&mut row.waiting, if ordered { 0 } else { *due_at });
        }
        let next = row.waiting.first().map(|(_, id)| *id);
        let due_at = next
            .and_then(|id| self.jobs.get(&id))
            .and_then(|row| match row.state {
                State::Waiting { due_at } => Some(due_at),
                _ => None,
            });
        self.lane(queue, lane).lane.due_at = due_at;
        let rows = self.queues.entry(queue.clone()).or_default();
        match state {
            State::Waiting { .. } => false,
            State::Claimed { until } => change(&mut rows.claimed, *until),
            State::Done { ended_at } => change(&mut rows.done, *ended_at),
            State::Dead { ended_at, .. } => change(&mut rows.dead, *ended_at),
        };
    }

    pub(super) fn enqueue(&mut self, batch: NewBatch) -> Result<Receipt, Error> {
        batch.check(&self.setup.limits)?;
        for job in &batch.jobs {
            self.setup.policies.get(&batch.queue(job))?;
        }
        let digest = batch.digest();
        let key = batch.key.clone().map(|key| (batch.owner.clone(), key));
        if let Some(id) = key.as_ref().and_then(|key| self.keys.get(key)) {
            let before = self.batches.get(id).filter(|b| b.digest == digest);
            let jobs = before.ok_or(Error::Conflict(*id))?.jobs;
            return Ok(Receipt {
                batch: *id,
                jobs: id.jobs(jobs),
                replayed: true,
            });
        }
        let bytes = batch.bytes();
        let limit = self.setup.limits.store_bytes;
        if self.bytes.saturating_add(bytes) > limit {
            return Err(Error::Full(NoRoom(limit).into()));
        }
        self.bytes += bytes;
        let now = self.now();
        let id = self.ids.next(now, &*self.setup.chance);
        self.keys.extend(key.map(|key| (key, id)));
        let jobs = id.jobs(batch.jobs.len());
        for (id, job) in jobs.iter().zip(&batch.jobs) {
            self.add(*id, batch.queue(job), job, now);
        }
        let number = self.accepted;
        self.accepted += 1;
        let kept = Batch {
            number,
            owner: batch.owner,
            key: batch.key,
            digest,
            body: batch.body,
            accepted_at: now,
            jobs: jobs.len(),
            left: jobs.len(),
        };
        self.batches.insert(id, kept);
        Ok(Receipt {
            batch: id,
            jobs,
            replayed: false,
        })
    }

    fn add(&mut self, id: JobId, queue: QueueName, job: &NewJob, now: u64) {
        let policy = self.setup.policies.of(&queue);
        let first = retry::first(&policy, job.schedule.as_deref());
        let due_at = now.saturating_add(millis(first));
        let state = State::Waiting {
            due_at: due_at.max(job.not_before.unwrap_or(0)),
        };
        let row = Row {
            queue: queue.clone(),
            lane: job.lane.clone(),
            detail: job.detail.clone(),
            own: job.schedule.clone(),
            state: state.clone(),
            token: 0,
            begun_at: 0,
            number: 0,
            tried: 0,
            attempts: VecDeque::new(),
        };
        self.jobs.insert(id, row);
        self.stand(id, &queue, &job.lane, &state, true);
    }

    pub(super) fn claim(&mut self, queue: &QueueName, most: usize) -> Result<Claims, Error> {
        let policy = Arc::clone(self.setup.policies.get(queue)?);
        let now = self.now();
        let expired = self.expire(queue, now);
        let mut claims = Vec::new();
        let next = loop {
            let claimed = &self.queues.entry(queue.clone()).or_default().claimed;
            let (running, ends) = (claimed.len(), claimed.first().map(|(until, _)| *until));
            let full = running >= policy.concurrency as usize;
            let next = if full {
                None
            } else {
                self.next(queue, &policy)
            };
            match next.filter(|(at, ..)| *at <= now && claims.len() < most) {
                Some((_, _, id)) => claims.extend(self.begin(id, &policy, now)),
                None => {
                    let times = [next.map(|(at, ..)| at), ends];
                    break times.into_iter().flatten().min();
                }
            }
        };
        Ok(Claims {
            claims,
            next,
            expired,
        })
    }

    /// When which lane is next, and which job of it.
    fn next(&self, queue: &QueueName, policy: &Policy) -> Option<(u64, u64, JobId)> {
        let lanes = self.lanes.iter().filter(|((of, _), _)| of == queue);
        let next = lanes.filter_map(|(_, row)| {
            let id = row.waiting.first()?.1;
            Some((row.lane.wake_at(policy)?, row.turn, id))
        });
        next.min()
    }

    fn begin(&mut self, id: JobId, policy: &Policy, now: u64) -> Option<Claim> {
        let until = now.saturating_add(millis(policy.lease));
        self.put(id, Some(State::Claimed { until }));
        let turn = self.turn();
        let row = self.jobs.get_mut(&id)?;
        row.token += 1;
        row.begun_at = now;
        let batch = self.batches.get(&id.batch)?;
        let claim = Claim {
            lease: Lease {
                job: id,
                token: row.token,
                until,
            },
            queue: row.queue.clone(),
            lane: row.lane.clone(),
            body: batch.body.clone(),
            detail: row.detail.clone(),
            attempt: row.number.saturating_add(1),
            accepted_at: batch.accepted_at,
        };
        let lane = self.lane(&claim.queue, &claim.lane);
        lane.lane.begin(policy, now);
        lane.turn = turn;
        Some(claim)
    }

    /// Takes back what leases that have ended hold.
    fn expire(&mut self, queue: &QueueName, now: u64) -> Vec<Expired> {
        let claimed = &self.queues.entry(queue.clone()).or_default().claimed;
        let ended: Vec<_> = claimed
            .range(..=(now, JobId::LAST))
            .map(|(_, id)| *id)
            .collect();
        let take_back = |job| {
            let phase = self.end(job, None, now)?;
            let attempt = self.jobs.get(&job)?.number;
            Some(Expired {
                job,
                attempt,
                phase,
            })
        };
        ended.into_iter().filter_map(take_back).collect()
    }

    /// The lane of the job, if the lease holds: it is the newest, and was not settled or taken back.
    fn held(&self, lease: &Lease) -> Option<(QueueName, String)> {
        let row = self.jobs.get(&lease.job)?;
        let holds = row.token == lease.token && matches!(row.state, State::Claimed { .. });
        holds.then(|| (row.queue.clone(), row.lane.clone()))
    }

    pub(super) fn extend(&mut self, leases: Vec<Lease>) -> Vec<Lease> {
        let now = self.now();
        let mut held = Vec::new();
        for lease in leases {
            if let Some((queue, _)) = self.held(&lease) {
                let policy = self.setup.policies.of(&queue);
                let until = now.saturating_add(millis(policy.lease));
                self.put(lease.job, Some(State::Claimed { until }));
                held.push(Lease { until, ..lease });
            }
        }
        held
    }

    pub(super) fn settle(&mut self, lease: Lease, outcome: &Outcome) -> Result<Phase, Error> {
        let lost = Error::LeaseLost(lease.job);
        if self.held(&lease).is_none() {
            return Err(lost);
        }
        self.end(lease.job, Some(outcome), self.now()).ok_or(lost)
    }

    fn end(&mut self, id: JobId, outcome: Option<&Outcome>, now: u64) -> Option<Phase> {
        let chance = (self.setup.chance)();
        let row = self.jobs.get_mut(&id)?;
        let policy = self.setup.policies.of(&row.queue);
        row.number = row.number.saturating_add(1);
        row.tried = row.tried.saturating_add(1);
        let tried = Tried {
            own: row.own.as_deref(),
            times: row.tried,
        };
        let rules = (&*policy, &self.setup.limits);
        let verdict = verdict(rules, tried, outcome, now, chance);
        let worked = verdict.worked();
        let Verdict { state, ended, note } = verdict;
        row.attempts.push_back(Attempt {
            number: row.number,
            started_at: row.begun_at,
            ended_at: now,
            ended,
            note,
        });
        if row.attempts.len() > self.setup.limits.attempts_kept as usize {
            row.attempts.pop_front();
        }
        let (queue, lane, phase) = (row.queue.clone(), row.lane.clone(), state.phase());
        self.put(id, Some(state));
        let lane = &mut self.lane(&queue, &lane).lane;
        lane.end();
        match worked {
            Some(true) => lane.breaker.success(),
            Some(false) => lane.breaker.failure(policy.breaker.as_ref(), now),
            None => {}
        }
        Some(phase)
    }

    pub(super) fn release(&mut self, leases: &[Lease]) {
        let due_at = self.now();
        for lease in leases {
            if let Some((queue, lane)) = self.held(lease) {
                self.put(lease.job, Some(State::Waiting { due_at }));
                self.lane(&queue, &lane).lane.end();
            }
        }
    }
}

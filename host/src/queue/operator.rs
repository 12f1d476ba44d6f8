//! What an operator asks of an engine, in the folder of a host that does not run and of one that runs alike. Comes
//! in: which jobs, and what is to be done; goes out: jobs, counts, and portions of a change. Never holds an engine
//! up for longer than one portion takes, and never takes a name that nothing has for one that fits nothing.

use super::{Backend, Change, Changed, Error, Filter, Job, JobId, Phase, QueueName};

/// How many jobs one portion of a change has.
pub const PORTION: usize = 500;
/// The same where the jobs are named: each is a commit of its own.
const NAMED: usize = 100;
/// Why jobs were given up, if nobody says it.
pub const REASON: &str = "given up by the operator";
/// How many lanes are looked through at once, and how many are told.
const LOOKED: usize = 1000;
const TOLD: usize = 5;

/// Which jobs: those that the filter fits, and where some are named, only they.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What they have in common.
    pub filter: Filter,
    /// Their names.
    pub jobs: Vec<JobId>,
}

/// Whose queues.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// What keeps the jobs.
    pub engine: &'a dyn Backend,
    /// The queues that may have jobs though none had one yet, as far as that is known.
    pub configured: &'a [QueueName],
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A name that nothing has.
    #[error("{what} `{given}` is not there: {known}")]
    Unknown {
        /// What it should be the name of.
        what: &'static str,
        /// The name.
        given: String,
        /// What there is, in words.
        known: String,
    },
    /// The engine's own words.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Selection {
    /// Whether the names in the filter are those of something. Asked where nothing fits: what fits has its names,
    /// and a lane may go while a change to its jobs comes to its end.
    async fn check(&self, of: Of<'_>) -> Result<(), Refused> {
        let Of { engine, configured } = of;
        let Filter {
            owner, queue, lane, ..
        } = &self.filter;
        if owner.is_none() && queue.is_none() && lane.is_none() {
            return Ok(());
        }
        let stats = engine.stats().await?;
        let mut queues: Vec<_> = stats.into_iter().map(|status| status.queue).collect();
        queues.extend_from_slice(configured);
        queues.sort();
        queues.dedup();
        if let Some(owner) = owner {
            let owners = queues.iter().map(|queue| &*queue.owner);
            known("component", owner, owners)?;
            queues.retain(|queue| queue.owner == *owner);
        }
        if let Some(name) = queue {
            known("queue", name, queues.iter().map(|queue| &*queue.name))?;
            queues.retain(|queue| queue.name == *name);
        }
        match lane {
            Some(lane) => self.check_lane(engine, &queues, lane).await,
            None => Ok(()),
        }
    }

    async fn check_lane(
        &self,
        engine: &dyn Backend,
        queues: &[QueueName],
        lane: &str,
    ) -> Result<(), Refused> {
        let in_lane = Filter {
            owner: self.filter.owner.clone(),
            queue: self.filter.queue.clone(),
            lane: Some(lane.to_owned()),
            ..Filter::default()
        };
        if !engine.list(in_lane, None, 1).await?.is_empty() {
            return Ok(());
        }
        // One that has no jobs may still be paused.
        let mut names: Vec<String> = Vec::new();
        let mut more = false;
        for queue in queues {
            let mut after = None;
            loop {
                let lanes = engine.lanes(queue.clone(), after, LOOKED).await?;
                after = lanes.last().map(|last| last.lane.clone());
                for found in lanes {
                    if found.lane == lane {
                        return Ok(());
                    }
                    if !names.contains(&found.lane) {
                        match names.len() < TOLD {
                            true => names.push(found.lane),
                            false => more = true,
                        }
                    }
                }
                if after.is_none() {
                    break;
                }
            }
        }
        let mut known = listed(&names);
        if more {
            known.push_str(" and others");
        }
        Err(Refused::Unknown {
            what: "lane",
            given: lane.to_owned(),
            known,
        })
    }

    /// Up to `most` of them, behind `after`, in the order of their names.
    pub async fn list(
        &self,
        of: Of<'_>,
        after: Option<JobId>,
        most: usize,
    ) -> Result<Vec<Job>, Refused> {
        let mut jobs = Vec::new();
        if self.jobs.is_empty() {
            jobs = of.engine.list(self.filter.clone(), after, most).await?;
        }
        for filter in self.named(after) {
            if jobs.len() >= most {
                break;
            }
            jobs.extend(of.engine.list(filter, None, 1).await?);
        }
        if jobs.is_empty() {
            self.check(of).await?;
        }
        Ok(jobs)
    }

    /// How many of them a change could be made to.
    pub async fn count(&self, of: Of<'_>, change: &Change) -> Result<u64, Refused> {
        let filters = match self.jobs.is_empty() {
            true => vec![self.filter.clone()],
            false => self.named(None),
        };
        let mut count = 0;
        for filter in filters {
            for phase in Phase::ALL {
                if change.fits(phase) && filter.phase.is_none_or(|only| only == phase) {
                    let filter = Filter {
                        phase: Some(phase),
                        ..filter.clone()
                    };
                    count += of.engine.count(filter).await?;
                }
            }
        }
        if count == 0 {
            self.check(of).await?;
        }
        Ok(count)
    }

    /// Makes a change to the first portion of them behind `after`. What it counts is committed.
    pub async fn change(
        &self,
        of: Of<'_>,
        change: &Change,
        after: Option<JobId>,
    ) -> Result<Changed, Refused> {
        let changed = self.portion(of.engine, change, after).await?;
        if changed.count == 0 && after.is_none() {
            self.check(of).await?;
        }
        Ok(changed)
    }

    async fn portion(
        &self,
        engine: &dyn Backend,
        change: &Change,
        after: Option<JobId>,
    ) -> Result<Changed, Error> {
        if self.jobs.is_empty() {
            let filter = self.filter.clone();
            return engine.change(filter, change.clone(), after, PORTION).await;
        }
        let left = self.named(after);
        let mut changed = Changed::default();
        for filter in left.iter().take(NAMED) {
            match engine.change(filter.clone(), change.clone(), None, 1).await {
                Ok(one) => changed.count += one.count,
                Err(error) if changed.next.is_none() => return Err(error),
                // What is done is told first: whoever goes on behind it meets the error again.
                Err(_) => return Ok(changed),
            }
            changed.next = filter.job;
        }
        if left.len() <= NAMED {
            changed.next = None;
        }
        Ok(changed)
    }

    /// A filter for each job that is named, behind `after`, in the order of their names.
    fn named(&self, after: Option<JobId>) -> Vec<Filter> {
        let behind = |job: &JobId| after.is_none_or(|after| *job > after);
        let mut jobs: Vec<_> = self.jobs.iter().copied().filter(behind).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let one = |job| Filter {
            job: Some(job),
            ..self.filter.clone()
        };
        jobs.into_iter().map(one).collect()
    }
}

/// Whether a name is among those that there are.
fn known<'a>(
    what: &'static str,
    given: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), Refused> {
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    if names.iter().any(|name| name == given) {
        return Ok(());
    }
    names.sort();
    names.dedup();
    Err(Refused::Unknown {
        what,
        given: given.to_owned(),
        known: listed(&names),
    })
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "there is none that has jobs".to_owned(),
        [one] => format!("there is `{one}`"),
        many => format!("there are `{}`", many.join("`, `")),
    }
}

//! What is asked of a list of jobs, as it stands behind a question mark. Comes in and goes out: the same, as text
//! and as a [`Selection`].

use super::super::operator::Selection;
use super::super::{Filter, JobId, Phase};
use std::fmt::Display;
use std::str::FromStr;
use url::form_urlencoded;

/// How many jobs a list has unless it is said, and at most.
pub const LIMIT: usize = 100;
/// The most that a list may have.
pub const MOST: usize = 1000;

/// What is asked of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which jobs.
    pub which: Selection,
    /// Those behind this one.
    pub after: Option<JobId>,
    /// How many, [`MOST`] at most.
    pub limit: usize,
}

impl Query {
    /// Reads what stands behind the question mark. The error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut query = Self {
            which: Selection::default(),
            after: None,
            limit: LIMIT,
        };
        let mut before = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let filter = &mut query.which.filter;
            match &*name {
                "component" => filter.owner = Some(value.into_owned()),
                "queue" => filter.queue = Some(value.into_owned()),
                "lane" => filter.lane = Some(value.into_owned()),
                "state" => filter.phase = Some(phase(&value)?),
                "batch" => filter.batch = Some(parsed(&name, &value)?),
                "job" => query.which.jobs.push(parsed(&name, &value)?),
                "after" => query.after = Some(parsed(&name, &value)?),
                "limit" => match parsed(&name, &value)? {
                    limit @ 1..=MOST => query.limit = limit,
                    _ => return Err(format!("`limit` is from 1 to {MOST}: go on with `after`")),
                },
                _ => {
                    return Err(format!(
                        "`{name}` cannot be asked for: there are component, queue, lane, state, batch, job, \
                         after and limit"
                    ));
                }
            }
            if name != "job" && before.contains(&name) {
                return Err(format!("`{name}` is given twice: give it once"));
            }
            before.push(name);
        }
        Ok(query)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let Filter {
            owner,
            queue,
            lane,
            phase,
            batch,
            ..
        } = &self.which.filter;
        for (name, value) in [("component", owner), ("queue", queue), ("lane", lane)] {
            if let Some(value) = value {
                text.append_pair(name, value);
            }
        }
        if let Some(phase) = phase {
            text.append_pair("state", phase.word());
        }
        if let Some(batch) = batch {
            text.append_pair("batch", &batch.to_string());
        }
        for job in &self.which.jobs {
            text.append_pair("job", &job.to_string());
        }
        if let Some(after) = self.after {
            text.append_pair("after", &after.to_string());
        }
        text.append_pair("limit", &self.limit.to_string());
        text.finish()
    }
}

fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("`{name}`: {error}"))
}

fn phase(value: &str) -> Result<Phase, String> {
    let found = Phase::ALL.into_iter().find(|phase| phase.word() == value);
    found.ok_or_else(|| {
        format!("`state` is waiting, claimed, done or dead: `{value}` is none of them")
    })
}

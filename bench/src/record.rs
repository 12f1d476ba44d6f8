//! What is kept of a run. Comes in: samples; goes out: rows of `results.json` and the facts of `run.json`.
//! Every round is kept, so that whoever doubts a median can make another one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::{Halves, Machine};
use crate::stats::{Spread, median};

/// One turn of one host. What a case does not measure is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sample {
    /// Answered with 2xx, for each second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p90_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p95_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p999_ms: Option<f64>,
    /// User and system time of the server's process for each request, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us: Option<f64>,
    /// How much of its CPUs the server used: below 0.9, something else was the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) busy: Option<f64>,
    /// In memory after the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_idle_mb: Option<f64>,
    /// The most while loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_peak_mb: Option<f64>,
    /// After the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_after_mb: Option<f64>,
    /// From the process's start to its first 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_ms: Option<f64>,
    /// What a connection that is kept open adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_kb: Option<f64>,
    /// In memory at the end of the load, over what it was after the first tenth of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_growth: Option<f64>,
    /// How often its threads began to run, for each second, while nobody asked for anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wakeups_per_s: Option<f64>,
    /// Answered in this turn.
    pub(crate) requests: u64,
    /// What was not a success, and how often. One makes the row invalid.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failures: BTreeMap<String, u64>,
}

/// A field of a sample.
type Get = fn(&mut Sample) -> &mut Option<f64>;

const FIELDS: [Get; 15] = [
    |sample| &mut sample.requests_per_s,
    |sample| &mut sample.p50_ms,
    |sample| &mut sample.p90_ms,
    |sample| &mut sample.p95_ms,
    |sample| &mut sample.p99_ms,
    |sample| &mut sample.p999_ms,
    |sample| &mut sample.cpu_us,
    |sample| &mut sample.busy,
    |sample| &mut sample.rss_idle_mb,
    |sample| &mut sample.rss_peak_mb,
    |sample| &mut sample.rss_after_mb,
    |sample| &mut sample.start_ms,
    |sample| &mut sample.idle_kb,
    |sample| &mut sample.rss_growth,
    |sample| &mut sample.wakeups_per_s,
];

impl Sample {
    /// The medians of all rounds, field by field, and all that went wrong.
    pub(crate) fn medians(rounds: &[Self]) -> Self {
        let mut medians = Self::default();
        for field in FIELDS {
            let values = rounds.iter().filter_map(|round| *field(&mut round.clone()));
            *field(&mut medians) = median(&values.collect::<Vec<_>>());
        }
        for round in rounds {
            medians.requests += round.requests;
            for (what, count) in &round.failures {
                *medians.failures.entry(what.clone()).or_default() += count;
            }
        }
        medians
    }
}

/// The commands of one host: typed one after the other in the project's folder, they repeat its part of a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Commands {
    /// What is started before: whom the server calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sink: Option<String>,
    pub(crate) server: String,
    /// What is done before it is loaded: handshakes, registrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prepare: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<String>,
}

impl Commands {
    /// All of them, in their order.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &String> {
        let (sink, prepare, load) = (&self.sink, &self.prepare, &self.load);
        let all = [
            sink.as_ref(),
            Some(&self.server),
            prepare.as_ref(),
            load.as_ref(),
        ];
        all.into_iter().flatten()
    }
}

/// Ours and the peer's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair<T> {
    pub(crate) ours: T,
    pub(crate) peer: T,
}

/// One comparison of one figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) case: String,
    /// What is done in it.
    pub(crate) says: String,
    /// The median of our rounds.
    pub(crate) ours: Option<f64>,
    /// The median of the peer's.
    pub(crate) peer: Option<f64>,
    pub(crate) peer_name: String,
    /// Ours over the peer's.
    pub(crate) ratio: Option<f64>,
    pub(crate) unit: String,
    /// The goal for the ratio, or for our figure where it says so.
    pub(crate) goal: Option<String>,
    /// Whether it is reached; none where there is no goal, or nothing to hold it against.
    pub(crate) met: Option<bool>,
    /// The goal's figure alone, for the plots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) goal_ratio: Option<f64>,
    /// Whether every request was a success.
    pub(crate) valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Of the rounds: of our figure, the peer's, and the ratio within each round.
    pub(crate) spread: Spreads,
    /// The peer's CPU time for each request over ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_ratio: Option<f64>,
    /// The medians of everything that was measured.
    pub(crate) metrics: Pair<Sample>,
    /// Everything, round by round; with the row of the case's main figure only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rounds: Option<Pair<Vec<Sample>>>,
    pub(crate) commands: Pair<Option<Commands>>,
}

/// How far the rounds lay apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spreads {
    pub(crate) ours: Option<Spread>,
    pub(crate) peer: Option<Spread>,
    pub(crate) ratio: Option<Spread>,
}

/// What is true of a whole run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) halves: Halves,
    /// Of each program, by its name.
    pub(crate) versions: BTreeMap<String, String>,
    /// The command of the run.
    pub(crate) command: String,
    /// When it began, in seconds since 1970.
    pub(crate) began: u64,
    pub(crate) took_s: u64,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) warm_up_seconds: f64,
    /// Cases that could not be measured, and why.
    pub(crate) left_out: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rps: f64, failures: u64) -> Sample {
        let failed = (failures > 0).then(|| ("status 503".to_owned(), failures));
        Sample {
            requests_per_s: Some(rps),
            requests: 10,
            failures: failed.into_iter().collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn medians_are_taken_field_by_field() {
        let medians = Sample::medians(&[sample(3.0, 0), sample(1.0, 0), sample(2.0, 0)]);
        assert_eq!(medians.requests_per_s, Some(2.0));
        assert_eq!(medians.p99_ms, None);
        assert_eq!(medians.requests, 30);
    }

    #[test]
    fn no_failure_is_lost_in_a_median() {
        let medians = Sample::medians(&[sample(3.0, 0), sample(1.0, 1), sample(2.0, 2)]);
        assert_eq!(medians.failures["status 503"], 3);
    }
}

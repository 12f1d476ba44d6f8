//! Rows from rounds. Comes in: what each side of a case measured; goes out: a row for each peer and figure, with
//! its goal. Pure.

use crate::cases::Case;
use crate::goals::{Metric, NOBODY, SERVE, goal};
use crate::record::{Commands, Pair, Row, Sample, Spreads};
use crate::stats::Spread;

/// What one side measured, or why it could not be.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
    pub(crate) commands: Option<Commands>,
    pub(crate) failed: Option<String>,
}

/// The rows of a case.
pub(crate) fn rows(case: &Case<'_>, turns: &[Turns]) -> Vec<Row> {
    let Some((ours, peers)) = turns.split_first() else {
        return Vec::new();
    };
    let main = case.kind.main();
    let nobody = Turns {
        name: NOBODY.to_owned(),
        ..Turns::default()
    };
    let mut rows = Vec::new();
    for peer in peers {
        let mut row = row(case, ours, peer, main);
        row.rounds = Some(Pair {
            ours: ours.samples.clone(),
            peer: peer.samples.clone(),
        });
        rows.push(row);
    }
    for (name, why) in &case.cannot {
        let absent = Turns {
            name: (*name).to_owned(),
            ..Turns::default()
        };
        let mut row = row(case, ours, &absent, main);
        row.note = Some(join(row.note, why));
        rows.push(row);
    }
    if rows.is_empty() {
        rows.push(row(case, ours, &nobody, main));
    }
    if let Some(first) = rows.first_mut()
        && first.rounds.is_none()
    {
        first.rounds = Some(Pair {
            ours: ours.samples.clone(),
            peer: Vec::new(),
        });
    }
    for peer in peers.iter().chain([&nobody]) {
        for metric in [Metric::P95, Metric::P99, Metric::Peak, Metric::Idle] {
            let mut samples = ours.samples.iter();
            if held(&case.id, &peer.name, metric)
                && samples.any(|sample| metric.of(sample).is_some())
            {
                rows.push(row(case, ours, peer, metric));
            }
        }
    }
    rows
}

/// Whether a figure beside a case's main one has a row of its own: it has a goal, or says what a connection weighs.
fn held(case: &str, peer: &str, metric: Metric) -> bool {
    goal(case, peer, metric).is_some() || (peer == SERVE && metric == Metric::Idle)
}

fn row(case: &Case<'_>, ours: &Turns, peer: &Turns, metric: Metric) -> Row {
    let metrics = Pair {
        ours: Sample::medians(&ours.samples),
        peer: Sample::medians(&peer.samples),
    };
    let (mine, others) = (metric.of(&metrics.ours), metric.of(&metrics.peer));
    let ratio = quotient(mine, others);
    let goal = goal(&case.id, &peer.name, metric);
    let (valid, note) = judge(&metrics, ours, peer);
    Row {
        case: format!("{}{}", case.id, metric.suffix()),
        says: case.says.clone(),
        ours: mine,
        peer: others,
        peer_name: peer.name.clone(),
        ratio,
        unit: metric.unit().to_owned(),
        goal: goal.map(|goal| goal.words(metric.unit())),
        // A row with failures reaches nothing.
        met: goal
            .and_then(|goal| goal.met(mine, ratio))
            .map(|met| met && valid),
        goal_ratio: goal.and_then(|goal| goal.ratio()),
        valid,
        note,
        spread: spreads(&ours.samples, &peer.samples, metric),
        cpu_ratio: quotient(metrics.peer.cpu_us, metrics.ours.cpu_us),
        metrics,
        rounds: None,
        commands: Pair {
            ours: ours.commands.clone(),
            peer: peer.commands.clone(),
        },
    }
}

fn quotient(over: Option<f64>, under: Option<f64>) -> Option<f64> {
    let (over, under) = over.zip(under)?;
    (under > 0.0).then(|| over / under)
}

fn spreads(ours: &[Sample], peer: &[Sample], metric: Metric) -> Spreads {
    let of = |samples: &[Sample]| {
        samples
            .iter()
            .filter_map(|sample| metric.of(sample))
            .collect::<Vec<_>>()
    };
    let pairs = ours.iter().zip(peer);
    let ratios = pairs.filter_map(|(ours, peer)| quotient(metric.of(ours), metric.of(peer)));
    Spreads {
        ours: Spread::of(&of(ours)),
        peer: Spread::of(&of(peer)),
        ratio: Spread::of(&ratios.collect::<Vec<_>>()),
    }
}

/// Whether all went well, and what has to be said.
fn judge(metrics: &Pair<Sample>, ours: &Turns, peer: &Turns) -> (bool, Option<String>) {
    let mut note = None;
    let mut valid = true;
    for (turns, sample) in [(ours, &metrics.ours), (peer, &metrics.peer)] {
        if let Some(why) = &turns.failed {
            valid = false;
            note = Some(join(
                note,
                &format!("{} could not be measured: {why}", turns.name),
            ));
        }
        if !sample.failures.is_empty() {
            valid = false;
            let failures = sample
                .failures
                .iter()
                .map(|(what, count)| format!("{count} x {what}"));
            let failures = failures.collect::<Vec<_>>().join(", ");
            note = Some(join(
                note,
                &format!("INVALID, {} failed: {failures}", turns.name),
            ));
        }
    }
    (valid, note)
}

fn join(note: Option<String>, more: &str) -> String {
    note.map_or_else(|| more.to_owned(), |note| format!("{note}; {more}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Ask;
    use crate::load::Load;

    fn turns(name: &str, rps: &[f64], cpu: f64, failed: u64) -> Turns {
        let sample = |rps: &f64| Sample {
            requests_per_s: Some(*rps),
            cpu_us: Some(cpu),
            p99_ms: Some(1000.0 / rps),
            busy: Some(1.0),
            failures: (failed > 0)
                .then(|| ("status 503".to_owned(), failed))
                .into_iter()
                .collect(),
            ..Sample::default()
        };
        Turns {
            name: name.to_owned(),
            samples: rps.iter().map(sample).collect(),
            ..Turns::default()
        }
    }

    fn case(id: &str) -> Case<'static> {
        Case::loaded(id, "", Load::of(Ask::get("/")), Vec::new())
    }

    #[test]
    fn a_row_has_medians_ratio_spread_and_goal() {
        let ours = turns("signet", &[300.0, 100.0, 290.0], 10.0, 0);
        let peer = turns(SERVE, &[100.0, 100.0, 110.0], 40.0, 0);
        let rows = rows(&case("hello-p3"), &[ours, peer]);
        let row = &rows[0];
        assert_eq!(
            (row.ours, row.peer, row.ratio),
            (Some(290.0), Some(100.0), Some(2.9))
        );
        assert_eq!(row.spread.ratio, Some(Spread { min: 1.0, max: 3.0 }));
        assert_eq!((row.goal.as_deref(), row.met), (Some(">= 2.5"), Some(true)));
        assert_eq!(row.cpu_ratio, Some(4.0));
    }

    #[test]
    fn latency_is_held_against_serves_in_a_row_of_its_own() {
        let ours = turns("signet", &[100.0], 10.0, 0);
        let peer = turns(SERVE, &[200.0], 10.0, 0);
        let rows = rows(&case("anything"), &[ours, peer]);
        let row = rows.iter().find(|row| row.case == "anything/p99").unwrap();
        assert_eq!((row.ratio, row.met), (Some(2.0), Some(false)));
    }

    #[test]
    fn one_failure_makes_a_row_invalid_and_misses_its_goal() {
        let ours = turns("signet", &[900.0], 10.0, 1);
        let peer = turns(SERVE, &[100.0], 40.0, 0);
        let rows = rows(&case("hello-p3"), &[ours, peer]);
        assert!(!rows[0].valid);
        assert_eq!(rows[0].met, Some(false));
        assert!(
            rows[0]
                .note
                .as_ref()
                .unwrap()
                .contains("INVALID, signet failed: 1 x status 503")
        );
    }

    #[test]
    fn a_peer_that_cannot_run_it_has_a_row_that_says_why() {
        let mut case = case("consumer-verify");
        case.cannot.push((SERVE, "it has no key-value".to_owned()));
        let rows = rows(&case, &[turns("signet", &[900.0], 10.0, 0)]);
        assert_eq!((rows[0].ratio, rows[0].ours), (None, Some(900.0)));
        assert_eq!(rows[0].note.as_deref(), Some("it has no key-value"));
    }
}

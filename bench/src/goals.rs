//! What is to be reached. Comes in: a case, a peer and what was measured; goes out: the goal in words and
//! whether it is met. Pure: the figures stand here, and nowhere else.

use crate::record::Sample;

/// A peer's name.
pub(crate) const SERVE: &str = "wasmtime serve";
/// The same with the flags that help it most.
pub(crate) const SERVE_BEST: &str = "wasmtime serve, best flags";
/// The same work without WebAssembly.
pub(crate) const NATIVE: &str = "native";
/// The same guest on our host, whose receivers close every connection.
pub(crate) const UNPOOLED: &str = "signet, a new connection per request";
/// Native code that makes a connection for each request.
pub(crate) const NATIVE_UNPOOLED: &str = "native, a new connection per request";
/// Another host, which cannot be installed by this harness.
pub(crate) const SPIN: &str = "Spin";
/// The same host when nobody computes beside it.
pub(crate) const ALONE: &str = "signet, nobody beside";
/// The same host when all consumers live.
pub(crate) const ALIVE: &str = "signet, all consumers alive";
/// Nobody: how our own cost grows.
pub(crate) const NOBODY: &str = "none";

/// A figure of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    RequestsPerS,
    P95,
    P99,
    Peak,
    Start,
    Idle,
    Growth,
    Wakeups,
}

impl Metric {
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::RequestsPerS => sample.requests_per_s,
            Self::P95 => sample.p95_ms,
            Self::P99 => sample.p99_ms,
            Self::Peak => sample.rss_peak_mb,
            Self::Start => sample.start_ms,
            Self::Idle => sample.idle_kb,
            Self::Growth => sample.rss_growth,
            Self::Wakeups => sample.wakeups_per_s,
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::RequestsPerS => "requests/s",
            Self::P95 => "ms p95",
            Self::P99 => "ms p99",
            Self::Peak => "MiB peak RSS under load",
            Self::Start => "ms from start to first 200",
            Self::Idle => "KiB RSS per idle connection",
            Self::Growth => "x RSS from the first tenth to the end",
            Self::Wakeups => "wake-ups/s",
        }
    }

    /// What is added to a case's name in the rows of this figure.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::RequestsPerS | Self::Start | Self::Growth | Self::Wakeups => "",
            Self::P95 => "/p95",
            Self::P99 => "/p99",
            Self::Peak => "/memory",
            Self::Idle => "/connection",
        }
    }
}

/// How a figure is held against a goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// Ours over the peer's is at least this.
    Least(f64),
    /// Ours over the peer's is at most this.
    Most(f64),
    /// Ours alone is at least this.
    OursLeast(f64),
    /// Ours alone is at most this.
    OursMost(f64),
}

impl Bound {
    /// Whether it is met; none without a figure to hold it against.
    pub(crate) fn met(self, ours: Option<f64>, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::Least(least) => ratio.map(|ratio| ratio >= least),
            Self::Most(most) => ratio.map(|ratio| ratio <= most),
            Self::OursLeast(least) => ours.map(|ours| ours >= least),
            Self::OursMost(most) => ours.map(|ours| ours <= most),
        }
    }

    /// In words.
    pub(crate) fn words(self, unit: &str) -> String {
        match self {
            Self::Least(least) => format!(">= {least}"),
            Self::Most(most) => format!("<= {most}"),
            Self::OursLeast(least) => format!(">= {least} {unit}"),
            Self::OursMost(most) => format!("<= {most} {unit}"),
        }
    }

    /// The ratio that is to be reached.
    pub(crate) fn ratio(self) -> Option<f64> {
        match self {
            Self::Least(ratio) | Self::Most(ratio) => Some(ratio),
            Self::OursLeast(_) | Self::OursMost(_) => None,
        }
    }
}

/// A goal: of a case, or of every case (`*`).
struct Goal(&'static str, &'static str, Metric, Bound);

const GOALS: &[Goal] = &[
    Goal("beside-loops", ALONE, Metric::P99, Bound::Most(2.0)),
    Goal("hello-p3", SERVE, Metric::RequestsPerS, Bound::Least(2.5)),
    Goal("hello-p3", NATIVE, Metric::RequestsPerS, Bound::Least(0.4)),
    Goal(
        "hello-p3-fresh",
        SERVE,
        Metric::RequestsPerS,
        Bound::Least(5.0),
    ),
    Goal(
        "hello-p2-fresh",
        SERVE,
        Metric::RequestsPerS,
        Bound::Least(4.0),
    ),
    Goal(
        "hello-p2-fresh",
        SERVE_BEST,
        Metric::RequestsPerS,
        Bound::Least(2.0),
    ),
    Goal(
        "hello-p2-serial-reuse",
        SERVE,
        Metric::RequestsPerS,
        Bound::Least(1.5),
    ),
    Goal(
        "fire-100",
        UNPOOLED,
        Metric::RequestsPerS,
        Bound::Least(5.0),
    ),
    Goal(
        "warm-start-builtin",
        NOBODY,
        Metric::Start,
        Bound::OursMost(50.0),
    ),
    Goal(
        "ingest",
        NOBODY,
        Metric::RequestsPerS,
        Bound::OursLeast(2000.0),
    ),
    Goal("ingest-2000", NOBODY, Metric::P99, Bound::OursMost(20.0)),
    Goal(
        "delivered",
        NOBODY,
        Metric::RequestsPerS,
        Bound::OursLeast(1000.0),
    ),
    Goal("delivered", NOBODY, Metric::P95, Bound::OursMost(100.0)),
    Goal("dead-consumer", ALIVE, Metric::P99, Bound::Most(1.1)),
    Goal(
        "million-deliveries",
        NOBODY,
        Metric::Growth,
        Bound::OursMost(1.1),
    ),
    // Held against another host that is not measured here: the table shows our figure and the goal.
    Goal(
        "registrations",
        SPIN,
        Metric::RequestsPerS,
        Bound::Least(3.0),
    ),
    Goal(
        "python-verify-fresh",
        SPIN,
        Metric::RequestsPerS,
        Bound::Least(3.5),
    ),
    Goal(
        "python-verify-reuse",
        SPIN,
        Metric::RequestsPerS,
        Bound::Least(20.0),
    ),
    Goal("*", SERVE, Metric::P99, Bound::Most(1.0)),
    Goal("*", SERVE, Metric::Peak, Bound::Most(1.5)),
];

/// The goal of a figure, if it has one.
pub(crate) fn goal(case: &str, peer: &str, metric: Metric) -> Option<Bound> {
    let mut goals = GOALS.iter();
    let fits = |Goal(of, against, figure, _): &&Goal| {
        (*of == "*" || *of == case) && *against == peer && *figure == metric
    };
    goals.find(fits).map(|Goal(.., bound)| *bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_at_its_figure_and_beyond() {
        let bound = Bound::Least(2.5);
        assert_eq!(bound.met(None, Some(2.5)), Some(true));
        assert_eq!(bound.met(None, Some(2.49)), Some(false));
        assert_eq!(Bound::Most(1.0).met(None, Some(1.01)), Some(false));
        assert_eq!(Bound::OursMost(50.0).met(Some(49.0), None), Some(true));
        assert_eq!(Bound::OursLeast(50.0).met(Some(49.0), None), Some(false));
    }

    #[test]
    fn without_a_peer_no_ratio_is_met_or_missed() {
        assert_eq!(Bound::Least(3.0).met(Some(9e9), None), None);
    }

    #[test]
    fn a_goal_is_found_by_case_peer_and_figure() {
        let found = goal("hello-p3", NATIVE, Metric::RequestsPerS);
        assert_eq!(found, Some(Bound::Least(0.4)));
        assert_eq!(goal("hello-p3", SERVE_BEST, Metric::RequestsPerS), None);
        assert_eq!(goal("anything", SERVE, Metric::P99), Some(Bound::Most(1.0)));
        assert_eq!(goal("anything", NATIVE, Metric::P99), None);
    }
}

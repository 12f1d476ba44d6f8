//! Medians and spreads. Comes in: what was measured in each round; goes out: one figure, and how far the
//! rounds lay apart. Pure.

use serde::{Deserialize, Serialize};

/// The middle of the rounds; of an even number, between the two middle ones. None of no rounds.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The least and the most of the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) min: f64,
    /// The most.
    pub(crate) max: f64,
}

impl Spread {
    /// None of no rounds.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let min = values.iter().copied().min_by(f64::total_cmp)?;
        let max = values.iter().copied().max_by(f64::total_cmp)?;
        Some(Self { min, max })
    }
}

/// Of many durations, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Percentiles {
    /// None of no durations; they are microseconds.
    pub(crate) fn of(mut durations: Vec<u32>) -> Option<Self> {
        durations.sort_unstable();
        let last = durations.len().checked_sub(1)?;
        // The smallest one that so many are at most as long as.
        let at = |share: f64| {
            let rank = (share * durations.len() as f64).ceil() as usize;
            f64::from(durations[rank.saturating_sub(1).min(last)]) / 1e3
        };
        Some(Self {
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn one_round_that_was_disturbed_does_not_move_the_median() {
        assert_eq!(median(&[10.0, 10.0, 0.1, 10.0, 10.0]), Some(10.0));
    }

    #[test]
    fn the_spread_is_the_least_and_the_most() {
        let spread = Spread::of(&[3.0, -1.0, 2.0]);
        let expected = Spread {
            min: -1.0,
            max: 3.0,
        };
        assert_eq!(spread, Some(expected));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_percentile_is_one_of_the_durations() {
        let found = Percentiles::of((1..=1000).rev().map(|ms| ms * 1000).collect()).unwrap();
        assert_eq!((found.p50, found.p95), (500.0, 950.0));
        assert_eq!((found.p99, found.p999), (990.0, 999.0));
        let one = Percentiles::of(vec![7_500]).unwrap();
        assert_eq!((one.p50, one.p999), (7.5, 7.5));
        assert_eq!(Percentiles::of(Vec::new()), None);
    }
}

//! How laws are held against generated cases: as many as a test says, the same ones at each run, so
//! that no run fails by luck. What looks for new cases is in `fuzz/`.

use proptest::test_runner::{Config, RngSeed};

/// This many cases, without a file of those that failed before.
pub(crate) fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    }
}

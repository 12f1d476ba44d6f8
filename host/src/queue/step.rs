//! The boundaries of the queue's steps, where a build for torture can be made to fall: one with the feature
//! `failpoints`. Comes in: the name of a boundary, each time one is passed; goes out: nothing, or the process ends as
//! by a loss of power. A build without the feature has nothing of it, neither code nor names.

/// A boundary is passed.
#[cfg(feature = "failpoints")]
macro_rules! step {
    ($name:literal) => {
        $crate::queue::step::pass($name)
    };
}

/// A boundary is passed: not here.
#[cfg(not(feature = "failpoints"))]
macro_rules! step {
    ($name:literal) => {};
}

/// An answer, and behind it a boundary.
#[cfg(feature = "failpoints")]
macro_rules! then_step {
    ($answer:expr, $name:literal) => {{
        let answer = $answer;
        Box::pin(async move {
            let said = answer.await;
            $crate::queue::step::pass($name);
            said
        })
    }};
}

/// An answer, and no boundary.
#[cfg(not(feature = "failpoints"))]
macro_rules! then_step {
    ($answer:expr, $name:literal) => {
        $answer
    };
}

/// Ends the process if `SIGNET_FAILPOINT` names this boundary and how often it is passed by then: `NAME@TIMES`. What
/// does not read so names none.
#[cfg(feature = "failpoints")]
pub(super) fn pass(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    let wanted = WANTED.get_or_init(|| {
        let wanted = std::env::var("SIGNET_FAILPOINT").ok()?;
        let (name, times) = wanted.split_once('@')?;
        Some((name.to_owned(), times.parse().ok()?))
    });
    if let Some((wanted, times)) = wanted
        && wanted == name
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *times
    {
        std::process::abort();
    }
}

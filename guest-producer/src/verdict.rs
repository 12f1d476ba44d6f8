//! What an attempt means for its delivery. In comes what a consumer answered, or why it did not; out goes a
//! [`Verdict`]. It never calls anyone and does not know what time it is but by what it is told.

use std::time::{Duration, UNIX_EPOCH};

use crate::delivery::Failure;
use crate::problem::Problem;

/// How much of an answer's body is kept in a note, in bytes.
pub const EXCERPT_LIMIT: usize = 1024;

/// How long an attempt may take, from connecting to the end of the answer, in milliseconds, unless the variable
/// `delivery_timeout_ms` says otherwise. The queue's own timeout has to be longer.
const LIMIT_MS: u64 = 15_000;

/// How long a consumer is left alone that says that it is overloaded, but not for how long.
const SLOW: Duration = Duration::from_secs(1);

/// The longest that a consumer can have all its deliveries wait for. One delivery may have to wait for longer: that
/// is the queue's to bound.
const SLOW_LIMIT: Duration = Duration::from_secs(3600);

/// A registration whose deliveries have all failed for so long is disabled, in seconds: five days.
pub const PATIENCE_SECONDS: i64 = 5 * 24 * 3600;

/// How long an attempt may take, by the value of the variable, which may be empty.
///
/// # Errors
/// The value is no number of milliseconds above zero.
pub fn limit(value: &str) -> Result<Duration, Problem> {
    if value.is_empty() {
        return Ok(Duration::from_millis(LIMIT_MS));
    }
    let limit = value.parse().ok().filter(|limit| *limit > 0);
    limit.map(Duration::from_millis).ok_or_else(|| {
        Problem::internal("variable delivery_timeout_ms is not a number of milliseconds above 0")
    })
}

/// The reason of what waited for a registration that is there no more.
pub const REMOVED: &str = "the registration was removed";

/// The reason of what waited for a registration that was disabled.
#[must_use]
pub fn disabled(why: &str) -> String {
    format!("the registration is disabled: {why}")
}

/// The reason of who is disabled because its deliveries failed for too long.
#[must_use]
pub fn given_up(why: &str) -> String {
    format!("all deliveries have failed for five days, the last one with: {why}")
}

/// What a consumer answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The value of `Retry-After`, if it was sent once.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub excerpt: Vec<u8>,
}

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was delivered.
    Delivered(String),
    /// It was not; try again.
    Failed {
        /// What was answered.
        why: String,
        /// Not before.
        after: Option<Duration>,
        /// How long nothing else should be sent there.
        slow: Option<Duration>,
    },
    /// The consumer is gone, and says so.
    Gone(String),
}

/// Judges an attempt that ended at `now`, in seconds since 1970. 2xx is delivered; 410 is gone; all else failed, 3xx
/// too, since a redirect is never followed.
#[must_use]
pub fn judge(outcome: Result<Reply, Failure>, now: i64) -> Verdict {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(failure) => {
            return Verdict::Failed {
                why: failure.to_string(),
                after: None,
                slow: None,
            };
        }
    };
    let why = note(&reply);
    let after = reply
        .retry_after
        .as_deref()
        .and_then(|value| wait(value, now));
    match reply.status {
        200..=299 => Verdict::Delivered(why),
        410 => Verdict::Gone(why),
        status => Verdict::Failed {
            why,
            after,
            slow: matches!(status, 429 | 502 | 504).then(|| after.unwrap_or(SLOW).min(SLOW_LIMIT)),
        },
    }
}

/// Status and beginning of an answer, on one line.
fn note(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.excerpt);
    let visible = |letter: char| {
        if letter.is_control() { ' ' } else { letter }
    };
    let text: String = text.chars().map(visible).collect();
    format!("status {}: {}", reply.status, text.trim())
        .trim_end_matches([':', ' '])
        .to_string()
}

/// How long `Retry-After` asks to wait: seconds, or until a date (RFC 9110, section 10.2.3).
fn wait(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = UNIX_EPOCH + Duration::from_secs(now.try_into().ok()?);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Verdict {
        let reply = Reply {
            status,
            retry_after: retry_after.map(str::to_string),
            excerpt: b"so\r\nit is\xff".to_vec(),
        };
        judge(Ok(reply), 784_111_777)
    }

    fn failed(status: u16, after: Option<u64>, slow: Option<u64>) -> Verdict {
        Verdict::Failed {
            why: format!("status {status}: so  it is\u{fffd}"),
            after: after.map(Duration::from_secs),
            slow: slow.map(Duration::from_secs),
        }
    }

    #[test]
    fn only_2xx_is_delivered_and_only_410_is_gone() {
        for status in 100..600 {
            match answered(status, None) {
                Verdict::Delivered(_) => assert!((200..300).contains(&status)),
                Verdict::Gone(_) => assert_eq!(status, 410),
                Verdict::Failed { after, .. } => assert_eq!(after, None),
            }
        }
    }

    #[test]
    fn an_attempt_takes_fifteen_seconds_unless_it_is_said() {
        assert_eq!(limit(""), Ok(Duration::from_secs(15)));
        assert_eq!(limit("700"), Ok(Duration::from_millis(700)));
        for wrong in ["0", "-1", "1s", " "] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_is_overloaded_is_left_alone() {
        for status in [429, 502, 504] {
            assert_eq!(answered(status, None), failed(status, None, Some(1)));
            let asked = answered(status, Some("7"));
            assert_eq!(asked, failed(status, Some(7), Some(7)));
            let asked = answered(status, Some("86400"));
            assert_eq!(asked, failed(status, Some(86400), Some(3600)));
        }
        assert_eq!(answered(503, Some("7")), failed(503, Some(7), None));
        assert_eq!(answered(302, None), failed(302, None, None));
    }

    #[test]
    fn a_date_is_waited_for_and_one_that_has_passed_is_now() {
        let later = "Sun, 06 Nov 1994 08:49:47 GMT";
        assert_eq!(answered(503, Some(later)), failed(503, Some(10), None));
        let before = "Sun, 06 Nov 1994 08:49:27 GMT";
        assert_eq!(answered(503, Some(before)), failed(503, Some(0), None));
        for nothing in ["", "-1", "soon", "1.5"] {
            assert_eq!(answered(503, Some(nothing)), failed(503, None, None));
        }
    }

    #[test]
    fn who_did_not_answer_failed_and_an_empty_answer_is_its_status() {
        let late = judge(Err(Failure::TimedOut), 0);
        let why = "no answer in time".to_string();
        let (after, slow) = (None, None);
        assert_eq!(late, Verdict::Failed { why, after, slow });
        let reply = Reply {
            status: 204,
            retry_after: None,
            excerpt: Vec::new(),
        };
        assert_eq!(judge(Ok(reply), 0), Verdict::Delivered("status 204".into()));
    }
}

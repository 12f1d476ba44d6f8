//! How calls to consumers end, and what is said of them. In come statuses and failures; out go the
//! answer of `POST /fire` and the problems of a handshake. It never calls anyone.

use serde::Serialize;

use crate::answer::Answer;
use crate::problem::Problem;
use crate::registration::Registration;

/// Why there was no answer from a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The host does not let this component call that address.
    Denied,
    /// No answer in time.
    TimedOut,
    /// Anything else, in words.
    Unreachable(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Denied => out.write_str(
                "the host does not permit this address: add its origin to allowed_outbound_hosts \
                 in the manifest",
            ),
            Self::TimedOut => out.write_str("no answer in time"),
            Self::Unreachable(why) => out.write_str(why),
        }
    }
}

/// A status, or why there was none.
pub type Outcome = Result<u16, Failure>;

/// What became of one delivery.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    id: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    event: &'a str,
    id: &'a str,
    delivered: usize,
    failed: usize,
    results: Vec<Entry<'a>>,
}

/// The answer of `POST /fire`: what became of each delivery, in the order of the registrations. A
/// delivery that was answered with 2xx is delivered; any other failed.
#[must_use]
pub fn report(event: &str, id: &str, outcomes: &[(Registration, Outcome)]) -> Answer {
    let done = |outcome: &Outcome| matches!(outcome, Ok(200..=299));
    let delivered = outcomes.iter().filter(|(_, outcome)| done(outcome)).count();
    let entry = |(registration, outcome)| {
        let (registration, outcome): (&Registration, &Outcome) = (registration, outcome);
        Entry {
            id: &registration.id,
            url: &registration.url,
            status: outcome.as_ref().ok().copied(),
            error: outcome.as_ref().err().map(ToString::to_string),
        }
    };
    let report = Report {
        event,
        id,
        delivered,
        failed: outcomes.len() - delivered,
        results: outcomes
            .iter()
            .map(|(registration, outcome)| entry((registration, outcome)))
            .collect(),
    };
    Answer::json(200, "application/json", &report)
}

/// What a handshake's outcome is to the one who registers: nothing to say, or a problem.
///
/// # Errors
/// The consumer did not answer with 200.
pub fn judge(outcome: Outcome) -> Result<(), Problem> {
    match outcome {
        Ok(200) => Ok(()),
        Ok(status) => {
            let detail =
                format!("the consumer answered the handshake with status {status}, not 200");
            Err(Problem::new(
                502,
                "handshake-refused",
                "the consumer refused the handshake",
                detail,
            )
            .with("consumerStatus", status))
        }
        Err(failure) => {
            let (status, kind, title) = match failure {
                Failure::Denied => (403, "address-not-permitted", "the address is not permitted"),
                Failure::TimedOut => (
                    504,
                    "consumer-timed-out",
                    "the consumer did not answer in time",
                ),
                Failure::Unreachable(_) => (
                    502,
                    "consumer-unreachable",
                    "the consumer could not be reached",
                ),
            };
            Err(Problem::new(status, kind, title, failure.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(id: &str) -> Registration {
        Registration {
            id: id.into(),
            url: format!("http://{id}/"),
            event: "*".into(),
            schedule: Vec::new(),
            headers: Vec::new(),
            disabled: None,
        }
    }

    #[test]
    fn one_failure_is_told_beside_the_successes() {
        let outcomes = [
            (registration("a"), Ok(200)),
            (registration("b"), Err(Failure::TimedOut)),
            (registration("c"), Ok(500)),
        ];
        let answer = report("e", "msg_1", &outcomes);
        let results = concat!(
            r#"[{"id":"a","url":"http://a/","status":200},"#,
            r#"{"id":"b","url":"http://b/","error":"no answer in time"},"#,
            r#"{"id":"c","url":"http://c/","status":500}]"#,
        );
        let head = r#"{"event":"e","id":"msg_1","delivered":1,"failed":2,"results":"#;
        assert_eq!(answer.body, format!("{head}{results}}}"));
    }

    #[test]
    fn only_200_completes_a_handshake() {
        assert!(judge(Ok(200)).is_ok());
        for (outcome, status) in [
            (Ok(201), 502),
            (Ok(302), 502),
            (Ok(401), 502),
            (Err(Failure::Denied), 403),
            (Err(Failure::TimedOut), 504),
            (Err(Failure::Unreachable("connection refused".into())), 502),
        ] {
            assert_eq!(judge(outcome).unwrap_err().status(), status);
        }
    }

    #[test]
    fn a_denied_address_names_the_key_that_permits_it() {
        let problem = serde_json::to_value(judge(Err(Failure::Denied)).unwrap_err()).unwrap();
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("allowed_outbound_hosts")
        );
    }
}

//! Why a request was not done, as RFC 9457 writes it: `application/problem+json`. In come the facts;
//! out goes an [`Answer`]. It never carries a key or a token.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::Answer;

/// The largest request body that is read, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// A problem: its kind, its status, and what is to be said of this occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(flatten)]
    members: Map<String, Value>,
    /// What the answer says in headers.
    #[serde(skip)]
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem of this kind, a word or a few with hyphens.
    #[must_use]
    pub fn new(status: u16, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:signet:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
            members: Map::new(),
            headers: Vec::new(),
        }
    }

    /// The same problem with one more member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_string(), value.into());
        self
    }

    /// The same problem with one more header in its answer.
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What is said of this occurrence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// 401: the request does not present the token of the producer's operator.
    #[must_use]
    pub fn unauthorized() -> Self {
        let detail = "the producer asks for its token: Authorization: Bearer TOKEN";
        Self::new(401, "unauthorized", "unauthorized", detail).header("www-authenticate", "Bearer")
    }

    /// 404: nothing has this path.
    #[must_use]
    pub fn not_found() -> Self {
        let detail = "nothing has this path: GET /openapi.json lists those there are";
        Self::new(404, "not-found", "not found", detail)
    }

    /// 405: the path is known, this method is not.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this path takes {allow}");
        Self::new(405, "method-not-allowed", "method not allowed", detail).header("allow", allow)
    }

    /// 404: there is no active registration with this id.
    #[must_use]
    pub fn no_such_registration() -> Self {
        let detail = "no registration has this id: GET /registrations lists those there are";
        Self::new(404, "no-such-registration", "no such registration", detail)
    }

    /// 404: there is no event with this id.
    #[must_use]
    pub fn no_such_event() -> Self {
        let detail = "no event has this id, or it is past its retention";
        Self::new(404, "no-such-event", "no such event", detail)
    }

    /// 501: this build of the producer, or its host, has no queue.
    #[must_use]
    pub fn no_queue() -> Self {
        let detail = "this build of the producer has no queue: POST /fire sends at once, and the build with the \
                      feature `queue` delivers on a host that has signet:queue";
        Self::new(501, "no-queue", "there is no queue", detail)
    }

    /// 503: the queue takes nothing now. What was asked for was not done, not even in part.
    #[must_use]
    pub fn queue_unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "queue-unavailable", "the queue is unavailable", detail)
            .header("retry-after", "5")
    }

    /// 400: the body is not what this request takes. Every mistake is listed.
    #[must_use]
    pub fn invalid(mistakes: Vec<String>) -> Self {
        let detail = mistakes.join("; ");
        Self::new(400, "invalid-request", "the request is not valid", detail)
            .with("errors", mistakes)
    }

    /// 413: the body is larger than [`BODY_LIMIT`].
    #[must_use]
    pub fn too_large() -> Self {
        let detail = format!("the body is larger than {BODY_LIMIT} bytes: send less");
        Self::new(413, "body-too-large", "the body is too large", detail)
    }

    /// 500: something that the caller cannot change failed.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "the producer failed", detail)
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let answer = Self::json(problem.status, "application/problem+json", &problem);
        let headers = problem.headers.iter();
        headers.fold(answer, |answer, (name, value)| {
            answer.with(name, value.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_answered_as_rfc_9457_writes_it() {
        let answer = Answer::from(Problem::invalid(vec!["url is missing".into()]));
        assert_eq!(answer.status, 400);
        assert!(
            answer
                .headers
                .contains(&("content-type", "application/problem+json".into()))
        );
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["type"], "urn:signet:problem:invalid-request");
        assert_eq!(body["status"], 400);
        assert_eq!(body["detail"], "url is missing");
        assert_eq!(body["errors"][0], "url is missing");
    }

    #[test]
    fn who_finds_the_queue_unavailable_is_told_when_to_come_again() {
        let answer = Answer::from(Problem::queue_unavailable("the disk is full"));
        assert_eq!(answer.status, 503);
        assert!(answer.headers.contains(&("retry-after", "5".into())));
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let answer = Answer::from(Problem::method_not_allowed("POST"));
        assert_eq!(answer.status, 405);
        assert!(answer.headers.contains(&("allow", "POST".into())));
    }
}

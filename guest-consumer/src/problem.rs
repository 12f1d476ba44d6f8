//! Why a request was not done, as RFC 9457 writes it: `application/problem+json`. In come the facts;
//! out goes an [`Answer`]. It never carries a key or a token, nor why a signature failed.

use serde::Serialize;

use crate::answer::Answer;

/// The largest request body that is read, in bytes: an event of 1 MiB, and what its producer adds to it.
pub const BODY_LIMIT: usize = 1024 * 1024 + 4096;

/// A problem: its kind, its status, and what is to be said of this occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
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
            headers: Vec::new(),
        }
    }

    /// The same problem, answered with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
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

    /// 404: nothing has this path.
    #[must_use]
    pub fn not_found() -> Self {
        let detail = "nothing has this path: see /target";
        Self::new(404, "not-found", "not found", detail)
    }

    /// 405: the path is known, this method is not.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("this path takes {allow}");
        let problem = Self::new(405, "method-not-allowed", "method not allowed", detail);
        problem.with_header("allow", allow)
    }

    /// 400: the body is not what this request takes.
    #[must_use]
    pub fn invalid(mistakes: Vec<String>) -> Self {
        let title = "the request is not valid";
        Self::new(400, "invalid-request", title, mistakes.join("; "))
    }

    /// 413: the body is larger than [`BODY_LIMIT`].
    #[must_use]
    pub fn too_large() -> Self {
        let detail = format!("the body is larger than {BODY_LIMIT} bytes: send less");
        Self::new(413, "body-too-large", "the body is too large", detail)
    }

    /// 409: there is nothing to verify with yet.
    #[must_use]
    pub fn no_key() -> Self {
        let detail = "no handshake has brought a signing key: register this consumer first";
        Self::new(409, "no-signing-key", "no signing key", detail)
    }

    /// 409: another request is at the same delivery. It ends in a moment, or with its lease.
    #[must_use]
    pub fn in_progress() -> Self {
        let detail = "another request brought this delivery and is not done: send it again later";
        let title = "the delivery is in progress";
        Self::new(409, "delivery-in-progress", title, detail).with_header("retry-after", "5")
    }

    /// 500: something that the caller cannot change failed.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "the consumer failed", detail)
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        // Texts and numbers always serialize.
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut answer = Self::new(problem.status, "application/problem+json", body);
        answer.headers.extend(problem.headers);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_answered_as_rfc_9457_writes_it() {
        let answer = Answer::from(Problem::method_not_allowed("POST"));
        assert_eq!(answer.status, 405);
        let expected = [
            ("content-type", "application/problem+json".to_string()),
            ("allow", "POST".to_string()),
        ];
        assert_eq!(answer.headers, expected);
        let body = answer.body;
        let start = r#"{"type":"urn:signet:problem:method-not-allowed","title":"method not allowed","status":405"#;
        assert!(body.starts_with(start), "{body}");
    }
}

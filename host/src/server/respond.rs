//! The host's own answers: the only place where a refusal or an error becomes a status. Comes in: why
//! there is no response of a guest; goes out: problem details (RFC 9457). Never says anything of the
//! inside: what happened stands in the log.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;

use crate::runtime::HandleError;

/// Why the host itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No component has this path.
    NoRoute,
    /// The request names no host, or one that cannot be read, or two.
    NoHost,
    /// The request is not encrypted, on a listener that speaks TLS.
    NotEncrypted,
    /// The request's target is not a path on this host.
    BadTarget,
    /// The request's target is longer than allowed.
    TargetTooLong,
    /// The request's head is larger than allowed.
    HeadTooLarge,
    /// The request's body is larger than allowed.
    TooLarge,
    /// The client stopped sending the request's body.
    Silent,
    /// The component failed.
    Failed,
    /// The component took too long.
    Deadline,
    /// No instance is free, or as many requests are under way as may be.
    Full,
}

impl From<&HandleError> for Refusal {
    fn from(error: &HandleError) -> Self {
        match error {
            HandleError::Failed(_) => Self::Failed,
            HandleError::Deadline(_) => Self::Deadline,
            HandleError::Full(_) => Self::Full,
        }
    }
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoHost | Self::NotEncrypted | Self::BadTarget => StatusCode::BAD_REQUEST,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Silent => StatusCode::REQUEST_TIMEOUT,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Deadline => StatusCode::GATEWAY_TIMEOUT,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether the connection ends with this answer, because the rest of the request is not read.
    pub fn is_last(self) -> bool {
        matches!(self, Self::TooLarge | Self::Silent | Self::HeadTooLarge)
    }

    fn detail(self) -> &'static str {
        match self {
            Self::NoRoute => "no component serves this path",
            Self::NoHost => "the request names no valid host, or more than one",
            Self::NotEncrypted => "this address speaks https: the request came without",
            Self::BadTarget => "the request's target is not a path on this host",
            Self::TargetTooLong => "the request's target is too long",
            Self::HeadTooLarge => "the request's head is too large",
            Self::TooLarge => "the request's body is too large",
            Self::Silent => "the request's body did not arrive in time",
            Self::Failed => "the component failed while it handled this request",
            Self::Deadline => "the component did not answer in time",
            Self::Full => "the host is at its limit: try again shortly",
        }
    }
}

/// The response for a refusal.
pub fn refuse(refusal: &Refusal) -> Response<WasiBody> {
    let status = refusal.status();
    let body = Full::new(Bytes::from(problem(refusal)))
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if *refusal == Refusal::Full {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What a client is told whose connection is not served, whichever protocol it speaks.
pub fn last_words(why: Refusal) -> String {
    let (status, problem) = (why.status(), problem(&why));
    let retry = match why {
        Refusal::Full => "retry-after: 1\r\n",
        _ => "",
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         {retry}connection: close\r\n\r\n{problem}",
        problem.len()
    )
}

fn problem(refusal: &Refusal) -> String {
    let status = refusal.status();
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": refusal.detail(),
    });
    problem.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status() {
        for (refusal, status) in [
            (Refusal::NoRoute, 404),
            (Refusal::NoHost, 400),
            (Refusal::NotEncrypted, 400),
            (Refusal::BadTarget, 400),
            (Refusal::Silent, 408),
            (Refusal::TooLarge, 413),
            (Refusal::TargetTooLong, 414),
            (Refusal::HeadTooLarge, 431),
            (Refusal::Failed, 500),
            (Refusal::Deadline, 504),
            (Refusal::Full, 503),
        ] {
            let response = refuse(&refusal);
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503);
        }
    }
}

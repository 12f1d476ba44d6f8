//! A consumer of signed events that keeps how long each of them was under way. Comes in: handshakes and deliveries;
//! goes out: 200 for what has a valid signature, and what was taken. It trusts the clock of its own machine alone,
//! which is that of the one who posts.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Mutex;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use super::{status, verify};
use crate::post::{Sent, since_1970};
use crate::stats::Percentiles;

/// Where a receiver says how many it has taken (GET), and how long they were under way, which it forgets then (POST).
pub(crate) const TAKEN: &str = "/taken";

/// What begins so is never answered.
pub(crate) const SILENT: &str = "/silent";

/// The keys that were brought, and what was taken.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    keys: Mutex<HashMap<String, String>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How long each delivery was under way, in microseconds.
    took: Vec<u32>,
    refused: u64,
}

/// What was taken.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Deliveries that were answered 200.
    pub(crate) count: u64,
    /// Those that had no valid signature.
    pub(crate) refused: u64,
    /// From the time at which the event was to be posted until its signature was verified.
    pub(crate) ms: Option<Percentiles>,
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "keyData")]
    key: String,
}

#[derive(Deserialize)]
struct Payload {
    data: Sent,
}

impl Receiver {
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let Ok(body) = body.collect().await else {
            return status(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        match (&head.method, head.uri.query()) {
            (&Method::POST, _) if path == TAKEN => json(&self.taken()),
            (&Method::GET, _) if path == TAKEN => json(&self.so_far()),
            (&Method::POST, Some("handshake=true")) => status(self.shaken(path, &body)),
            (&Method::POST, _) if path.starts_with(SILENT) => never().await,
            (&Method::POST, _) => status(self.deliver(path, &head.headers, &body)),
            // Whoever asks whether it is there.
            _ => status(StatusCode::OK),
        }
    }

    fn shaken(&self, path: &str, body: &[u8]) -> StatusCode {
        let Ok(Handshake { key }) = serde_json::from_slice(body) else {
            return StatusCode::BAD_REQUEST;
        };
        held(&self.keys).insert(path.to_owned(), key);
        StatusCode::OK
    }

    fn deliver(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let is_signed = {
            let keys = held(&self.keys);
            keys.get(path)
                .is_some_and(|key| is_signed(headers, key.as_bytes(), body))
        };
        if !is_signed {
            held(&self.state).refused += 1;
            return StatusCode::UNAUTHORIZED;
        }
        let Ok(Payload { data }) = serde_json::from_slice(body) else {
            return StatusCode::BAD_REQUEST;
        };
        let took = since_1970().saturating_sub(data.due_at_us);
        let took = u32::try_from(took).unwrap_or(u32::MAX);
        held(&self.state).took.push(took);
        StatusCode::OK
    }

    fn so_far(&self) -> Taken {
        let state = held(&self.state);
        Taken {
            count: state.took.len() as u64,
            refused: state.refused,
            ms: None,
        }
    }

    fn taken(&self) -> Taken {
        let state = std::mem::take(&mut *held(&self.state));
        Taken {
            count: state.took.len() as u64,
            refused: state.refused,
            ms: Percentiles::of(state.took),
        }
    }
}

fn json(taken: &Taken) -> Response<Full<Bytes>> {
    // Numbers always serialize.
    let text = serde_json::to_vec(taken).unwrap_or_default();
    Response::new(Full::new(Bytes::from(text)))
}

async fn never() -> Response<Full<Bytes>> {
    std::future::pending::<Infallible>().await;
    status(StatusCode::OK)
}

/// Whether `webhook-signature` is that of Standard Webhooks 1.0, v1, for this body.
fn is_signed(headers: &HeaderMap, key: &[u8], body: &[u8]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(list)) = (
        text("webhook-id"),
        text("webhook-timestamp"),
        text("webhook-signature"),
    ) else {
        return false;
    };
    let content = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    list.split(' ').any(|signature| {
        let bytes = signature.strip_prefix("v1,").map(Base64::decode_vec);
        bytes.is_some_and(|bytes| bytes.is_ok_and(|tag| verify::holds(&tag, key, &content)))
    })
}

/// A panic on another thread leaves nothing half-done in here.
fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of Standard Webhooks.
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(signature: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ] {
            headers.insert(name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_published_example_is_signed() {
        let key = Base64::decode_vec(KEY).unwrap();
        assert!(is_signed(&headers(SIGNATURE), &key, BODY.as_bytes()));
    }

    #[test]
    fn another_body_or_key_or_no_signature_is_not() {
        let key = Base64::decode_vec(KEY).unwrap();
        assert!(!is_signed(&headers(SIGNATURE), &key, b"{}"));
        assert!(!is_signed(&headers(SIGNATURE), b"key", BODY.as_bytes()));
        assert!(!is_signed(&headers("v1,"), &key, BODY.as_bytes()));
        assert!(!is_signed(&HeaderMap::new(), &key, BODY.as_bytes()));
    }

    #[test]
    fn how_long_it_took_is_told_once() {
        let receiver = Receiver::default();
        held(&receiver.state).took.extend([1_000, 3_000]);
        assert_eq!(receiver.so_far().count, 2);
        let taken = receiver.taken();
        assert_eq!((taken.count, taken.ms.unwrap().p99), (2, 3.0));
        assert_eq!(receiver.taken().count, 0);
    }
}

//! What the component asks its host for beside storage: variables, the time, and verdicts of `hmac`. In come names
//! and bytes; out go values. It never logs one.

use super::bindings::fermyon::hmac::verify;
use super::bindings::signet::webhooks::standard::{self, Headers, Key};
use super::bindings::signet::webhooks::types::{Clock, KeyFault, SignError};
use super::bindings::spin::variables::variables::{self, Error};
use crate::hmac::{Hmac, Standard, TOLERANCE};
use crate::keys::Form;
use crate::problem::Problem;
use wasip3::clocks::system_clock;

/// The linked component.
pub(super) struct Linked;

impl Hmac for Linked {
    fn is_tag(&self, data: &[u8], key: &[u8], tag: &[u8]) -> bool {
        verify::verify(data, key, tag)
    }

    fn verify(
        &self,
        headers: Standard<'_>,
        body: &[u8],
        keys: &[Form<'_>],
        now: u64,
    ) -> Result<usize, String> {
        let headers = Headers {
            id: headers.id.map(str::to_string),
            timestamp: headers.timestamp.map(str::to_string),
            signature: headers.signature.map(str::to_string),
        };
        let keys: Vec<Key> = keys.iter().copied().map(key).collect();
        let clock = Clock {
            now,
            tolerance: TOLERANCE,
        };
        match standard::verify(&headers, body, &keys, clock) {
            Ok(verified) => Ok(verified.key as usize),
            Err(refusal) => Err(standard::explain(refusal)),
        }
    }

    fn fault(&self, form: Form<'_>) -> Option<String> {
        match standard::sign("id", 0, &[], &[key(form)]) {
            Err(SignError::BadKey(error)) if error.fault == KeyFault::CannotSign => None,
            other => other.err().map(standard::explain_sign_error),
        }
    }
}

fn key(form: Form<'_>) -> Key {
    match form {
        Form::Text(text) => Key::Text(text.to_string()),
        Form::Secret(bytes) => Key::Secret(bytes.to_vec()),
    }
}

/// A variable's value; the empty text if the manifest gives none.
pub(super) async fn variable(name: &str) -> Result<String, Problem> {
    match variables::get(name.to_string()).await {
        Ok(value) => Ok(value),
        Err(Error::Undefined(_)) => Ok(String::new()),
        Err(Error::InvalidName(why) | Error::Provider(why) | Error::Other(why)) => Err(
            Problem::internal(format!("variable {name} has no value: {why}")),
        ),
    }
}

/// The seconds since 1970.
pub(super) fn now() -> i64 {
    system_clock::now().seconds
}

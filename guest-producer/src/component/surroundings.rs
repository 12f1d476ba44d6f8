//! What the component asks its host for beside storage and calls: variables, the time, randomness,
//! and signatures from `hmac`. In come names and lengths; out go values. It never logs one.

use super::bindings::fermyon::hmac::sign;
use super::bindings::signet::webhooks::standard::{self, Key};
use super::bindings::spin::variables::variables::{self, Error};
use crate::keys::Keys;
use crate::problem::Problem;
use crate::seal::Ring;
use crate::trace::Trace;
use http::HeaderMap;
use wasip3::clocks::system_clock;
use wasip3::random::random;

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

/// The secrets that signing keys are sealed with.
pub(super) async fn ring() -> Result<Ring, Problem> {
    let secrets = variable("encryption_keys").await?;
    Ring::parse(&secrets).map_err(Problem::internal)
}

/// The seconds since 1970.
pub(super) fn now() -> i64 {
    system_clock::now().seconds
}

/// Up to `length` random bytes, at least one.
pub(super) fn random_bytes(length: usize) -> Vec<u8> {
    random::get_random_bytes(length as u64)
}

/// The trace that a request with these headers belongs to, or a new one.
pub(super) fn trace(headers: &HeaderMap) -> Trace {
    Trace::of(headers).unwrap_or_else(|| Trace::begun(random_bytes))
}

/// The tag of `data` under `key`, in hexadecimal digits.
pub(super) fn tag(data: &[u8], key: &str) -> Result<String, Problem> {
    let tag = sign::sign(data, key.as_bytes())
        .map_err(|why| Problem::internal(format!("signing failed: {why}")))?;
    String::from_utf8(tag).map_err(|_| Problem::internal("signing failed: the tag is not text"))
}

/// The value of `webhook-signature`.
pub(super) fn signature(
    id: &str,
    timestamp: u64,
    body: &[u8],
    keys: &Keys,
) -> Result<String, Problem> {
    let secret = |key: &str| Key::Secret(key.as_bytes().to_vec());
    let keys: Vec<Key> = keys.all().map(secret).collect();
    standard::sign(id, timestamp, body, &keys).map_err(|why| {
        let why = standard::explain_sign_error(why);
        Problem::internal(format!("signing failed: {why}"))
    })
}

//! One signed payload to one consumer. In come a [`Parcel`] and the trace that it is part of; out goes what the consumer
//! answered. It signs anew each time it is called, with the time of that, as a part of the trace of its own, and never
//! logs a key.

use std::rc::Rc;
use std::time::Duration;

use super::outbound::{self, Call};
use super::surroundings::{now, random_bytes, signature, tag};
use crate::custom::Custom;
use crate::delivery::Failure;
use crate::headers::Signed;
use crate::keys::Keys;
use crate::problem::Problem;
use crate::target::Target;
use crate::trace::Trace;
use crate::verdict::Reply;

/// What is sent, and to whom.
pub(super) struct Parcel<'a> {
    /// `webhook-id`.
    pub(super) id: &'a str,
    pub(super) url: &'a str,
    pub(super) keys: &'a Keys,
    pub(super) headers: &'a Custom,
    pub(super) payload: Rc<[u8]>,
}

/// Signs the payload and sends it.
pub(super) async fn signed(
    parcel: Parcel<'_>,
    trace: &Trace,
    limit: Duration,
) -> Result<Reply, Failure> {
    let Parcel {
        id,
        url,
        keys,
        headers: custom,
        payload,
    } = parcel;
    let unreachable = |why: &str| Failure::Unreachable(why.to_string());
    let target = Target::parse(url).map_err(unreachable)?;
    let signed = sign(id, keys, &payload).map_err(|problem| unreachable(problem.detail()))?;
    let mut headers: Vec<(&str, String)> = signed.pairs();
    headers.extend(custom.pairs());
    headers.extend(trace.part(random_bytes).pairs());
    let call = Call {
        target: &target,
        path: target.path(),
        headers,
        body: payload,
        limit,
    };
    outbound::post(call).await
}

fn sign(id: &str, keys: &Keys, payload: &[u8]) -> Result<Signed, Problem> {
    let timestamp = u64::try_from(now()).unwrap_or(0);
    Ok(Signed {
        tag: tag(payload, &keys.current)?,
        id: id.to_string(),
        timestamp,
        signature: signature(id, timestamp, payload, keys)?,
    })
}

//! One signed payload to one consumer. In come an id, a URL, keys and a payload; out goes what the consumer
//! answered. It signs anew each time it is called, with the time of that, and never logs a key.

use std::rc::Rc;
use std::time::Duration;

use super::outbound::{self, Call};
use super::surroundings::{now, signature, tag};
use crate::delivery::Failure;
use crate::headers::Signed;
use crate::keys::Keys;
use crate::problem::Problem;
use crate::target::Target;
use crate::verdict::Reply;

/// Signs the payload and sends it.
pub(super) async fn signed(
    id: &str,
    url: &str,
    keys: &Keys,
    payload: Rc<[u8]>,
    limit: Duration,
) -> Result<Reply, Failure> {
    let unreachable = |why: &str| Failure::Unreachable(why.to_string());
    let target = Target::parse(url).map_err(unreachable)?;
    let signed = sign(id, keys, &payload).map_err(|problem| unreachable(problem.detail()))?;
    let call = Call {
        target: &target,
        path: target.path(),
        headers: signed.pairs(),
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

//! `hmac` without WebAssembly, for the tests: the same code that the component is made of.

use guest_hmac::refusal::{KeyFault, SignError};
use guest_hmac::standard::key::Given;
use guest_hmac::timestamp::Clock;
use guest_hmac::{mac, standard};

use crate::hmac::{Hmac, Standard, TOLERANCE};
use crate::keys::Form;

/// The real thing.
pub(crate) struct Native;

impl Hmac for Native {
    fn is_tag(&self, data: &[u8], key: &[u8], tag: &[u8]) -> bool {
        mac::verify(data, key, tag)
    }

    fn verify(
        &self,
        headers: Standard<'_>,
        body: &[u8],
        keys: &[Form<'_>],
        now: u64,
    ) -> Result<usize, String> {
        let headers = standard::Headers {
            id: headers.id,
            timestamp: headers.timestamp,
            signature: headers.signature,
        };
        let keys: Vec<_> = keys.iter().copied().map(given).collect();
        let clock = Clock {
            now,
            tolerance: TOLERANCE,
        };
        let verified = standard::verify(headers, body, &keys, clock);
        let verified = verified.map_err(|refusal| refusal.explain())?;
        Ok(verified.key as usize)
    }

    fn fault(&self, key: Form<'_>) -> Option<String> {
        match standard::sign("id", 0, b"", &[given(key)]) {
            Err(SignError::BadKey(error)) if error.fault == KeyFault::CannotSign => None,
            other => other.err().map(SignError::explain),
        }
    }
}

fn given(form: Form<'_>) -> Given<'_> {
    match form {
        Form::Text(text) => Given::Text(text),
        Form::Secret(bytes) => Given::Secret(bytes),
    }
}

//! `hmac` as this SDK's bindings know it. In come bytes and keys; out go verdicts, and reasons for the log.

use guest_consumer::hmac::{Hmac, Standard, TOLERANCE};
use guest_consumer::keys::Form;

use tags::fermyon::hmac::verify;
use webhooks::signet::webhooks::standard::{self, Headers, Key};
use webhooks::signet::webhooks::types::{Clock, KeyFault, SignError};

/// The imports, from the interfaces themselves. The two worlds have two names: this SDK's bindings describe each in a
/// section of its name, and what has one name is put into one section that nobody can read.
mod tags {
    wit_bindgen::generate!({
        inline: "
            package example:consumer-tags;
            world tag-verifier {
                import fermyon:hmac/verify@0.1.0;
            }
        ",
        path: "../../wit/deps/fermyon-hmac",
    });
}

mod webhooks {
    wit_bindgen::generate!({
        inline: "
            package example:consumer-webhooks;
            world webhook-verifier {
                import signet:webhooks/standard@0.1.0;
            }
        ",
        path: "../../wit/deps/signet-webhooks",
    });
}

/// The linked component.
pub(crate) struct Linked;

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

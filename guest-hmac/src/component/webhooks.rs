//! The face of `signet:webhooks`: each function is one call of [`crate::standard`] or [`crate::sender`]. It never
//! decides anything.

use alloc::string::String;
use alloc::vec::Vec;

use super::Hmac;
use super::bindings::exports::signet::webhooks::senders::{self, Sender};
use super::bindings::exports::signet::webhooks::standard::{self, Key, Verified};
use super::bindings::exports::signet::webhooks::types::{Clock, KeyFault, Refusal, SignError};
use crate::standard::key::Given;
use crate::{refusal, sender, standard as rules};

impl standard::Guest for Hmac {
    fn sign(
        id: String,
        timestamp: u64,
        body: Vec<u8>,
        keys: Vec<Key>,
    ) -> Result<String, SignError> {
        Ok(rules::sign(&id, timestamp, &body, &given(&keys))?)
    }

    fn verify(
        headers: standard::Headers,
        body: Vec<u8>,
        keys: Vec<Key>,
        clock: Clock,
    ) -> Result<Verified, Refusal> {
        let headers = rules::Headers {
            id: headers.id.as_deref(),
            timestamp: headers.timestamp.as_deref(),
            signature: headers.signature.as_deref(),
        };
        let verified = rules::verify(headers, &body, &given(&keys), clock.into())?;
        Ok(verified.into())
    }

    fn make_secret(random: Vec<u8>) -> Result<String, KeyFault> {
        Ok(rules::make_secret(&random)?)
    }

    fn make_signing_key(random: Vec<u8>) -> Result<String, KeyFault> {
        Ok(rules::make_signing_key(&random)?)
    }

    fn public_key(key: Key) -> Result<String, KeyFault> {
        Ok(rules::public_key(Given::from(&key))?)
    }

    fn explain(reason: Refusal) -> String {
        refusal::Refusal::from(reason).explain()
    }

    fn explain_sign_error(reason: SignError) -> String {
        refusal::SignError::from(reason).explain()
    }
}

impl senders::Guest for Hmac {
    fn verify(
        sender: Sender,
        headers: senders::Headers,
        body: Vec<u8>,
        keys: Vec<Vec<u8>>,
        clock: Clock,
    ) -> Result<u32, Refusal> {
        let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
        let headers = sender::Headers {
            signature: headers.signature.as_deref(),
            timestamp: headers.timestamp.as_deref(),
        };
        Ok(sender::verify(
            sender.into(),
            headers,
            &body,
            &keys,
            clock.into(),
        )?)
    }

    fn sign(
        sender: Sender,
        timestamp: Option<u64>,
        body: Vec<u8>,
        key: Vec<u8>,
    ) -> Result<String, SignError> {
        Ok(sender::sign(sender.into(), timestamp, &body, &key)?)
    }
}

fn given(keys: &[Key]) -> Vec<Given<'_>> {
    keys.iter().map(Given::from).collect()
}

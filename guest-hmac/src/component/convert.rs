//! The types of `signet:webhooks` and those of the rooms that decide, case by case, in the directions that are
//! needed. It never decides anything.

use super::bindings::exports::signet::webhooks::senders::Sender;
use super::bindings::exports::signet::webhooks::standard::{Key, Verified, Version};
use super::bindings::exports::signet::webhooks::types as wit;
use crate::standard::key::Given;
use crate::timestamp::Clock;
use crate::{refusal, sender, standard};

impl<'a> From<&'a Key> for Given<'a> {
    fn from(key: &'a Key) -> Self {
        match key {
            Key::Text(text) => Self::Text(text),
            Key::Secret(bytes) => Self::Secret(bytes),
            Key::Signing(bytes) => Self::Signing(bytes),
            Key::Public(bytes) => Self::Public(bytes),
        }
    }
}

impl From<wit::Clock> for Clock {
    fn from(clock: wit::Clock) -> Self {
        let wit::Clock { now, tolerance } = clock;
        Self { now, tolerance }
    }
}

impl From<standard::Verified> for Verified {
    fn from(verified: standard::Verified) -> Self {
        let version = match verified.version {
            standard::Version::V1 => Version::V1,
            standard::Version::V1a => Version::V1a,
        };
        let standard::Verified { key, entry, .. } = verified;
        Self {
            version,
            key,
            entry,
        }
    }
}

impl From<Sender> for sender::Sender {
    fn from(sender: Sender) -> Self {
        match sender {
            Sender::Github => Self::Github,
            Sender::Shopify => Self::Shopify,
            Sender::Slack => Self::Slack,
            Sender::Stripe => Self::Stripe,
        }
    }
}

/// An enum or a variant, in both directions.
macro_rules! cases {
    ($there_in:ident::$there:ident = $here_in:ident::$here:ident { $($case:ident $(($field:ident))?),* $(,)? }) => {
        impl From<$here_in::$here> for $there_in::$there {
            fn from(value: $here_in::$here) -> Self {
                match value {
                    $($here_in::$here::$case $(($field))? => Self::$case $(($field.into()))?),*
                }
            }
        }

        impl From<$there_in::$there> for $here_in::$here {
            fn from(value: $there_in::$there) -> Self {
                match value {
                    $($there_in::$there::$case $(($field))? => Self::$case $(($field.into()))?),*
                }
            }
        }
    };
}

cases!(
    wit::Header = refusal::Header {
        Id,
        Timestamp,
        Signature
    }
);

cases!(
    wit::KeyFault = refusal::KeyFault {
        NoneGiven,
        Empty,
        NotBase64,
        TooShort,
        TooLong,
        WrongLength,
        HalvesDiffer,
        NotAPublicKey,
        CannotSign,
    }
);

cases!(wit::SignError = refusal::SignError {
    BadKey(error),
    BadId,
    BadTimestamp,
});

cases!(wit::Refusal = refusal::Refusal {
    BadKey(error),
    MissingHeader(header),
    BadId,
    BadTimestamp,
    TooOld(by),
    TooNew(by),
    NoSignature,
    TooManyEntries,
    MalformedEntry(at),
    UnknownVersions,
    NoKeyForVersion,
    NoMatch,
});

impl From<refusal::KeyError> for wit::KeyError {
    fn from(error: refusal::KeyError) -> Self {
        let (index, fault) = (error.index, error.fault.into());
        Self { index, fault }
    }
}

impl From<wit::KeyError> for refusal::KeyError {
    fn from(error: wit::KeyError) -> Self {
        let (index, fault) = (error.index, error.fault.into());
        Self { index, fault }
    }
}

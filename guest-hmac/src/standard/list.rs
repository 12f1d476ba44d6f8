//! The list in `webhook-signature`: text in, entries out, and why none of them fits. It never looks at more
//! entries than it has to: each costs whoever verifies more than whoever sends.

use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};

use super::key::Key;
use crate::refusal::Refusal;

/// The most entries of a list: two versions, and eight keys of each.
const MAX_ENTRIES: usize = 16;

/// One signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    V1([u8; 32]),
    V1a([u8; 64]),
    Unknown,
    Malformed,
}

/// The entries of a list, which spaces separate.
pub(super) fn read(list: &str) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    for text in list.split(' ').filter(|text| !text.is_empty()) {
        if entries.len() == MAX_ENTRIES {
            return Err(Refusal::TooManyEntries);
        }
        entries.push(entry(text));
    }
    if entries.is_empty() {
        return Err(Refusal::NoSignature);
    }
    Ok(entries)
}

fn entry(text: &str) -> Entry {
    match text.split_once(',') {
        Some(("v1", signature)) => decode(signature).map_or(Entry::Malformed, Entry::V1),
        Some(("v1a", signature)) => decode(signature).map_or(Entry::Malformed, Entry::V1a),
        None | Some(("", _)) => Entry::Malformed,
        Some(_) => Entry::Unknown,
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = Base64::decode(text, &mut bytes).ok()?.len();
    (decoded == N).then_some(bytes)
}

/// The reason, when no entry fits any key: what could be compared counts more than what could not.
pub(super) fn why_none_fits(entries: &[Entry], keys: &[Key]) -> Refusal {
    let compared = |entry: &Entry| {
        keys.iter().any(|key| match key {
            Key::Secret(_) => matches!(entry, Entry::V1(_)),
            Key::Signing(_) | Key::Public(_) => matches!(entry, Entry::V1a(_)),
        })
    };
    if entries.iter().any(compared) {
        return Refusal::NoMatch;
    }
    if let Some(at) = entries.iter().position(|entry| *entry == Entry::Malformed) {
        return Refusal::MalformedEntry(super::place(at));
    }
    if entries.iter().all(|entry| *entry == Entry::Unknown) {
        return Refusal::UnknownVersions;
    }
    Refusal::NoKeyForVersion
}

//! What is signed: `ID.TIMESTAMP.BODY`. Comes in: the three; goes out: their bytes in this order. It never lets a
//! full stop into an id, because two webhooks would then be the same bytes.

use alloc::vec::Vec;

/// The most bytes of an id.
const MAX_ID: usize = 256;

/// A webhook, as far as it is signed.
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    /// What is signed, in parts.
    pub(super) fn parts(&self) -> [&[u8]; 5] {
        [
            self.id.as_bytes(),
            b".",
            self.timestamp.as_bytes(),
            b".",
            self.body,
        ]
    }

    /// What is signed, in one piece.
    pub(super) fn content(&self) -> Vec<u8> {
        self.parts().concat()
    }
}

/// Whether `id` is visible ASCII without a full stop, and of a length that a header can have.
pub(super) fn is_id(id: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(sound)
}

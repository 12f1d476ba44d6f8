//! The keys that a registration's deliveries are signed with. In come the two that a row may have and the time; out go
//! those that sign now. It never logs one.

/// How long a key that was replaced signs beside the new one, in seconds: a day, so that a consumer has time to take
/// over the new one.
pub const OVERLAP_SECONDS: i64 = 24 * 3600;

/// The current key and, for a while, the one before.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The one that also makes the tag of `X-Signature`, which can carry one alone.
    pub current: String,
    /// The one that was replaced, while it still signs.
    pub previous: Option<String>,
}

impl Keys {
    /// The keys of a row at `now`, in seconds since 1970.
    #[must_use]
    pub fn at(now: i64, current: String, previous: Option<(String, i64)>) -> Self {
        let signs = |(key, until): (String, i64)| (now < until).then_some(key);
        Self {
            current,
            previous: previous.and_then(signs),
        }
    }

    /// All of them, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_replaced_signs_until_its_time() {
        let at = |now| {
            let keys = Keys::at(now, "new".into(), Some(("old".into(), 1000)));
            keys.all().map(str::to_string).collect::<Vec<_>>()
        };
        assert_eq!(at(999), ["new", "old"]);
        assert_eq!(at(1000), ["new"]);
        let keys = Keys::at(0, "new".into(), None);
        assert_eq!(keys.all().collect::<Vec<_>>(), ["new"]);
    }
}

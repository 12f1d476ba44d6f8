//! A bound that a manifest can set: its key, and where its value goes. Comes in: a table and the bounds it
//! may set; goes out: what was set, to be put over the defaults of the room that keeps the bound. Never
//! knows a default itself.

use std::fmt;
use std::time::Duration;

use super::reader::Table;

/// One bound of a room's `T`.
pub struct Bound<T: 'static> {
    /// Its key in the table; the unit is the key's ending.
    pub key: &'static str,
    pub(super) set: fn(&mut T, u64),
    get: fn(&T) -> Option<u64>,
}

impl<T> Bound<T> {
    pub(super) const fn new(
        key: &'static str,
        set: fn(&mut T, u64),
        get: fn(&T) -> Option<u64>,
    ) -> Self {
        Self { key, set, get }
    }

    /// The value in `bounds`, in the unit of the key; none if there is no bound.
    pub fn value(&self, bounds: &T) -> Option<u64> {
        (self.get)(bounds)
    }
}

/// What a table sets.
pub struct Set<T: 'static>(Vec<(&'static Bound<T>, u64)>);

impl<T> Set<T> {
    /// What the table sets of these bounds; other keys in it are mistakes.
    pub(super) fn read(table: &Table<'_>, bounds: &'static [Bound<T>], others: &[&str]) -> Self {
        let keys: Vec<&str> = bounds.iter().map(|bound| bound.key).collect();
        table.only(&[&keys[..], others].concat());
        let set = bounds
            .iter()
            .filter_map(|bound| Some((bound, table.number(bound.key)?)));
        Self(set.collect())
    }

    /// `bounds` with what is set in the place of what is there.
    pub fn over(&self, mut bounds: T) -> T {
        for (bound, value) in &self.0 {
            (bound.set)(&mut bounds, *value);
        }
        bounds
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(bound, value)| (bound.key, *value))
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Clone for Set<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}

impl<T> Eq for Set<T> {}

impl<T> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values()).finish()
    }
}

/// A number as a count. What no machine can count to is no bound.
pub(super) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A count as a number.
pub(super) fn number(count: usize) -> Option<u64> {
    u64::try_from(count).ok()
}

/// Whole milliseconds of a duration.
pub(super) fn milliseconds(duration: Duration) -> Option<u64> {
    u64::try_from(duration.as_millis()).ok()
}

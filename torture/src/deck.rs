//! What is done to the host, and in which order. Comes in: a seed and what this machine can do; goes out: one fault for
//! each cycle. Each deck has every fault at least once, so fifty cycles meet them all. Never does anything itself.

/// The boundaries of the queue's steps at which a build for torture falls, as `host/src/queue` has them.
pub(crate) const POINTS: [&str; 13] = [
    "enqueue-begun",
    "enqueue-written",
    "enqueue-committed",
    "claim-written",
    "claim-committed",
    "attempt-begun",
    "attempt-ended",
    "settle-written",
    "settle-committed",
    "release-written",
    "release-committed",
    "recover-written",
    "prune-written",
];

/// What is done in one cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Consumers misbehave, and nothing else.
    Consumers,
    /// The host is killed at a random moment.
    Kill,
    /// Twice, the second time while it takes over what the first left.
    KillTwice,
    /// The host is told to stop, and has too little time to finish.
    Stop,
    /// The host falls at a boundary of the queue's steps.
    Point(&'static str),
    /// The disk is full for a while.
    DiskFull,
    /// The host is killed while the disk is full.
    DiskFullKill,
    /// The host starts with its clock set ahead.
    ClockAhead,
    /// The host starts with its clock set back, and then as before.
    ClockBack,
    /// The state folder is read-only when the host starts.
    ReadOnlyFolder,
    /// The queue's file is read-only when the host starts.
    ReadOnlyFile,
    /// Bytes of the compiled components are changed.
    Cache,
}

impl Fault {
    /// How the report names it.
    pub(crate) fn name(self) -> String {
        let name = match self {
            Self::Consumers => "consumers",
            Self::Kill => "kill",
            Self::KillTwice => "kill-twice",
            Self::Stop => "stop",
            Self::Point(point) => return format!("at-{point}"),
            Self::DiskFull => "disk-full",
            Self::DiskFullKill => "disk-full-kill",
            Self::ClockAhead => "clock-ahead",
            Self::ClockBack => "clock-back",
            Self::ReadOnlyFolder => "read-only-folder",
            Self::ReadOnlyFile => "read-only-file",
            Self::Cache => "cache",
        };
        name.to_owned()
    }

    /// Whether it needs a disk of its own.
    pub(crate) fn needs_disk(self) -> bool {
        matches!(
            self,
            Self::DiskFull | Self::DiskFullKill | Self::ReadOnlyFolder | Self::ReadOnlyFile
        )
    }
}

/// Each fault as often as it is in a deck.
fn cards() -> Vec<Fault> {
    let often = [
        (Fault::Consumers, 6),
        (Fault::Kill, 14),
        (Fault::KillTwice, 4),
        (Fault::Stop, 4),
        (Fault::DiskFull, 3),
        (Fault::DiskFullKill, 1),
        (Fault::ClockAhead, 1),
        (Fault::ClockBack, 1),
        (Fault::ReadOnlyFolder, 1),
        (Fault::ReadOnlyFile, 1),
        (Fault::Cache, 1),
    ];
    let mut cards: Vec<_> = POINTS.map(Fault::Point).to_vec();
    for (fault, times) in often {
        cards.extend(std::iter::repeat_n(fault, times));
    }
    cards
}

/// A deck that is shuffled anew when it is used up.
pub(crate) struct Deck {
    cards: Vec<Fault>,
    left: Vec<Fault>,
}

impl Deck {
    /// Of the faults that can be done here, and are among `only` unless that is empty.
    pub(crate) fn new(disk: bool, only: &[String]) -> Self {
        let mut cards = cards();
        cards.retain(|fault| disk || !fault.needs_disk());
        cards.retain(|fault| only.is_empty() || only.contains(&fault.name()));
        Self {
            cards,
            left: Vec::new(),
        }
    }

    /// Whether there is any.
    pub(crate) fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// The next.
    pub(crate) fn draw(&mut self, chance: &mut fastrand::Rng) -> Fault {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
            chance.shuffle(&mut self.left);
        }
        self.left.pop().unwrap_or(Fault::Consumers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn fifty_cycles_meet_every_fault() {
        let mut deck = Deck::new(true, &[]);
        let mut chance = fastrand::Rng::with_seed(7);
        let drawn: BTreeSet<_> = (0..50).map(|_| deck.draw(&mut chance).name()).collect();
        let all: BTreeSet<_> = cards().into_iter().map(Fault::name).collect();
        assert_eq!(drawn, all);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = || {
            let mut deck = Deck::new(true, &[]);
            let mut chance = fastrand::Rng::with_seed(7);
            (0..120).map(|_| deck.draw(&mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}

//! How a consumer behaves. Comes in: chance; goes out: a mood for each of them. Never touches a socket.

/// What a consumer does with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Answers 200 or another success at once.
    Good,
    /// The same, after a while that is well within an attempt's time.
    Slow,
    /// Answers with what is no success.
    Wrong,
    /// Answers 200, with a body that is longer than anybody would read.
    Huge,
    /// Reads, and never answers.
    Silent,
    /// Reads, and closes the connection in the face of the host.
    Reset,
    /// Sends the host elsewhere, where it must not go.
    Redirect,
    /// One of the others for each delivery.
    Flapping,
    /// Nobody listens.
    Gone,
}

impl Mood {
    /// Another mood than good.
    pub(crate) fn bad(chance: &mut fastrand::Rng) -> Self {
        let moods = [
            Self::Slow,
            Self::Wrong,
            Self::Huge,
            Self::Silent,
            Self::Reset,
            Self::Redirect,
            Self::Flapping,
            Self::Flapping,
            Self::Gone,
        ];
        moods[chance.usize(..moods.len())]
    }

    /// The mood for one delivery: what flaps is a different one for each.
    pub(crate) fn now(self) -> Self {
        if self != Self::Flapping {
            return self;
        }
        let moods = [
            Self::Good,
            Self::Good,
            Self::Slow,
            Self::Wrong,
            Self::Reset,
            Self::Redirect,
        ];
        moods[fastrand::usize(..moods.len())]
    }
}

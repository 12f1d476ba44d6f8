//! The files in which data is kept, and what holds for each of them, whoever keeps what in it: it is its
//! owner's alone ([`private`]), it is looked over before it is used ([`sound`]), its log stays short ([`log`]),
//! it can be copied while it is in use ([`copy`]), and where its statements are the host's own, one thread
//! writes it ([`writer`]) and many read it ([`readers`]). Comes in: paths; goes out: yes, or what to do about it.
//! Never knows what a file means to whoever keeps it.

pub mod copy;
pub(crate) mod form;
pub(crate) mod log;
pub mod private;
pub(crate) mod readers;
pub mod sound;
pub(crate) mod writer;

/// Why something was not read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The database's own words.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Whoever should have done it is gone.
    #[error(transparent)]
    Gone(Box<dyn std::error::Error + Send + Sync>),
}

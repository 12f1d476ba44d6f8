//! Why something is not granted, with the component and the cure.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::files::FilesError;
use crate::capability::http::allow::AllowError;
use crate::capability::{Label, variables};

/// What cannot be granted because of what was given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Required variables without a value.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unset(Vec<variables::Unset>),
    /// Outbound hosts that cannot be read once their variables are filled in.
    #[error("{component}: {}", .wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Hosts {
        /// The component.
        component: String,
        /// Its entries.
        wrong: Vec<AllowError>,
    },
    /// Others could reach a component that asks nobody for anything.
    #[error(
        "{component} can be reached on {listen} from other machines and has no token: set \
         SPIN_VARIABLE_{}, or listen on 127.0.0.1",
        variable.to_uppercase()
    )]
    Unguarded {
        /// The component.
        component: String,
        /// Where it is served.
        listen: SocketAddr,
        /// The variable that has no value.
        variable: String,
    },
    /// The component would still be at an attempt when the host ends it. The value is not shown: it may be a secret.
    #[error(
        "{component}: variable `{variable}` is no number of milliseconds from 1 to {}, and queue `{queue}` ends \
         an attempt after {timeout_ms} (timeout_ms): set the variable lower, or timeout_ms higher", timeout_ms - 1
    )]
    NotOutlasted {
        /// The component.
        component: String,
        /// Its queue.
        queue: Label,
        /// The variable that the queue's table names.
        variable: String,
        /// The queue's timeout, in milliseconds.
        timeout_ms: u64,
    },
    /// Something is to be put where no component would find it.
    #[error(
        "{flag} is for `{label}`, which is in no component's `{what}`: grant it, or leave the flag out"
    )]
    NoStorage {
        /// The flag.
        flag: &'static str,
        /// The key of a component's table.
        what: &'static str,
        /// The database or the store.
        label: Label,
    },
    /// Files that cannot be given.
    #[error("{component} does not get its files")]
    Files {
        /// The component.
        component: String,
        /// Which, and why.
        source: FilesError,
    },
    /// A migration's file cannot be read.
    #[error("{component}: migration {} cannot be read", path.display())]
    Migration {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

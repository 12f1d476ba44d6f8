//! Opens the admin listener that the operator asked for. Comes in: the host's file, the flags, the
//! environment; goes out: a thread that answers, or none. Off unless an address is given.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::plan::Plan;
use super::{InputError, Options};
use crate::admin::{self, Admin, AdminError, Checks, Queues, Stage, Token};
use crate::metrics::Metrics;

/// Where the token is, before the file that `signet.toml` names.
pub const TOKEN_VARIABLE: &str = "SIGNET_ADMIN_TOKEN";

/// Why the admin listener cannot be opened as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskedError {
    /// What was asked for is not safe.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The file with the token.
    #[error("the admin token's file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// An admin listener that answers, its address, and what it waits for.
pub(super) struct Opened {
    pub(super) address: SocketAddr,
    pub(super) queues: Arc<Queues>,
    pub(super) _admin: Admin,
}

pub(super) fn open(
    plan: &Plan,
    options: &Options,
    stage: &Arc<Stage>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Opened>> {
    let Some(address) = options.admin.or(plan.host.admin.listen) else {
        return Ok(None);
    };
    let token = token(options, plan.host.admin.token_file.as_deref());
    let token = token.map_err(InputError::from)?;
    let checked = admin::check(address, token.as_ref());
    checked.map_err(|error| InputError::Admin(error.into()))?;
    let listener = super::listeners(address, 1)?;
    let Some(listener) = listener.into_iter().next() else {
        return Ok(None);
    };
    let address = listener.local_addr()?;
    let checks = Checks {
        stage: Arc::clone(stage),
        state_dir: plan.host.state_dir.clone(),
    };
    let queues = Arc::<Queues>::default();
    let (own, metrics) = (Arc::clone(&queues), Arc::clone(metrics));
    let admin = Admin::start(listener, token, checks, metrics, own)?;
    Ok(Some(Opened {
        address,
        queues,
        _admin: admin,
    }))
}

fn token(options: &Options, file: Option<&Path>) -> Result<Option<Token>, AskedError> {
    let given = options
        .environment
        .iter()
        .find(|(name, _)| name == TOKEN_VARIABLE);
    let text = match (given, file) {
        (Some((_, text)), _) => zeroize::Zeroizing::new(text.clone()),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(zeroize::Zeroizing::new)
            .map_err(|source| AskedError::File {
                path: path.to_owned(),
                source,
            })?,
        (None, None) => return Ok(None),
    };
    let token = Token::new(&text).map_err(AdminError::from)?;
    Ok(Some(token))
}

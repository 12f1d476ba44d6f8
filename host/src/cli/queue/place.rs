//! Where the queues are that a command is about. Comes in: flags; goes out: an app's queues, or which apps there are.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::super::Failure;
use super::Queues;
use super::folder::Folder;
use super::host::Host;

/// Where the queues are.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The state folder of a host that does not run.
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".signet",
        conflicts_with = "admin"
    )]
    state_dir: PathBuf,
    /// The admin listener of a host that runs, for example http://127.0.0.1:9090.
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
    /// The file with the admin listener's token; SIGNET_ADMIN_TOKEN of the environment unless it is named.
    #[arg(long, value_name = "FILE", requires = "admin")]
    token_file: Option<PathBuf>,
    /// The app, where several have queues.
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
}

impl Place {
    pub(super) fn open(&self) -> Result<Box<dyn Queues>, Failure> {
        let app = self.app.as_deref();
        match &self.admin {
            None => Ok(Box::new(Folder::open(&self.state_dir, app)?)),
            Some(url) => Ok(Box::new(Host::open(url, self.token_file.as_deref(), app)?)),
        }
    }
}

/// The app that is meant, of those that have queues; `place` says of which place they are.
pub(super) fn choose(given: Option<&str>, apps: &[String], place: &str) -> Result<String, Failure> {
    let is_wrong = match (given, apps) {
        (Some(given), _) if apps.iter().any(|app| app == given) => return Ok(given.to_owned()),
        (None, [app]) => return Ok(app.clone()),
        (_, []) => return Err(Failure::Input(anyhow!("no app {place}"))),
        (None, _) => "several apps have queues".to_owned(),
        (Some(given), _) => format!("app `{given}` has no queue"),
    };
    let names = apps.join(", ");
    Err(Failure::Input(anyhow!(
        "{is_wrong}: name one with --app: {names}"
    )))
}

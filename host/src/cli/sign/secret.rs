//! Where keys come from: an option, a file, the environment. Comes in: arguments; goes out: keys as text. Never
//! prints one.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;

use crate::cli::Failure;

/// Where a secret is looked for when no option gives one.
const VARIABLE: &str = "SIGNET_SECRET";

#[derive(Args)]
pub(super) struct Secrets {
    /// A secret; several for several keys. Other users of this machine can see arguments: prefer a file, or
    /// SIGNET_SECRET in the environment.
    #[arg(long, alias = "key", value_name = "SECRET")]
    secret: Vec<String>,
    /// A file with a secret on each line.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Secrets {
    /// The secrets of the options; those of the environment only where no option gives any and `needed` says
    /// that there must be one.
    pub(super) fn read(&self, needed: bool) -> Result<Vec<String>, Failure> {
        let mut secrets = self.secret.clone();
        if let Some(path) = &self.secret_file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the secrets in {} cannot be read", path.display()))
                .map_err(Failure::input)?;
            let lines = text.lines().filter(|line| !line.is_empty());
            secrets.extend(lines.map(str::to_owned));
            if secrets.is_empty() {
                return Err(Failure::input(anyhow!(
                    "{} has no secret in it: write one on a line",
                    path.display()
                )));
            }
        }
        if needed && secrets.is_empty() {
            let secret = std::env::var(VARIABLE).map_err(|error| match error {
                std::env::VarError::NotPresent => anyhow!(
                    "no secret is given: set {VARIABLE}, or give --secret-file FILE or --secret SECRET"
                ),
                std::env::VarError::NotUnicode(_) => anyhow!("{VARIABLE} is not UTF-8"),
            });
            secrets.push(secret.map_err(Failure::input)?);
        }
        Ok(secrets)
    }
}

//! Builds components: runs the commands that a manifest has for each. Comes in: how components are built;
//! goes out: that all commands ended well, or which one did not. What a command prints goes to the terminal
//! as it comes. Never looks at what was built.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::manifest::Build;

/// Why a component was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The shell could not be started.
    #[error("{component}: `{command}` could not be started in {}", workdir.display())]
    Start {
        /// The component.
        component: String,
        /// The command.
        command: String,
        /// Where it was to run.
        workdir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command failed.
    #[error("{component} is not built: `{command}` failed with {status}")]
    Failed {
        /// The component.
        component: String,
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Runs all commands, one after another, and stops at the first that fails. `say` is told each before it
/// begins.
pub fn build<'a>(
    builds: impl IntoIterator<Item = &'a Build>,
    mut say: impl FnMut(&Build, &str),
) -> Result<(), BuildError> {
    for build in builds {
        for command in &build.commands {
            say(build, command);
            run(build, command)?;
        }
    }
    Ok(())
}

fn run(build: &Build, command: &str) -> Result<(), BuildError> {
    // The folder of a manifest that is named without one.
    let here = build.workdir.as_os_str().is_empty();
    let workdir = if here { Path::new(".") } else { &build.workdir };
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(workdir)
        .status();
    let status = status.map_err(|source| BuildError::Start {
        component: build.component.clone(),
        command: command.to_owned(),
        workdir: workdir.to_owned(),
        source,
    })?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        component: build.component.clone(),
        command: command.to_owned(),
        status,
    })
}

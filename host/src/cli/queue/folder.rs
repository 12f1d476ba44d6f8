//! The queues of a host that does not run. Comes in: its state folder; goes out: what the engine says of an app's
//! file. Holds the right to the folder while it looks; never takes one that has no queue.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use super::super::Failure;
use super::Queues;
use super::place::choose;
use crate::app::state::{StateDir, StateError};
use crate::queue::operator::{Of, Refused, Selection};
use crate::queue::{Backend as _, Change, Changed, Job, JobId, QueueStatus, Shown, Sqlite};

/// An app's queues, with the right to use the folder that they are in.
pub(super) struct Folder {
    engine: Sqlite,
    runtime: tokio::runtime::Runtime,
    _state: StateDir,
}

impl Folder {
    pub(super) fn open(folder: &Path, app: Option<&str>) -> Result<Self, Failure> {
        // Before anything is taken: a folder that has no queue may be anybody's.
        let file = file(folder, app)?;
        let state = StateDir::visit(folder).map_err(|error| match error {
            StateError::Held { path, holder } => Failure::Input(anyhow!(
                "the state folder {} is in use by {holder}: ask it with --admin and the address of its admin \
                 listener, or stop it first",
                path.display()
            )),
            error => Failure::input(error),
        })?;
        let engine = Sqlite::visit(&file).map_err(anyhow::Error::from)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")?;
        Ok(Self {
            engine,
            runtime,
            _state: state,
        })
    }

    /// What is in the file.
    fn of(&self) -> Of<'_> {
        Of {
            engine: &self.engine,
            // What is configured stands elsewhere.
            configured: &[],
        }
    }

    fn ask<T>(&self, answer: impl Future<Output = Result<T, Refused>>) -> Result<T, Failure> {
        self.runtime.block_on(answer).map_err(|error| match error {
            Refused::Unknown { .. } => Failure::input(error),
            Refused::Engine(error) => Failure::Running(error.into()),
        })
    }
}

/// The file of the app that is meant.
fn file(folder: &Path, app: Option<&str>) -> Result<PathBuf, Failure> {
    let shown = folder.display();
    if !folder.is_dir() {
        let words = "is no state folder: name the one that the host uses with --state-dir";
        return Err(Failure::Input(anyhow!("{shown} {words}")));
    }
    let file = |app: &str| folder.join(app).join("queue").join("jobs.db");
    let mut apps = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("{shown} cannot be read"))? {
        let name = entry.with_context(|| format!("{shown} cannot be read"))?;
        if let Some(name) = name.file_name().to_str()
            && file(name).is_file()
        {
            apps.push(name.to_owned());
        }
    }
    apps.sort();
    let none =
        format!("in {shown} has a queue: name the folder that the host uses with --state-dir");
    choose(app, &apps, &none).map(|app| file(&app))
}

impl Queues for Folder {
    fn stats(&self) -> Result<Vec<QueueStatus>, Failure> {
        let stats = self.runtime.block_on(self.engine.stats());
        stats.map_err(|error| Failure::Running(error.into()))
    }

    fn list(
        &self,
        which: &Selection,
        after: Option<JobId>,
        most: usize,
    ) -> Result<Vec<Job>, Failure> {
        self.ask(which.list(self.of(), after, most))
    }

    fn show(&self, job: JobId, _body: bool) -> Result<Option<Shown>, Failure> {
        let shown = self.runtime.block_on(self.engine.show(job));
        shown.map_err(|error| Failure::Running(error.into()))
    }

    fn count(&self, which: &Selection, change: &Change) -> Result<u64, Failure> {
        self.ask(which.count(self.of(), change))
    }

    fn change(
        &self,
        which: &Selection,
        change: &Change,
        after: Option<JobId>,
    ) -> Result<Changed, Failure> {
        self.ask(which.change(self.of(), change, after))
    }
}

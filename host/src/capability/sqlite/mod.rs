//! SQLite for guests. Owns the databases of an app; comes in: where each label's file is, and the
//! migrations to run; goes out: connections, to those components that were granted the label. The
//! grant is asked before existence. Never blocks the threads that run guests, never lets a statement
//! reach out of its file, never keeps a transaction longer than its connection.

mod backend;
mod connection;
mod host;
mod journal;
mod limits;
mod pool;
mod rows;
mod rusqlite;
mod stop;
#[cfg(test)]
mod tests;
mod turns;

pub use backend::{Error, Row, Source, Value};
pub use connection::{Collected, Connection, Streamed};
pub use host::{View, add_to_linker};
pub use limits::Limits;
pub use rows::RowStream;

use super::load::Load;
use super::{Grants, Label};
use crate::file;
use pool::Database;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, which is made if it is not there.
    File(PathBuf),
}

/// Statements to run once on a database, before the first request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The database.
    pub label: Label,
    /// The component that asks for it; only for messages.
    pub component: String,
    /// Its name, which a database knows once.
    pub name: String,
    /// The statements.
    pub sql: String,
}

/// Statements to run on a database at each start, before the first request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The database.
    pub label: Label,
    /// What messages call it.
    pub name: String,
    /// The statements. Each is kept by itself, unless they say otherwise.
    pub sql: String,
}

impl Script {
    /// Statements for the database `label`.
    pub fn new(label: &str, name: &str, sql: &str) -> Self {
        Self {
            label: Label::new(label),
            name: name.to_owned(),
            sql: sql.to_owned(),
        }
    }
}

/// The databases of an app, as the manifest has them.
#[derive(Debug, Default)]
pub struct Config {
    /// Where each database is.
    pub databases: BTreeMap<Label, Location>,
    /// What to run on them, in this order.
    pub migrations: Vec<Migration>,
    /// What to run on them after that, in this order.
    pub scripts: Vec<Script>,
    /// How much of everything there may be.
    pub limits: Limits,
}

/// Why the databases of an app could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be made or read.
    #[error("database `{label}`: file {} cannot be used", path.display())]
    File {
        /// The database.
        label: Label,
        /// Its file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no database, or SQLite cannot open it.
    #[error("database `{label}`: file {} cannot be opened", path.display())]
    Open {
        /// The database.
        label: Label,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: Source,
    },
    /// A migration is for a database nobody configured.
    #[error(
        "migration `{name}` of component `{component}` is for database `{label}`, which is not configured"
    )]
    NoSuchDatabase {
        /// The migration.
        name: String,
        /// The component that asks for it.
        component: String,
        /// The database.
        label: Label,
    },
    /// A statement failed; what came before it was kept.
    #[error("`{name}` failed on database `{label}`")]
    Script {
        /// What it is called.
        name: String,
        /// The database.
        label: Label,
        /// What SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A migration failed, and nothing of it was kept.
    #[error("migration `{name}` of component `{component}` failed on database `{label}`")]
    Migration {
        /// The migration.
        name: String,
        /// The component that asks for it.
        component: String,
        /// The database.
        label: Label,
        /// What SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Config {
    /// Opens the databases and runs the migrations that have not run. Blocks: it is for the start.
    pub fn open(self) -> Result<Shared, OpenError> {
        for (label, Location::File(path)) in &self.databases {
            file::private::create_file(path).map_err(|source| OpenError::File {
                label: label.clone(),
                path: path.clone(),
                source,
            })?;
        }
        let mut databases = BTreeMap::new();
        for (label, Location::File(path)) in &self.databases {
            let failed = |source| OpenError::Open {
                label: label.clone(),
                path: path.clone(),
                source,
            };
            let backend = rusqlite::File::open(path.clone(), self.limits.clone());
            let backend = backend.map_err(|error| failed(error.into()))?;
            let database = Database::new(label.clone(), Box::new(backend), self.limits.clone());
            database.warm().map_err(|error| failed(error.into()))?;
            databases.insert(label.clone(), Arc::new(database));
        }
        for migration in &self.migrations {
            self.migrate(migration)?;
        }
        for script in &self.scripts {
            self.run(script)?;
        }
        Ok(Shared {
            databases: Arc::new(databases),
        })
    }

    fn run(&self, script: &Script) -> Result<(), OpenError> {
        // A database that is not configured has nobody who would miss what is put into it.
        let Some(Location::File(path)) = self.databases.get(&script.label) else {
            return Ok(());
        };
        rusqlite::run(path, &self.limits, &script.sql).map_err(|source| OpenError::Script {
            name: script.name.clone(),
            label: script.label.clone(),
            source: source.into(),
        })
    }

    fn migrate(&self, migration: &Migration) -> Result<(), OpenError> {
        let Migration {
            label,
            component,
            name,
            ..
        } = migration.clone();
        let Some(Location::File(path)) = self.databases.get(&label) else {
            return Err(OpenError::NoSuchDatabase {
                name,
                component,
                label,
            });
        };
        rusqlite::migrate(path, &self.limits, migration).map_err(|failure| {
            let source = failure.into();
            OpenError::Migration {
                name,
                component,
                label,
                source,
            }
        })
    }
}

/// The databases of an app. Clones are the same databases.
#[derive(Clone)]
pub struct Shared {
    databases: Arc<BTreeMap<Label, Arc<Database>>>,
}

impl Shared {
    /// What one instance sees of them. Opens nothing.
    pub fn ctx(&self, grants: &Arc<Grants>) -> Ctx {
        Ctx {
            shared: self.clone(),
            grants: Arc::clone(grants),
            load: Load::default(),
            open: Arc::default(),
        }
    }
}

/// What one instance may open.
pub struct Ctx {
    shared: Shared,
    grants: Arc<Grants>,
    /// What the instance has on its way.
    load: Load,
    /// One more than there are open connections refer to it.
    open: Arc<()>,
}

impl Ctx {
    /// A connection to the database of this label. Opens nothing before the first statement.
    pub fn open(&self, label: &str) -> Result<Connection, Error> {
        let label = Label::new(label);
        if !self.grants.allows(&label) {
            self.grants
                .tell(&label, |name| format!("sqlite_databases = [{name:?}]"));
            return Err(Error::AccessDenied(label));
        }
        let Some(database) = self.shared.databases.get(&label) else {
            return Err(Error::NoSuchDatabase(label));
        };
        let most = database.limits().open_per_instance;
        if Arc::strong_count(&self.open) > most {
            return Err(Error::TooManyOpen(most));
        }
        Ok(Connection::new(
            Arc::clone(database),
            self.load.clone(),
            Arc::clone(&self.open),
        ))
    }
}

//! What is run before the first request: migrations, which a component wants run once, and statements that
//! whoever starts the host wants run now. Comes in: a database file and one of them; goes out: the migration
//! applied and written down in `signet_migrations`, or neither. Never runs one twice, never runs one whose
//! text changed.

use super::super::{Limits, Migration};
use super::{authorize, connect};
use ::rusqlite::OptionalExtension;
use ::rusqlite::hooks::{AuthContext, Authorization};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// Why a migration was not applied.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum Failure {
    #[error(
        "its text changed after it was applied: restore the text, and put the change in a new one"
    )]
    Changed,
    #[error(transparent)]
    Sqlite(#[from] ::rusqlite::Error),
}

/// Applies the migration, unless it is applied. The time of application is in milliseconds. A
/// transaction that was not committed ends with its connection.
pub(in super::super) fn migrate(
    path: &Path,
    limits: &Limits,
    migration: &Migration,
) -> Result<(), Failure> {
    let mut connection = connect(path, limits)?;
    let digest = digest(&migration.sql);
    // Two hosts may start on one file: the second waits here and then finds the work done.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let applied: Option<String> = connection
        .query_row(
            "SELECT digest FROM signet_migrations WHERE name = ?1",
            [&migration.name],
            |row| row.get(0),
        )
        .optional()?;
    match applied {
        Some(applied) if applied == digest => return Ok(()),
        Some(_) => return Err(Failure::Changed),
        None => {}
    }
    connection.authorizer(Some(authorize::judge_migration))?;
    connection.execute_batch(&migration.sql)?;
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    connection.execute(
        "INSERT INTO signet_migrations
         VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
        [&migration.name, &digest],
    )?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// Runs statements, with the rights of a guest.
pub(in super::super) fn run(path: &Path, limits: &Limits, sql: &str) -> ::rusqlite::Result<()> {
    let mut connection = connect(path, limits)?;
    authorize::guard(&mut connection, Arc::default())?;
    connection.execute_batch(sql)
}

fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

//! What is the host's own in a guest's database: the tables whose names begin with `signet_`. Comes
//! in: a connection; goes out: the tables, made if they are not there, and a clear word about a file
//! that a newer host wrote. They are made before a guest can take their names. Never touches another
//! table.

use crate::file::sound::{self, Unsound};
use ::rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// The form of the host's tables. A host that changes them counts on.
const FORM: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS signet_form (
    form INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS signet_migrations (
    name TEXT PRIMARY KEY NOT NULL,
    digest TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Whether a table is the host's, and closed to guests.
pub(super) fn is_the_hosts(table: &str) -> bool {
    let start = table.as_bytes().get(..7);
    start.is_some_and(|start| start.eq_ignore_ascii_case(b"signet_"))
}

/// Makes the host's tables, unless this host or an older one made them before.
pub(super) fn write_down(connection: &Connection) -> Result<(), Unsound> {
    let there: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema
         WHERE type = 'table' AND name IN ('signet_form', 'signet_migrations')",
        [],
        |row| row.get(0),
    )?;
    if there < 2 {
        let transaction =
            ::rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        transaction.execute(
            "INSERT INTO signet_form SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM signet_form)",
            [FORM],
        )?;
        transaction.commit()?;
    }
    let form = connection
        .query_row("SELECT form FROM signet_form", [], |row| row.get(0))
        .optional()?;
    sound::known(form.unwrap_or(FORM), FORM)
}

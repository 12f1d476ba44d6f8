//! Copies a database file while it is in use. Comes in: two paths; goes out: a copy that is whole, of
//! one moment, and on disk. Everything committed before the call is in it. Never holds up a writer,
//! and never leaves a log beside the copy.

use super::private;
use super::sound::{self, Unsound};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long the copy waits where a host is just opening or closing the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file is damaged, or SQLite cannot read it.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The copy cannot be written.
    #[error("copy cannot be written")]
    Write(#[from] io::Error),
}

/// Copies the database `from` to the new file `to`.
pub fn copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    let source = open(from)?;
    private::create_file(to)?;
    let mut target = open(to)?;
    // One step: the whole file as of one moment. A writer goes on meanwhile, in its log.
    let copied = Backup::new(&source, &mut target).and_then(|backup| backup.step(-1));
    copied.map_err(Unsound::from)?;
    sound::check(&mut target)?;
    // Closing takes the log away.
    target.close().map_err(|(_, error)| Unsound::from(error))?;
    std::fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// Looks over a copy before it takes the place of a database.
pub fn verify(path: &Path) -> Result<(), Unsound> {
    let mut connection = open(path)?;
    sound::check(&mut connection)?;
    connection
        .close()
        .map_err(|(_, error)| Unsound::from(error))
}

fn open(path: &Path) -> Result<Connection, Unsound> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

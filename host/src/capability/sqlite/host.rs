//! The faces of SQLite that guests see, a file each, named after its interface. Comes in: a Linker and
//! the way to an instance's state; goes out: the same Linker with all faces. What the faces share is here:
//! what they need of an instance, and how a connection is opened and let go.

mod fermyon_spin;
mod spin_sqlite;

use super::backend::Error;
use super::{Connection, Ctx};
use crate::capability::bindings::sqlite as bindings;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

/// What the faces need of an instance's state.
pub struct View<'a> {
    /// What the instance may open.
    pub ctx: &'a mut Ctx,
    /// Where its connections are.
    pub table: &'a mut ResourceTable,
}

/// Gives SQLite to the guests of this linker.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    bindings::spin_sqlite::add_to_linker::<T, Face>(linker, view)?;
    bindings::fermyon_spin::add_to_linker::<T, Face>(linker, view)
}

struct Face;

/// The room's error as far as any face tells errors apart.
enum Refusal {
    NoSuchDatabase,
    AccessDenied,
    InvalidConnection,
    DatabaseFull,
    Io(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchDatabase(_) => Self::NoSuchDatabase,
            Error::AccessDenied(_) => Self::AccessDenied,
            Error::Broken => Self::InvalidConnection,
            Error::Full(_) => Self::DatabaseFull,
            error @ (Error::Busy { .. }
            | Error::TooManyOpen(_)
            | Error::TooMuchPending(_)
            | Error::Empty
            | Error::Several
            | Error::Parameters { .. }
            | Error::Forbidden(_)
            | Error::NotUtf8(_)
            | Error::TooLarge(_)
            | Error::TooManyRows(_)
            | Error::TooLong { .. }
            | Error::Locked
            | Error::Stopped
            | Error::TimedOut(_)
            | Error::Unsynced(_)
            | Error::Statement(_)) => Self::Io(error.to_string()),
        }
    }
}

impl HasData for Face {
    type Data<'a> = View<'a>;
}

impl View<'_> {
    /// A new connection in the instance's table, or the room's reason why not.
    fn open(&mut self, database: &str) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        match self.ctx.open(database) {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn connection(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }

    fn close(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

//! What a database must be able to do for guests, in words that name no database. Owns the values,
//! the rows and the errors of the room; comes in: statements; goes out: rows, through a [`Sink`].
//! Everything here may block and runs on threads made for that; nothing here knows of WIT or async.

use super::super::load::Carried;
use super::stop::Stop;
use crate::capability::Label;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// One value of a row, or one parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Nothing.
    Null,
}

/// One row: a value for each column.
pub type Row = Vec<Value>;

/// Roughly how much memory a row takes.
pub(super) fn weight(row: &[Value]) -> usize {
    row.iter()
        .map(|value| {
            size_of::<Value>()
                + match value {
                    Value::Text(text) => text.len(),
                    Value::Blob(bytes) => bytes.len(),
                    Value::Integer(_) | Value::Real(_) | Value::Null => 0,
                }
        })
        .sum::<usize>()
        + size_of::<Row>()
}

/// Why an operation on a database failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The label was not granted, whether it exists or not.
    #[error("database `{0}` is not granted: name it in `sqlite_databases` of the component")]
    AccessDenied(Label),
    /// The label is granted, and nothing is configured for it.
    #[error("database `{0}` is not configured: give it a file")]
    NoSuchDatabase(Label),
    /// A fault of the host broke this connection.
    #[error("connection is broken: open another")]
    Broken,
    /// The disk, or the space given to the database, is used up.
    #[error("database is full")]
    Full(#[source] Source),
    /// More connections are wanted than there are.
    #[error("database `{label}` has all of its {limit} connections in use: drop one, or try again")]
    Busy {
        /// The database.
        label: Label,
        /// How many connections it may have.
        limit: usize,
    },
    /// This instance holds too many connections.
    #[error("instance has {0} connections open already: drop one")]
    TooManyOpen(usize),
    /// Too much of this instance is on its way already.
    #[error("instance has more than {0} bytes on their way: wait for an answer first")]
    TooMuchPending(usize),
    /// There is no statement in the text.
    #[error("statement is empty")]
    Empty,
    /// There are several statements in the text.
    #[error("statement is followed by another: send one statement at a time")]
    Several,
    /// The statement wants another number of parameters.
    #[error("statement takes {wanted} parameters, {given} were given")]
    Parameters {
        /// How many were given.
        given: usize,
        /// How many the statement has.
        wanted: usize,
    },
    /// The statement does what guests may not do.
    #[error(
        "statement is not allowed: ATTACH, DETACH, VACUUM, extensions and most pragmas are closed to guests"
    )]
    Forbidden(#[source] Source),
    /// A text in the database is not UTF-8.
    #[error("column `{0}` holds text that is not UTF-8: read it with CAST(... AS BLOB)")]
    NotUtf8(String),
    /// The rows do not fit into what the host keeps for one result.
    #[error("result is larger than {0} bytes: ask for less, or read it as a stream")]
    TooLarge(usize),
    /// There are more rows than one result may have.
    #[error("result has more than {0} rows: ask for fewer at a time")]
    TooManyRows(usize),
    /// A value, a row or the statement is longer than it may be.
    #[error("value, row or statement is larger than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: usize,
        /// What the database says.
        source: Source,
    },
    /// Another's transaction has the database for itself.
    #[error("database is locked by another transaction: try again")]
    Locked,
    /// Nobody waits for the statement any more.
    #[error("statement was stopped")]
    Stopped,
    /// The statement ran longer than it may.
    #[error("statement ran longer than {} ms and was ended", .0.as_millis())]
    TimedOut(Duration),
    /// The log of the database could not be brought to disk.
    #[error(
        "database cannot be brought to disk: nothing is written until the host is started again"
    )]
    Unsynced(#[source] Arc<std::io::Error>),
    /// The database's own words.
    #[error(transparent)]
    Statement(Source),
}

/// What the database itself said.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A statement and its parameters, by position.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) parameters: Vec<Value>,
    /// Counts its bytes as long as they are there.
    pub(super) _carried: Carried,
}

/// Where the rows of a statement go.
pub(super) trait Sink {
    /// Called once, before any row, when the first row is there or it is certain that none comes.
    /// `writes` says that the statement changes the database.
    fn start(&mut self, columns: Vec<String>, writes: bool);

    /// Takes the next row. To break is to end the statement, without an error.
    fn row(&mut self, row: Row) -> Result<ControlFlow<()>, Error>;
}

/// Where sessions come from: one database.
pub(super) trait Backend: Send + Sync {
    /// A new session of its own.
    fn connect(&self) -> Result<Box<dyn Session>, Error>;
}

/// One conversation with a database; transactions stay in it.
pub(super) trait Session: Send {
    /// Makes a reused session look like a new one.
    fn renew(&mut self);

    /// Runs one statement to its end, or until `stop` or the sink says no more.
    fn run(&mut self, statement: &Statement, stop: &Stop, sink: &mut dyn Sink)
    -> Result<(), Error>;

    /// The rowid of the last successful INSERT since [`Session::renew`], or 0. Does not block.
    fn last_insert_rowid(&self) -> i64;

    /// How many rows the last INSERT, UPDATE or DELETE since [`Session::renew`] touched. Does not
    /// block.
    fn changes(&self) -> u64;

    /// Whether nothing is left to undo: no transaction, no temporary object. Does not block.
    fn is_clean(&self) -> bool;

    /// Whether another session would serve its holder as well: it is clean, and nothing was inserted or
    /// changed since [`Session::renew`] that the holder may ask about. Does not block.
    fn is_as_new(&self) -> bool;

    /// Rolls back what is open, and says whether the session may serve somebody else.
    fn tidy_up(&mut self) -> bool;
}

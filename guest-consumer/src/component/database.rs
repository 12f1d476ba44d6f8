//! The deliveries in SQLite's database `default`. In come ids and what is known of them; out go claims. It never
//! runs a statement that `schema` does not own.

use super::bindings::spin::sqlite::sqlite::{Connection, Error, Value};
use crate::problem::Problem;
use crate::schema;

/// An open database.
pub(super) struct Database(Connection);

/// What came of asking for a delivery.
pub(super) enum Asked {
    /// It is the asker's, by this claim.
    Claimed(i64),
    /// It was applied before.
    Applied,
    /// Another request has it.
    Taken,
}

impl Database {
    /// Opens the database.
    pub(super) async fn open() -> Result<Self, Problem> {
        let opened = Connection::open_async("default".to_string()).await;
        opened.map(Self).map_err(problem)
    }

    /// Claims the delivery, if nobody has it or did it.
    pub(super) async fn claim(&self, id: &str, now: i64) -> Result<Asked, Problem> {
        let values = vec![
            text(id),
            Value::Integer(now),
            Value::Integer(now - schema::LEASE),
        ];
        match self.one(schema::CLAIM, values).await? {
            Some(Value::Integer(claim)) => return Ok(Asked::Claimed(claim)),
            Some(_) => return Err(misshapen()),
            None => {}
        }
        match self.one(schema::STATE, vec![text(id)]).await? {
            Some(Value::Text(state)) if state == "applied" => Ok(Asked::Applied),
            // It may have been given back in between; the sender's next attempt finds out.
            _ => Ok(Asked::Taken),
        }
    }

    /// Notes that the delivery was applied, if the claim still holds.
    pub(super) async fn commit(
        &self,
        id: &str,
        claim: i64,
        kind: Option<String>,
        now: i64,
    ) -> Result<bool, Problem> {
        let kind = kind.map_or(Value::Null, Value::Text);
        let values = vec![text(id), Value::Integer(claim), kind, Value::Integer(now)];
        Ok(self.one(schema::COMMIT, values).await?.is_some())
    }

    /// Gives the claim back.
    pub(super) async fn release(&self, id: &str, claim: i64) -> Result<(), Problem> {
        let values = vec![text(id), Value::Integer(claim)];
        self.one(schema::RELEASE, values).await?;
        Ok(())
    }

    /// Forgets a few deliveries that are too old.
    pub(super) async fn forget(&self, now: i64) -> Result<(), Problem> {
        let before = now - schema::RETENTION;
        let values = vec![Value::Integer(before), Value::Integer(schema::ROWS)];
        self.one(schema::FORGET, values).await?;
        Ok(())
    }

    /// The first value of the last row, if there is a row.
    async fn one(&self, statement: &str, values: Vec<Value>) -> Result<Option<Value>, Problem> {
        let running = self.0.execute_async(statement.to_string(), values);
        let (_columns, mut stream, ended) = running.await.map_err(problem)?;
        let mut last = None;
        while let Some(row) = stream.next().await {
            last = row.values.into_iter().next();
        }
        // What was read is true only if the statement ended well.
        ended.await.map_err(problem)?;
        Ok(last)
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_string())
}

fn misshapen() -> Problem {
    Problem::internal("the database answered with a row of another shape")
}

fn problem(error: Error) -> Problem {
    Problem::internal(match error {
        Error::Io(why) if schema::lacks_migration(&why) => schema::MIGRATION.to_string(),
        Error::Io(why) => format!("the database failed: {why}"),
        Error::AccessDenied => {
            "the database `default` is not granted: add it to sqlite_databases in the manifest"
                .to_string()
        }
        Error::NoSuchDatabase => "the database `default` is not configured".to_string(),
        Error::InvalidConnection => "the connection to the database is lost".to_string(),
        Error::DatabaseFull => "the database is full".to_string(),
    })
}

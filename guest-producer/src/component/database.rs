//! The registrations in SQLite's database `default`. In come values; out go rows, as what they are.
//! It never runs a statement that `schema` does not own, and gives a key out only to be signed with.

use super::bindings::spin::sqlite::sqlite::{Connection, Error, Value};
use crate::keys::Keys;
use crate::moment;
use crate::problem::Problem;
use crate::registration::{Disabled, Holder, Registration};
use crate::schema;
use crate::seal::Ring;

/// An open database.
pub(super) struct Database(Connection);

/// A row that a handshake may complete.
pub(super) struct Reservation<'a> {
    pub(super) registration: &'a Registration,
    pub(super) key: &'a str,
    pub(super) now: i64,
}

impl Database {
    /// Opens the database.
    pub(super) async fn open() -> Result<Self, Problem> {
        let opened = Connection::open_async("default".to_string()).await;
        opened.map(Self).map_err(problem)
    }

    /// Reserves the URL, unless it is taken.
    pub(super) async fn reserve(&self, wanted: Reservation<'_>) -> Result<bool, Problem> {
        let Reservation {
            registration,
            key,
            now,
        } = wanted;
        let values = vec![
            Value::Text(registration.url.clone()),
            Value::Text(registration.event.clone()),
            Value::Text(key.to_string()),
            Value::Text(registration.id.clone()),
            Value::Integer(now),
            Value::Integer(now - schema::PENDING_SECONDS),
            Value::Text(written(&registration.schedule)),
        ];
        Ok(!self.rows(schema::RESERVE, values).await?.is_empty())
    }

    /// Who has the URL.
    pub(super) async fn holder(&self, url: &str) -> Result<Option<Holder>, Problem> {
        let mut rows = self
            .rows(schema::HOLDER, vec![Value::Text(url.to_string())])
            .await?;
        let Some(row) = rows.pop() else {
            return Ok(None);
        };
        let [id, state] = texts(row)?;
        Ok(Some(Holder {
            id,
            active: state == "active",
        }))
    }

    /// Makes the reservation a registration, if it is still there.
    pub(super) async fn activate(&self, id: &str) -> Result<bool, Problem> {
        let rows = self
            .rows(schema::ACTIVATE, vec![Value::Text(id.to_string())])
            .await?;
        Ok(!rows.is_empty())
    }

    /// Takes the reservation back.
    pub(super) async fn release(&self, id: &str) -> Result<(), Problem> {
        self.rows(schema::RELEASE, vec![Value::Text(id.to_string())])
            .await?;
        Ok(())
    }

    /// Every registration.
    pub(super) async fn list(&self) -> Result<Vec<Registration>, Problem> {
        let rows = self.rows(schema::LIST, Vec::new()).await?;
        rows.into_iter().map(registration).collect()
    }

    /// Every registration that is delivered to, with the keys that sign at `now`.
    pub(super) async fn list_with_keys(
        &self,
        ring: &Ring,
        now: i64,
    ) -> Result<Vec<(Registration, Keys)>, Problem> {
        let rows = self.rows(schema::LIST_WITH_KEYS, Vec::new()).await?;
        let keyed = |row: Vec<Value>| {
            let [id, url, event, key, old, until] = shaped(row)?;
            let [id, url, event, key] = texts(vec![id, url, event, key])?;
            let keys = keys(ring, now, &id, (key, old, until))?;
            let registration = Registration {
                id,
                url,
                event,
                schedule: Vec::new(),
                disabled: None,
            };
            Ok((registration, keys))
        };
        rows.into_iter().map(keyed).collect()
    }

    /// The registration with this id.
    pub(super) async fn show(&self, id: String) -> Result<Option<Registration>, Problem> {
        let mut rows = self.rows(schema::SHOW, vec![Value::Text(id)]).await?;
        rows.pop().map(registration).transpose()
    }

    /// Removes the registration with this id, if there is one.
    pub(super) async fn remove(&self, id: String) -> Result<bool, Problem> {
        let rows = self.rows(schema::REMOVE, vec![Value::Text(id)]).await?;
        Ok(!rows.is_empty())
    }

    /// Removes every registration. Answers their ids.
    pub(super) async fn clear(&self) -> Result<Vec<String>, Problem> {
        let rows = self.rows(schema::CLEAR, Vec::new()).await?;
        let id = |row| texts(row).map(|[id]| id);
        rows.into_iter().map(id).collect()
    }

    /// The key of a registration, as it is stored.
    pub(super) async fn stored_key(&self, id: &str) -> Result<Option<String>, Problem> {
        let mut rows = self
            .rows(schema::KEY, vec![Value::Text(id.to_string())])
            .await?;
        let key = |row| texts(row).map(|[key]| key);
        rows.pop().map(key).transpose()
    }

    /// Id and stored key of every registration, and of every reservation.
    pub(super) async fn stored_keys(&self) -> Result<Vec<[String; 2]>, Problem> {
        let rows = self.rows(schema::KEYS, Vec::new()).await?;
        rows.into_iter().map(texts).collect()
    }

    /// Replaces a stored key, which signs until then as well. Answers whether it was still the one.
    pub(super) async fn replace_key(
        &self,
        id: &str,
        stored: &str,
        new: &str,
        until: i64,
    ) -> Result<bool, Problem> {
        let mut values: Vec<_> = [id, stored, new]
            .map(|text| Value::Text(text.into()))
            .into();
        values.push(Value::Integer(until));
        Ok(!self.rows(schema::REPLACE_KEY, values).await?.is_empty())
    }

    /// Stores the same key otherwise. Answers whether it was still the one.
    pub(super) async fn reseal_key(
        &self,
        id: &str,
        stored: &str,
        sealed: &str,
    ) -> Result<bool, Problem> {
        let values = [id, stored, sealed].map(|text| Value::Text(text.into()));
        let rows = self.rows(schema::RESEAL_KEY, values.into()).await?;
        Ok(!rows.is_empty())
    }

    pub(super) async fn rows(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Problem> {
        let running = self.0.execute_async(statement.to_string(), values);
        let (_columns, mut stream, ended) = running.await.map_err(problem)?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await {
            rows.push(row.values);
        }
        // The rows are all there are only if the statement ended well.
        ended.await.map_err(problem)?;
        Ok(rows)
    }
}

fn registration(row: Vec<Value>) -> Result<Registration, Problem> {
    let [id, url, event, schedule, at, reason] = shaped(row)?;
    let [id, url, event, schedule] = texts(vec![id, url, event, schedule])?;
    let disabled = match (at, reason) {
        (Value::Integer(at), Value::Text(reason)) => Some(Disabled {
            at: moment::text(u64::try_from(at).unwrap_or(0).saturating_mul(1000)),
            reason,
        }),
        _ => None,
    };
    Ok(Registration {
        id,
        url,
        event,
        schedule: read(&schedule)?,
        disabled,
    })
}

/// A schedule as it is kept.
fn written(schedule: &[u64]) -> String {
    // Numbers always serialize.
    serde_json::to_string(schedule).unwrap_or_default()
}

/// The schedule of [`written`].
pub(super) fn read(schedule: &str) -> Result<Vec<u64>, Problem> {
    serde_json::from_str(schedule)
        .map_err(|error| Problem::internal(format!("a schedule is not readable: {error}")))
}

/// The keys of a row that sign at `now`: its key, the one before and until when that signs.
pub(super) fn keys(
    ring: &Ring,
    now: i64,
    id: &str,
    (key, old, until): (String, Value, Value),
) -> Result<Keys, Problem> {
    let open = |stored: &str| ring.open(stored, id).map_err(Problem::internal);
    let previous = match (old, until) {
        // One whose time is over is not opened: its secret may be gone.
        (Value::Text(old), Value::Integer(until)) if now < until => Some((open(&old)?, until)),
        _ => None,
    };
    Ok(Keys::at(now, open(&key)?, previous))
}

/// A row of so many values.
pub(super) fn shaped<const N: usize>(row: Vec<Value>) -> Result<[Value; N], Problem> {
    let shape = |_| Problem::internal("the database answered with a row of another shape");
    row.try_into().map_err(shape)
}

pub(super) fn texts<const N: usize>(row: Vec<Value>) -> Result<[String; N], Problem> {
    let text = |value| match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Real(_) | Value::Blob(_) | Value::Null => None,
    };
    let texts: Option<Vec<String>> = row.into_iter().map(text).collect();
    let row = texts.and_then(|texts| texts.try_into().ok());
    row.ok_or_else(|| Problem::internal("the database answered with a row of another shape"))
}

fn problem(error: Error) -> Problem {
    Problem::internal(match error {
        Error::Io(why) if schema::lacks_migrations(&why) => schema::MIGRATIONS.to_string(),
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

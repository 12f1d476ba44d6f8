//! The registrations in SQLite's database `default`. In come values; out go rows, as what they are.
//! It never runs a statement that `schema` does not own, and gives a key or a header's value out only for the consumer.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bindings::spin::sqlite::sqlite::{Connection, Error, Value};
use crate::custom::Custom;
use crate::keys::Keys;
use crate::moment;
use crate::problem::Problem;
use crate::registration::{Disabled, Holder, Registration};
use crate::schema;
use crate::seal::{Ring, What};

/// An open database.
pub(super) struct Database(Connection);

/// A row that a handshake may complete.
pub(super) struct Reservation<'a> {
    pub(super) registration: &'a Registration,
    /// The key and the headers, as they are stored.
    pub(super) key: &'a str,
    pub(super) headers: &'a str,
    pub(super) now: i64,
}

/// A registration with all that a delivery takes.
pub(super) struct Ready {
    pub(super) registration: Registration,
    pub(super) keys: Keys,
    pub(super) headers: Custom,
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
            headers,
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
            Value::Text(written(&registration.headers)),
            Value::Text(headers.to_string()),
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

    /// Every registration that is delivered to, with the keys that sign at `now` and its headers.
    pub(super) async fn list_with_keys(
        &self,
        ring: &Ring,
        now: i64,
    ) -> Result<Vec<Ready>, Problem> {
        let rows = self.rows(schema::LIST_WITH_KEYS, Vec::new()).await?;
        let keyed = |row: Vec<Value>| {
            let [id, url, event, key, old, until, sealed] = shaped(row)?;
            let [id, url, event, key, sealed] = texts(vec![id, url, event, key, sealed])?;
            let keys = keys(ring, now, &id, (key, old, until))?;
            let headers = headers(ring, &id, &sealed)?;
            let registration = Registration {
                id,
                url,
                event,
                schedule: Vec::new(),
                headers: Vec::new(),
                disabled: None,
            };
            Ok(Ready {
                registration,
                keys,
                headers,
            })
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

    /// The key and the headers of a registration, as they are stored.
    pub(super) async fn stored(&self, id: &str) -> Result<Option<[String; 2]>, Problem> {
        let mut rows = self
            .rows(schema::STORED, vec![Value::Text(id.to_string())])
            .await?;
        rows.pop().map(texts).transpose()
    }

    /// Id, key, the key before it, if there is one, and headers of every registration, and of every reservation, as they
    /// are stored.
    pub(super) async fn sealed(&self) -> Result<Vec<[String; 4]>, Problem> {
        let rows = self.rows(schema::SEALED, Vec::new()).await?;
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

    /// Removes the keys that sign no more at `now`.
    pub(super) async fn forget(&self, now: i64) -> Result<(), Problem> {
        self.rows(schema::FORGET, vec![Value::Integer(now)]).await?;
        Ok(())
    }

    /// Stores the same keys and the same headers otherwise. Answers whether they were still the ones.
    pub(super) async fn reseal(
        &self,
        id: &str,
        stored: &[String; 3],
        sealed: &[String; 3],
    ) -> Result<bool, Problem> {
        let texts = stored.iter().chain(sealed).map(String::as_str);
        let values = std::iter::once(id)
            .chain(texts)
            .map(|text| Value::Text(text.into()));
        let rows = self.rows(schema::RESEAL, values.collect()).await?;
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
    let [id, url, event, schedule, names, at, reason] = shaped(row)?;
    let [id, url, event, schedule, names] = texts(vec![id, url, event, schedule, names])?;
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
        headers: read(&names)?,
        disabled,
    })
}

/// A list of a row, as it is kept.
fn written(list: &[impl Serialize]) -> String {
    // Numbers and texts always serialize.
    serde_json::to_string(list).unwrap_or_default()
}

/// The list of [`written`].
pub(super) fn read<T: DeserializeOwned>(list: &str) -> Result<Vec<T>, Problem> {
    serde_json::from_str(list).map_err(|error| {
        Problem::internal(format!("a list of a registration is not readable: {error}"))
    })
}

/// The keys of a row that sign at `now`: its key, the one before and until when that signs.
pub(super) fn keys(
    ring: &Ring,
    now: i64,
    id: &str,
    (key, old, until): (String, Value, Value),
) -> Result<Keys, Problem> {
    let open = |stored: &str| ring.open(stored, What::Key(id)).map_err(Problem::internal);
    let previous = match (old, until) {
        // One whose time is over is not opened: its secret may be gone.
        (Value::Text(old), Value::Integer(until)) if now < until => Some((open(&old)?, until)),
        _ => None,
    };
    Ok(Keys::at(now, open(&key)?, previous))
}

/// The headers of a row.
pub(super) fn headers(ring: &Ring, id: &str, sealed: &str) -> Result<Custom, Problem> {
    let opened = ring.open(sealed, What::Headers(id));
    let headers = opened.and_then(|kept| Custom::from_kept(&kept));
    headers.map_err(Problem::internal)
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

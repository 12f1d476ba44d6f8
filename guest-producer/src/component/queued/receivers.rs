//! Who gets what. In comes an event's type, or a registration's id; out go receivers. It never gives a key to
//! anyone but the one who delivers.

use crate::component::bindings::spin::sqlite::sqlite::Value;
use crate::component::database::{Database, headers, keys, read, shaped, texts};
use crate::component::surroundings::{now, ring};
use crate::custom::Custom;
use crate::filter;
use crate::keys::Keys;
use crate::problem::Problem;
use crate::schema;

/// A registration as its deliveries know it.
pub(super) struct Receiver {
    pub(super) id: String,
    schedule: Vec<u64>,
}

impl Receiver {
    /// Its own schedule, in milliseconds, if it has one.
    pub(super) fn schedule(&self) -> Option<Vec<u64>> {
        let milliseconds = |seconds: &u64| seconds.saturating_mul(1000);
        (!self.schedule.is_empty()).then(|| self.schedule.iter().map(milliseconds).collect())
    }
}

/// All that want events of this type and are not disabled.
pub(super) async fn of(kind: &str) -> Result<Vec<Receiver>, Problem> {
    // Texts always serialize.
    let filters = serde_json::to_string(&filter::matching(kind)).unwrap_or_default();
    let rows = Database::open()
        .await?
        .rows(schema::WISHES, vec![Value::Text(filters)])
        .await?;
    let receiver = |row| {
        let [id, schedule] = texts(row)?;
        let schedule = read(&schedule)?;
        Ok(Receiver { id, schedule })
    };
    rows.into_iter().map(receiver).collect()
}

/// The one with this id, disabled or not.
pub(super) async fn one(id: &str) -> Result<Receiver, Problem> {
    let found = Database::open().await?.show(id.to_string()).await?;
    let registration = found.ok_or_else(Problem::no_such_registration)?;
    Ok(Receiver {
        id: registration.id,
        schedule: registration.schedule,
    })
}

/// What a delivery has to know.
pub(super) struct Destination {
    pub(super) url: String,
    pub(super) keys: Keys,
    pub(super) headers: Custom,
    pub(super) failing_since: Option<i64>,
    pub(super) disabled: Option<String>,
}

/// Where to deliver to, if the registration is still there.
pub(super) async fn destination(
    database: &Database,
    id: &str,
) -> Result<Option<Destination>, Problem> {
    let mut rows = database
        .rows(schema::RECEIVER, vec![Value::Text(id.to_string())])
        .await?;
    let Some(row) = rows.pop() else {
        return Ok(None);
    };
    let [url, key, failing_since, disabled, old, until, sealed] = shaped(row)?;
    let [url, key, sealed] = texts(vec![url, key, sealed])?;
    let (ring, now) = (ring().await?, now());
    if matches!(until, Value::Integer(until) if until <= now)
        && let Err(problem) = database.forget(now).await
    {
        // It signs no more, and the next delivery tries again.
        println!("A key whose time is over stays: {}", problem.detail());
    }
    Ok(Some(Destination {
        url,
        keys: keys(&ring, now, id, (key, old, until))?,
        headers: headers(&ring, id, &sealed)?,
        failing_since: match failing_since {
            Value::Integer(since) => Some(since),
            _ => None,
        },
        disabled: match disabled {
            Value::Text(reason) => Some(reason),
            _ => None,
        },
    }))
}

/// Notes how the last delivery went, where that changes something.
pub(super) async fn note(
    database: &Database,
    id: &str,
    failing_since: Option<i64>,
    failed_at: Option<i64>,
) -> Result<(), Problem> {
    let id = Value::Text(id.to_string());
    match (failing_since, failed_at) {
        (None, Some(now)) => {
            let values = vec![id, Value::Integer(now)];
            database.rows(schema::FAILS, values).await?;
        }
        (Some(_), None) => {
            database.rows(schema::WORKS, vec![id]).await?;
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    Ok(())
}

/// Delivers nothing to it any more.
pub(super) async fn disable(
    database: &Database,
    id: &str,
    now: i64,
    reason: &str,
) -> Result<(), Problem> {
    let values = vec![
        Value::Text(id.to_string()),
        Value::Integer(now),
        Value::Text(reason.to_string()),
    ];
    database.rows(schema::DISABLE, values).await?;
    Ok(())
}

/// Delivers to it again. Answers whether it is there.
pub(super) async fn enable(id: &str) -> Result<bool, Problem> {
    let database = Database::open().await?;
    let values = vec![Value::Text(id.to_string())];
    Ok(!database.rows(schema::ENABLE, values).await?.is_empty())
}

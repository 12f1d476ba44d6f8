//! The statements, and what the database means by its answers. In comes nothing, or an error's text;
//! out go SQL and a judgement. It never runs a statement.

/// How long a pending registration keeps its URL, in seconds: well over a handshake's time.
pub const PENDING_SECONDS: i64 = 60;

/// Reserves a URL: URL, EVENT, KEY, ID, now, and the time up to which a pending row is abandoned.
/// One statement, so that of two requests at once one gets the row. Answers the id if it did.
pub const RESERVE: &str = "\
    INSERT INTO REGISTRATIONS (URL, EVENT, KEY, ID, STATE, CREATED_AT) \
    VALUES (?1, ?2, ?3, ?4, 'pending', ?5) \
    ON CONFLICT (URL) DO UPDATE SET EVENT = excluded.EVENT, KEY = excluded.KEY, ID = excluded.ID, \
    CREATED_AT = excluded.CREATED_AT \
    WHERE STATE = 'pending' AND CREATED_AT < ?6 \
    RETURNING ID";

/// Who has a URL: ID and STATE.
pub const HOLDER: &str = "SELECT ID, STATE FROM REGISTRATIONS WHERE URL = ?1";

/// Makes a pending registration active. Answers its id if it was still there.
pub const ACTIVATE: &str = "\
    UPDATE REGISTRATIONS SET STATE = 'active' WHERE ID = ?1 AND STATE = 'pending' RETURNING ID";

/// Takes a reservation back.
pub const RELEASE: &str = "DELETE FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'pending'";

/// ID, URL and EVENT of every active registration, the oldest first.
pub const LIST: &str = "\
    SELECT ID, URL, EVENT FROM REGISTRATIONS WHERE STATE = 'active' ORDER BY CREATED_AT, ROWID";

/// ID, URL, EVENT and KEY of every active registration, the oldest first: for signing only.
pub const LIST_WITH_KEYS: &str = "\
    SELECT ID, URL, EVENT, KEY FROM REGISTRATIONS WHERE STATE = 'active' ORDER BY CREATED_AT, ROWID";

/// ID, URL and EVENT of one active registration.
pub const SHOW: &str = "\
    SELECT ID, URL, EVENT FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'active'";

/// Removes one active registration. Answers its id if there was one.
pub const REMOVE: &str = "\
    DELETE FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'active' RETURNING ID";

/// Removes every registration.
pub const CLEAR: &str = "DELETE FROM REGISTRATIONS";

/// Whether an error's text says that the migrations were not applied. The interface has no variant
/// for it, so there is only SQLite's text to go by.
#[must_use]
pub fn lacks_migrations(error: &str) -> bool {
    let signs = ["no such table", "no such column", "has no column named"];
    signs.iter().any(|sign| error.contains(sign))
}

/// What to say when [`lacks_migrations`].
pub const MIGRATIONS: &str = "the table REGISTRATIONS is missing or old: apply \
    migrations/0001-registrations.sql and migrations/0002-registration-state.sql to the database \
    `default`";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, OptionalExtension, params};

    const MIGRATED: [&str; 2] = [
        include_str!("../migrations/0001-registrations.sql"),
        include_str!("../migrations/0002-registration-state.sql"),
    ];

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        for migration in MIGRATED {
            database.execute_batch(migration).unwrap();
        }
        database
    }

    fn reserve(database: &Connection, url: &str, id: &str, now: i64) -> Option<String> {
        let values = params![url, "*", "key", id, now, now - PENDING_SECONDS];
        database
            .query_row(RESERVE, values, |row| row.get(0))
            .optional()
            .unwrap()
    }

    fn one(database: &Connection, statement: &str, id: &str) -> Option<String> {
        database
            .query_row(statement, [id], |row| row.get(0))
            .optional()
            .unwrap()
    }

    fn ids(database: &Connection, statement: &str) -> Vec<String> {
        let mut statement = database.prepare(statement).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_pending_url_is_reserved_once_until_it_is_abandoned() {
        let database = database();
        assert_eq!(reserve(&database, "u", "a", 1000).as_deref(), Some("a"));
        assert_eq!(reserve(&database, "u", "b", 1000 + PENDING_SECONDS), None);
        assert_eq!(
            reserve(&database, "u", "c", 1001 + PENDING_SECONDS).as_deref(),
            Some("c")
        );
        // The one that was too slow can neither complete nor take away what is not its own.
        assert_eq!(one(&database, ACTIVATE, "a"), None);
        database.execute(RELEASE, ["a"]).unwrap();
        assert_eq!(one(&database, ACTIVATE, "c").as_deref(), Some("c"));
    }

    #[test]
    fn an_active_url_stays_reserved() {
        let database = database();
        reserve(&database, "u", "a", 1000);
        one(&database, ACTIVATE, "a");
        assert_eq!(reserve(&database, "u", "b", 1_000_000), None);
        database.execute(RELEASE, ["a"]).unwrap();
        let state: String = database
            .query_row(HOLDER, ["u"], |row| row.get("STATE"))
            .unwrap();
        assert_eq!(state, "active");
    }

    #[test]
    fn only_active_registrations_are_seen_and_in_their_order() {
        let database = database();
        for (id, now) in [("z", 1000), ("a", 1001), ("m", 1001), ("p", 999)] {
            reserve(&database, id, id, now);
        }
        for id in ["m", "a", "z"] {
            one(&database, ACTIVATE, id);
        }
        assert_eq!(ids(&database, LIST), ["z", "a", "m"]);
        assert_eq!(ids(&database, LIST_WITH_KEYS), ["z", "a", "m"]);
        assert_eq!(one(&database, SHOW, "p"), None);
        assert_eq!(one(&database, REMOVE, "p"), None);
        assert_eq!(one(&database, SHOW, "a").as_deref(), Some("a"));
        assert_eq!(one(&database, REMOVE, "a").as_deref(), Some("a"));
        assert_eq!(one(&database, REMOVE, "a"), None);
        database.execute(CLEAR, []).unwrap();
        assert_eq!(one(&database, HOLDER, "p"), None);
    }

    #[test]
    fn rows_from_before_are_active_and_get_ids() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(MIGRATED[0]).unwrap();
        let row = "INSERT INTO REGISTRATIONS (URL, EVENT, KEY) VALUES (?1, '*', 'k')";
        database.execute(row, ["u"]).unwrap();
        database.execute(row, ["v"]).unwrap();
        database.execute_batch(MIGRATED[1]).unwrap();
        let ids = ids(&database, LIST);
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().all(|id| crate::draw::is_id(id)));
    }

    #[test]
    fn missing_migrations_are_recognised() {
        let empty = Connection::open_in_memory().unwrap();
        let error = empty.prepare(LIST).unwrap_err().to_string();
        assert!(lacks_migrations(&error), "{error}");
        empty.execute_batch(MIGRATED[0]).unwrap();
        for statement in [LIST, RESERVE, SHOW] {
            let error = empty.prepare(statement).unwrap_err().to_string();
            assert!(lacks_migrations(&error), "{error}");
        }
        assert!(!lacks_migrations("database is locked"));
    }
}

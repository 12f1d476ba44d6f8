//! The statements, and what the database means by its answers. In comes nothing, or an error's text;
//! out go SQL and a judgement. It never runs a statement.

/// How long a pending registration keeps its URL, in seconds: well over a handshake's time.
pub const PENDING_SECONDS: i64 = 60;

/// Reserves a URL: URL, EVENT, KEY, ID, now, the time up to which a pending row is abandoned, SCHEDULE, HEADER_NAMES
/// and HEADERS.
/// One statement, so that of two requests at once one gets the row. Answers the id if it did.
pub const RESERVE: &str = "\
    INSERT INTO REGISTRATIONS (URL, EVENT, KEY, ID, STATE, CREATED_AT, SCHEDULE, HEADER_NAMES, HEADERS) \
    VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?7, ?8, ?9) \
    ON CONFLICT (URL) DO UPDATE SET EVENT = excluded.EVENT, KEY = excluded.KEY, ID = excluded.ID, \
    CREATED_AT = excluded.CREATED_AT, SCHEDULE = excluded.SCHEDULE, HEADER_NAMES = excluded.HEADER_NAMES, \
    HEADERS = excluded.HEADERS \
    WHERE STATE = 'pending' AND CREATED_AT < ?6 \
    RETURNING ID";

/// Who has a URL: ID and STATE.
pub const HOLDER: &str = "SELECT ID, STATE FROM REGISTRATIONS WHERE URL = ?1";

/// Makes a pending registration active. Answers its id if it was still there.
pub const ACTIVATE: &str = "\
    UPDATE REGISTRATIONS SET STATE = 'active' WHERE ID = ?1 AND STATE = 'pending' RETURNING ID";

/// Takes a reservation back.
pub const RELEASE: &str = "DELETE FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'pending'";

/// ID, URL, EVENT, SCHEDULE, HEADER_NAMES, DISABLED_AT and DISABLED_REASON of every active registration, the oldest first.
pub const LIST: &str = "\
    SELECT ID, URL, EVENT, SCHEDULE, HEADER_NAMES, DISABLED_AT, DISABLED_REASON FROM REGISTRATIONS \
    WHERE STATE = 'active' ORDER BY CREATED_AT, ROWID";

/// ID, URL, EVENT, KEY, OLD_KEY, OLD_KEY_UNTIL and HEADERS of every registration that is delivered to, the oldest first:
/// for deliveries only.
pub const LIST_WITH_KEYS: &str = "\
    SELECT ID, URL, EVENT, KEY, OLD_KEY, OLD_KEY_UNTIL, HEADERS FROM REGISTRATIONS WHERE STATE = 'active' AND DISABLED_AT IS NULL \
    ORDER BY CREATED_AT, ROWID";

/// ID and SCHEDULE of every registration that is delivered to and has one of these filters, a list in JSON; the
/// oldest first.
pub const WISHES: &str = "\
    SELECT ID, SCHEDULE FROM REGISTRATIONS \
    WHERE EVENT IN (SELECT value FROM json_each(?1)) AND STATE = 'active' AND DISABLED_AT IS NULL \
    ORDER BY CREATED_AT, ROWID";

/// URL, KEY, FAILING_SINCE, DISABLED_REASON, OLD_KEY, OLD_KEY_UNTIL and HEADERS of one active registration: for one
/// delivery.
pub const RECEIVER: &str = "\
    SELECT URL, KEY, FAILING_SINCE, DISABLED_REASON, OLD_KEY, OLD_KEY_UNTIL, HEADERS FROM REGISTRATIONS \
    WHERE ID = ?1 AND STATE = 'active'";

/// What [`LIST`] says, of one active registration.
pub const SHOW: &str = "\
    SELECT ID, URL, EVENT, SCHEDULE, HEADER_NAMES, DISABLED_AT, DISABLED_REASON FROM REGISTRATIONS \
    WHERE ID = ?1 AND STATE = 'active'";

/// KEY and HEADERS of one active registration.
pub const STORED: &str =
    "SELECT KEY, HEADERS FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'active'";

/// ID, KEY, OLD_KEY or the empty text, and HEADERS of every row.
pub const SEALED: &str =
    "SELECT ID, KEY, coalesce(OLD_KEY, '') AS OLD_KEY, HEADERS FROM REGISTRATIONS";

/// Replaces a key that is still the one that it was: ID, the stored key, the new one, and the time until which the old
/// one signs as well. Answers the id if it was.
pub const REPLACE_KEY: &str = "\
    UPDATE REGISTRATIONS SET OLD_KEY = KEY, OLD_KEY_UNTIL = ?4, KEY = ?3 WHERE ID = ?1 AND KEY = ?2 \
    RETURNING ID";

/// Stores keys and headers otherwise, if they are still what they were: ID, then KEY, OLD_KEY and HEADERS as they are
/// stored, and as they are stored from now on. An OLD_KEY that was removed meanwhile stays so. Answers the id if they
/// were.
pub const RESEAL: &str = "\
    UPDATE REGISTRATIONS \
    SET KEY = ?5, OLD_KEY = CASE WHEN OLD_KEY IS NOT NULL THEN ?6 END, HEADERS = ?7 \
    WHERE ID = ?1 AND KEY = ?2 AND coalesce(OLD_KEY, ?3) = ?3 AND HEADERS = ?4 \
    RETURNING ID";

/// Removes every key that signs no more at this time.
pub const FORGET: &str = "\
    UPDATE REGISTRATIONS SET OLD_KEY = NULL, OLD_KEY_UNTIL = NULL WHERE OLD_KEY_UNTIL <= ?1";

/// Notes that a delivery failed, now: ID and the time. It stays at the first time until one works.
pub const FAILS: &str = "\
    UPDATE REGISTRATIONS SET FAILING_SINCE = ?2 WHERE ID = ?1 AND FAILING_SINCE IS NULL";

/// Notes that a delivery worked.
pub const WORKS: &str = "UPDATE REGISTRATIONS SET FAILING_SINCE = NULL WHERE ID = ?1";

/// Disables a registration: ID, the time and the reason.
pub const DISABLE: &str = "\
    UPDATE REGISTRATIONS SET DISABLED_AT = ?2, DISABLED_REASON = ?3 \
    WHERE ID = ?1 AND DISABLED_AT IS NULL";

/// Lets a registration be delivered to again. Answers its id if there is one.
pub const ENABLE: &str = "\
    UPDATE REGISTRATIONS SET DISABLED_AT = NULL, DISABLED_REASON = NULL, FAILING_SINCE = NULL \
    WHERE ID = ?1 AND STATE = 'active' RETURNING ID";

/// Removes one active registration. Answers its id if there was one.
pub const REMOVE: &str = "\
    DELETE FROM REGISTRATIONS WHERE ID = ?1 AND STATE = 'active' RETURNING ID";

/// Removes every registration. Answers their ids.
pub const CLEAR: &str = "DELETE FROM REGISTRATIONS RETURNING ID";

/// Whether an error's text says that the migrations were not applied. The interface has no variant
/// for it, so there is only SQLite's text to go by.
#[must_use]
pub fn lacks_migrations(error: &str) -> bool {
    let signs = ["no such table", "no such column", "has no column named"];
    signs.iter().any(|sign| error.contains(sign))
}

/// What to say when [`lacks_migrations`].
pub const MIGRATIONS: &str = "the table REGISTRATIONS is missing or old: apply \
    0001-registrations.sql, 0002-registration-state.sql, 0003-delivery.sql, 0004-rotation.sql, 0005-wishes.sql and \
    0006-headers.sql, all in migrations/, to the database `default`";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, OptionalExtension, params};

    const MIGRATED: [&str; 6] = [
        include_str!("../migrations/0001-registrations.sql"),
        include_str!("../migrations/0002-registration-state.sql"),
        include_str!("../migrations/0003-delivery.sql"),
        include_str!("../migrations/0004-rotation.sql"),
        include_str!("../migrations/0005-wishes.sql"),
        include_str!("../migrations/0006-headers.sql"),
    ];

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        for migration in MIGRATED {
            database.execute_batch(migration).unwrap();
        }
        database
    }

    fn reserve(database: &Connection, url: &str, id: &str, now: i64) -> Option<String> {
        let until = now - PENDING_SECONDS;
        let values = params![url, "*", "key", id, now, until, "[]", "[]", ""];
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

    fn wishes(database: &Connection, filter: &str) -> Vec<String> {
        let mut statement = database.prepare(WISHES).unwrap();
        let filters = format!("[\"order.paid\",\"{filter}\"]");
        let rows = statement.query_map([filters], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_wish_is_found_by_its_filter_alone() {
        let database = database();
        reserve(&database, "u", "a", 1000);
        one(&database, ACTIVATE, "a");
        assert_eq!(wishes(&database, "*"), ["a"]);
        assert!(wishes(&database, "order.*").is_empty());
        let text = format!("EXPLAIN QUERY PLAN {WISHES}");
        let mut plan = database.prepare(&text).unwrap();
        let steps = plan.query_map([""], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        let indexed = |step: &String| step.contains("USING INDEX REGISTRATIONS_EVENT (EVENT=?)");
        assert!(steps.iter().any(indexed), "{steps:?}");
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
        assert_eq!(ids(&database, CLEAR), ["z", "m", "p"]);
        assert_eq!(one(&database, HOLDER, "p"), None);
    }

    #[test]
    fn rows_from_before_are_active_and_get_ids() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(MIGRATED[0]).unwrap();
        let row = "INSERT INTO REGISTRATIONS (URL, EVENT, KEY) VALUES (?1, '*', 'k')";
        database.execute(row, ["u"]).unwrap();
        database.execute(row, ["v"]).unwrap();
        for migration in &MIGRATED[1..] {
            database.execute_batch(migration).unwrap();
        }
        let ids = ids(&database, LIST);
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().all(|id| crate::draw::is_id(id)));
    }

    #[test]
    fn who_is_disabled_is_seen_and_gets_nothing_until_it_is_enabled() {
        let database = database();
        reserve(&database, "u", "a", 1000);
        one(&database, ACTIVATE, "a");
        let failing = || {
            let row = |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>("FAILING_SINCE");
            database.query_row(RECEIVER, ["a"], row).unwrap()
        };
        for now in [1001, 1002] {
            database.execute(FAILS, params!["a", now]).unwrap();
            assert_eq!(failing(), Some(1001));
        }
        database.execute(WORKS, ["a"]).unwrap();
        assert_eq!(failing(), None);
        for reason in ["first", "second"] {
            let disable = params!["a", 1003, reason];
            database.execute(DISABLE, disable).unwrap();
        }
        assert_eq!(ids(&database, LIST), ["a"]);
        assert!(wishes(&database, "*").is_empty());
        assert!(ids(&database, LIST_WITH_KEYS).is_empty());
        let reason = |row: &rusqlite::Row<'_>| row.get::<_, Option<String>>("DISABLED_REASON");
        let said = database.query_row(RECEIVER, ["a"], reason).unwrap();
        assert_eq!(said.as_deref(), Some("first"));
        assert_eq!(one(&database, ENABLE, "a").as_deref(), Some("a"));
        assert_eq!(wishes(&database, "*"), ["a"]);
        assert_eq!(one(&database, ENABLE, "b"), None);
    }

    #[test]
    fn a_key_is_replaced_once_and_the_old_one_is_kept() {
        let database = database();
        reserve(&database, "u", "a", 1000);
        one(&database, ACTIVATE, "a");
        let replace = |new: &str| {
            let values = params!["a", "key", new, 2000];
            let id = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            database
                .query_row(REPLACE_KEY, values, id)
                .optional()
                .unwrap()
        };
        assert_eq!(replace("new").as_deref(), Some("a"));
        assert_eq!(replace("other"), None);
        let row = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get("KEY")?,
                row.get("OLD_KEY")?,
                row.get("OLD_KEY_UNTIL")?,
            ))
        };
        let keys: (String, String, i64) = database.query_row(RECEIVER, ["a"], row).unwrap();
        assert_eq!(keys, ("new".into(), "key".into(), 2000));
    }

    #[test]
    fn a_row_is_sealed_anew_only_if_nothing_of_it_has_changed() {
        let database = database();
        reserve(&database, "u", "a", 1000);
        let reseal = |stored: [&str; 3], sealed: [&str; 3]| {
            let ([key, old, headers], [new_key, new_old, new_headers]) = (stored, sealed);
            let values = params!["a", key, old, headers, new_key, new_old, new_headers];
            let id = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            database.query_row(RESEAL, values, id).optional().unwrap()
        };
        let kept = || {
            let row = |row: &rusqlite::Row<'_>| {
                Ok([row.get("KEY")?, row.get("OLD_KEY")?, row.get("HEADERS")?])
            };
            let kept: [String; 3] = database.query_row(SEALED, [], row).unwrap();
            kept
        };
        let first = ["key 1", "", "headers 1"];
        assert_eq!(reseal(["other", "", ""], first), None);
        assert_eq!(reseal(["key", "", "other"], first), None);
        assert_eq!(reseal(["key", "", ""], first).as_deref(), Some("a"));
        assert_eq!(kept(), first);

        // One that was replaced is sealed anew as long as it is there.
        let replace = params!["a", "key 1", "key 2", 2000];
        database
            .query_row(REPLACE_KEY, replace, |_| Ok(()))
            .unwrap();
        let (stored, sealed) = (["key 2", "key 1", "headers 1"], ["k", "o", "h"]);
        assert_eq!(kept(), stored);
        assert_eq!(reseal(["key 2", "key 0", "headers 1"], sealed), None);
        assert_eq!(reseal(stored, sealed).as_deref(), Some("a"));
        assert_eq!(kept(), sealed);
        database.execute(FORGET, [1999]).unwrap();
        assert_eq!(kept(), sealed);
        database.execute(FORGET, [2000]).unwrap();
        assert_eq!(kept(), ["k", "", "h"]);
        // Removed between the look and the change.
        let late = ["l", "p", "i"];
        assert_eq!(reseal(sealed, late).as_deref(), Some("a"));
        assert_eq!(kept(), ["l", "", "i"]);
    }

    #[test]
    fn missing_migrations_are_recognised() {
        let empty = Connection::open_in_memory().unwrap();
        let error = empty.prepare(LIST).unwrap_err().to_string();
        assert!(lacks_migrations(&error), "{error}");
        empty.execute_batch(MIGRATED[0]).unwrap();
        for statement in [LIST, RESERVE, SHOW, WISHES] {
            let error = empty.prepare(statement).unwrap_err().to_string();
            assert!(lacks_migrations(&error), "{error}");
        }
        assert!(!lacks_migrations("database is locked"));
    }
}

//! The statements by which a delivery is applied once, and what the database means by its answers. In comes
//! nothing, or an error's text; out go SQL and a judgement. It never runs a statement.

/// How long a claim holds, in seconds: well over the time that a request may take. Whoever claimed and did not
/// come to an end by then is gone, and the next request takes over.
pub const LEASE: i64 = 60;

/// How long it is known that a delivery was applied, in seconds: 8 days. The longest schedule by which our producer
/// tries again is 75 h 35 m, and others' are of days.
pub const RETENTION: i64 = 8 * 24 * 60 * 60;

/// How many deliveries are known at most. Beyond that the oldest are forgotten before their time: a row has some
/// hundred bytes, so this is some hundred megabytes.
pub const ROWS: i64 = 1_000_000;

/// Claims a delivery: ID, now, and the time up to which a claim is abandoned. One statement, so that of two
/// requests at once one gets it. Answers the number of the claim if it did.
pub const CLAIM: &str = "\
    INSERT INTO DELIVERIES (ID, STATE, CLAIM, AT) VALUES (?1, 'claimed', 1, ?2) \
    ON CONFLICT (ID) DO UPDATE SET CLAIM = CLAIM + 1, AT = excluded.AT \
    WHERE STATE = 'claimed' AND AT < ?3 \
    RETURNING CLAIM";

/// What became of a delivery that could not be claimed: STATE.
pub const STATE: &str = "SELECT STATE FROM DELIVERIES WHERE ID = ?1";

/// Notes that a delivery was applied: ID, the number of the claim, TYPE, now. Answers the number if the claim still
/// held.
pub const COMMIT: &str = "\
    UPDATE DELIVERIES SET STATE = 'applied', TYPE = ?3, AT = ?4 \
    WHERE ID = ?1 AND CLAIM = ?2 AND STATE = 'claimed' \
    RETURNING CLAIM";

/// Gives a claim back: ID, the number of the claim.
pub const RELEASE: &str = "\
    DELETE FROM DELIVERIES WHERE ID = ?1 AND CLAIM = ?2 AND STATE = 'claimed'";

/// Forgets what is too old, or too much: the time up to which a row is too old, and [`ROWS`]. A request adds at most
/// one row and looks at the four oldest, so it takes no longer for a large table than for a small one, and the
/// table shrinks faster than it grows.
pub const FORGET: &str = "\
    DELETE FROM DELIVERIES \
    WHERE SEQ IN (SELECT SEQ FROM DELIVERIES ORDER BY SEQ LIMIT 4) \
    AND (AT < ?1 OR SEQ <= (SELECT max(SEQ) FROM DELIVERIES) - ?2)";

/// Whether an error's text says that the migration was not applied. The interface has no variant for it, so there
/// is only SQLite's text to go by.
#[must_use]
pub fn lacks_migration(error: &str) -> bool {
    let signs = ["no such table", "no such column", "has no column named"];
    signs.iter().any(|sign| error.contains(sign))
}

/// What to say when [`lacks_migration`].
pub const MIGRATION: &str = "the table DELIVERIES is missing or old: apply \
    migrations/0001-deliveries.sql to the database `default`";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, OptionalExtension, params};

    const NOW: i64 = 1_700_000_000;

    struct Database(Connection);

    impl Database {
        fn new() -> Self {
            let database = Connection::open_in_memory().unwrap();
            let migration = include_str!("../migrations/0001-deliveries.sql");
            database.execute_batch(migration).unwrap();
            Self(database)
        }

        fn one<T: rusqlite::types::FromSql>(
            &self,
            statement: &str,
            values: impl rusqlite::Params,
        ) -> Option<T> {
            let row = self.0.query_row(statement, values, |row| row.get(0));
            row.optional().unwrap()
        }

        fn claim(&self, id: &str, now: i64) -> Option<i64> {
            self.one(CLAIM, params![id, now, now - LEASE])
        }

        fn state(&self, id: &str) -> Option<String> {
            self.one(STATE, [id])
        }

        fn commit(&self, id: &str, claim: i64, now: i64) -> bool {
            let values = params![id, claim, "a.b", now];
            self.one::<i64>(COMMIT, values) == Some(claim)
        }

        fn release(&self, id: &str, claim: i64) {
            self.0.execute(RELEASE, params![id, claim]).unwrap();
        }

        fn forget(&self, now: i64, rows: i64) -> usize {
            let values = params![now - RETENTION, rows];
            self.0.execute(FORGET, values).unwrap()
        }
    }

    #[test]
    fn a_delivery_is_claimed_once_and_stays_applied() {
        let database = Database::new();
        assert_eq!(database.claim("a", NOW), Some(1));
        assert_eq!(database.claim("a", NOW), None);
        assert_eq!(database.state("a").as_deref(), Some("claimed"));
        assert!(database.commit("a", 1, NOW));
        assert_eq!(database.claim("a", NOW + RETENTION), None);
        assert_eq!(database.state("a").as_deref(), Some("applied"));
        database.release("a", 1);
        assert_eq!(database.state("a").as_deref(), Some("applied"));
        assert_eq!(database.claim("A", NOW), Some(1));
    }

    #[test]
    fn a_claim_that_was_given_back_can_be_had_again() {
        let database = Database::new();
        database.claim("a", NOW);
        database.release("a", 1);
        assert_eq!(database.state("a"), None);
        assert_eq!(database.claim("a", NOW), Some(1));
    }

    #[test]
    fn a_claim_is_taken_over_after_its_lease_and_worth_nothing_then() {
        let database = Database::new();
        database.claim("a", NOW);
        assert_eq!(database.claim("a", NOW + LEASE), None);
        assert_eq!(database.claim("a", NOW + LEASE + 1), Some(2));
        assert!(!database.commit("a", 1, NOW + LEASE + 1));
        database.release("a", 1);
        // The lease of the second is its own.
        assert_eq!(database.claim("a", NOW + LEASE + 2), None);
        assert!(database.commit("a", 2, NOW + LEASE + 2));
        assert!(!database.commit("a", 2, NOW + LEASE + 2));
    }

    #[test]
    fn what_is_old_is_forgotten_a_few_at_a_time() {
        let database = Database::new();
        for id in ["a", "b", "c", "d", "e", "f"] {
            database.claim(id, NOW);
            database.commit(id, 1, NOW);
        }
        assert_eq!(database.forget(NOW + RETENTION, ROWS), 0);
        database.claim("g", NOW + RETENTION);
        assert_eq!(database.forget(NOW + RETENTION + 1, ROWS), 4);
        assert_eq!(database.forget(NOW + RETENTION + 1, ROWS), 2);
        assert_eq!(database.forget(NOW + RETENTION + 1, ROWS), 0);
        assert_eq!(database.state("f"), None);
        assert_eq!(database.state("g").as_deref(), Some("claimed"));
    }

    #[test]
    fn there_are_never_more_rows_than_that() {
        let database = Database::new();
        for id in 0..50 {
            database.claim(&id.to_string(), NOW);
            database.forget(NOW, 5);
            let count: i64 = database.one("SELECT count(*) FROM DELIVERIES", []).unwrap();
            assert!(count <= 5);
        }
        assert_eq!(database.state("44"), None);
        assert!(database.state("45").is_some());
    }

    #[test]
    fn a_request_looks_at_no_more_rows_of_a_large_table() {
        let database = Database::new();
        let plan: Vec<String> = database
            .0
            .prepare(&format!("EXPLAIN QUERY PLAN {FORGET}"))
            .unwrap()
            .query_map(params![0, 0], |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        // The one scan is the subquery that ends at its fourth row.
        let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
        assert_eq!(scans.count(), 1, "{plan:?}");
    }

    #[test]
    fn a_missing_migration_is_recognised() {
        let empty = Connection::open_in_memory().unwrap();
        for statement in [CLAIM, STATE, COMMIT, RELEASE, FORGET] {
            let error = empty.prepare(statement).unwrap_err().to_string();
            assert!(lacks_migration(&error), "{error}");
        }
        assert!(!lacks_migration("database is locked"));
    }
}

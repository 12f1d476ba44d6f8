//! The laws of the start: what is kept, what runs once, what is found out.

use super::super::{Config, Migration, OpenError};
use super::{config, connect, done, label, open, run};
use std::error::Error as _;

fn migration(name: &str, sql: &str) -> Migration {
    Migration {
        label: label(),
        component: "producer".into(),
        name: name.into(),
        sql: sql.into(),
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let (directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE t (a)").await;
    done(&connection, "INSERT INTO t VALUES (1)").await;
    drop((connection, shared));
    let shared = config(directory.path()).open().unwrap();
    assert_eq!(done(&connect(&shared), "SELECT * FROM t").await.len(), 1);
}

#[tokio::test]
async fn a_migration_runs_once() {
    let directory = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (a); INSERT INTO t VALUES (1);";
    for _ in 0..2 {
        let migrations = vec![migration("0001", sql)];
        let shared = Config {
            migrations,
            ..config(directory.path())
        }
        .open()
        .unwrap();
        assert_eq!(done(&connect(&shared), "SELECT * FROM t").await.len(), 1);
    }
}

#[test]
fn a_migration_that_changed_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let open = |sql| {
        Config {
            migrations: vec![migration("0001", sql)],
            ..config(directory.path())
        }
        .open()
    };
    assert!(open("CREATE TABLE t (a)").is_ok());
    let error = open("CREATE TABLE t (b)").err().unwrap();
    assert!(error.to_string().contains("`0001`"), "{error}");
    assert!(error.source().unwrap().to_string().contains("changed"));
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for sql in [
        "CREATE TABLE t (a); INSERT INTO absent VALUES (1)",
        "CREATE TABLE t (a); COMMIT",
        "CREATE TABLE t (a); ATTACH ':memory:' AS other",
    ] {
        let migrations = vec![migration("0001", sql)];
        let failed = Config {
            migrations,
            ..config(directory.path())
        }
        .open()
        .err()
        .unwrap();
        assert!(matches!(&failed, OpenError::Migration { name, .. } if name == "0001"));
        let shared = config(directory.path()).open().unwrap();
        assert!(run(&connect(&shared), "SELECT * FROM t").await.is_err());
    }
}

/// Why the databases did not open, all causes in one line.
fn refusal(directory: &std::path::Path) -> String {
    let error = config(directory).open().err().unwrap();
    assert!(matches!(error, OpenError::Open { .. }), "{error}");
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    assert!(words.contains("default.db"), "{words}");
    words
}

/// Changes the bytes of the database's file, which nobody has open.
fn spoil(directory: &std::path::Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = directory.join("default.db");
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_found_at_the_start() {
    let (directory, shared) = open();
    drop(shared);
    spoil(directory.path(), |bytes| bytes.fill(b'x'));
    let words = refusal(directory.path());
    assert!(
        words.contains("damaged") && words.contains("signet restore"),
        "{words}"
    );
}

#[tokio::test]
async fn a_damaged_page_is_found_at_the_start() {
    let (directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE t (a)").await;
    let rows = format!(
        "INSERT INTO t SELECT x FROM ({} LIMIT 5000)",
        super::NUMBERS
    );
    done(&connection, &rows).await;
    drop((connection, shared));
    // The last page but one, well behind the schema.
    spoil(directory.path(), |bytes| {
        let at = bytes.len() - 2 * 4096;
        bytes[at..at + 64].fill(0xff);
    });
    let words = refusal(directory.path());
    assert!(
        words.contains("damaged") && words.contains("signet restore"),
        "{words}"
    );
}

#[test]
fn a_file_of_a_newer_host_is_refused() {
    let (directory, shared) = open();
    drop(shared);
    let path = directory.path().join("default.db");
    let connection = ::rusqlite::Connection::open(path).unwrap();
    connection
        .execute("UPDATE signet_form SET form = 2", [])
        .unwrap();
    drop(connection);
    let words = refusal(directory.path());
    assert!(
        words.contains("form 2") && words.contains("newer host"),
        "{words}"
    );
}

#[tokio::test]
async fn a_guest_cannot_make_the_next_start_fail_with_a_check_of_its_own() {
    let (directory, shared) = open();
    let connection = connect(&shared);
    done(
        &connection,
        "CREATE TABLE t (a CHECK (a < (random() & 0) + 5))",
    )
    .await;
    done(&connection, "INSERT INTO t VALUES (1)").await;
    done(&connection, "ALTER TABLE t ADD COLUMN b DEFAULT 0").await;
    drop((connection, shared));
    assert!(config(directory.path()).open().is_ok());
}

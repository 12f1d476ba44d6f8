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

#[test]
fn a_file_that_is_no_database_is_found_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("default.db"), [b'x'; 4096]).unwrap();
    assert!(matches!(
        config(directory.path()).open(),
        Err(OpenError::Open { .. })
    ));
}

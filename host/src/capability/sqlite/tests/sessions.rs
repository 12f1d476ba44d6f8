//! The laws of who has a session of the database, and how long: what a statement left in it stays the connection's
//! own, what it left nothing in is the next one's.

use super::super::{Connection, Error, Limits, Shared};
use super::{connect, done, label, open, open_with, run};
use std::time::Duration;
use tempfile::TempDir;

/// A database with one session, which nobody waits for.
fn with_one_session() -> (TempDir, Shared) {
    open_with(Limits {
        connections: 1,
        wait: Duration::ZERO,
        ..Limits::default()
    })
}

async fn is_refused(connection: &Connection) -> bool {
    let outcome = run(connection, "SELECT 1").await;
    match outcome {
        Ok(_) => false,
        Err(Error::Busy { limit: 1, .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn rowid_and_changes_are_the_connections_own() {
    let (_directory, shared) = open();
    let first = connect(&shared);
    assert_eq!(first.last_insert_rowid().await.unwrap(), 0);
    done(&first, "CREATE TABLE t (a)").await;
    done(&first, "INSERT INTO t VALUES (1), (2)").await;
    assert_eq!(first.last_insert_rowid().await.unwrap(), 2);
    assert_eq!(first.changes().await.unwrap(), 2);
    drop(first);
    // The session is the same, its holder is not.
    let second = connect(&shared);
    assert_eq!(done(&second, "SELECT * FROM t").await.len(), 2);
    assert_eq!(second.last_insert_rowid().await.unwrap(), 0);
    assert_eq!(second.changes().await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_with_temporary_objects_is_not_reused() {
    let (_directory, shared) = open();
    for _ in 0..2 {
        done(&connect(&shared), "CREATE TEMP TABLE mine (a)").await;
    }
    let clean = connect(&shared);
    assert!(run(&clean, "SELECT * FROM mine").await.is_err());
    drop(clean);
    let database = shared.databases.get(&label()).unwrap();
    assert!(database.idle_sessions() >= 1);
}

#[tokio::test]
async fn connections_that_only_read_share_a_session() {
    let (_directory, shared) = with_one_session();
    let [first, second] = [connect(&shared), connect(&shared)];
    for connection in [&first, &second, &first] {
        assert_eq!(done(connection, "SELECT 1").await.len(), 1);
        assert!(run(connection, "not SQL").await.is_err());
        let mut streamed = connection
            .stream("SELECT 1".into(), Vec::new())
            .await
            .unwrap();
        (&mut streamed.end).await.unwrap().unwrap();
    }
    let database = shared.databases.get(&label()).unwrap();
    assert_eq!(database.idle_sessions(), 1);
}

#[tokio::test]
async fn a_session_with_something_in_it_is_its_holders_and_beyond_the_limit_there_is_none() {
    let (_directory, shared) = with_one_session();
    done(&connect(&shared), "CREATE TABLE t (a)").await;
    done(
        &connect(&shared),
        "CREATE TABLE u (a PRIMARY KEY) WITHOUT ROWID",
    )
    .await;
    for sql in [
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO u VALUES (1)",
        "UPDATE t SET a = 2",
        "DELETE FROM u",
        "CREATE TEMP TABLE mine (a)",
    ] {
        let [first, second] = [connect(&shared), connect(&shared)];
        done(&first, sql).await;
        assert!(is_refused(&second).await, "{sql}");
        // To ask what came of it takes no session more, and gives none back.
        first.changes().await.unwrap();
        assert_eq!(second.changes().await.unwrap(), 0, "{sql}");
        done(&first, "SELECT 1").await;
        assert!(is_refused(&second).await, "{sql}");
        drop(first);
        // One that has something to undo is put in order elsewhere.
        while is_refused(&second).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_transaction_that_ended_without_a_change_gives_its_session_back() {
    let (_directory, shared) = with_one_session();
    let [first, second] = [connect(&shared), connect(&shared)];
    done(&first, "BEGIN").await;
    done(&first, "SELECT 1").await;
    assert!(is_refused(&second).await);
    done(&first, "COMMIT").await;
    assert!(!is_refused(&second).await);
}

#[tokio::test]
async fn a_statement_that_fails_after_a_row_has_moved_the_rowid_and_its_session_stays() {
    let (_directory, shared) = with_one_session();
    done(&connect(&shared), "CREATE TABLE t (a CHECK (a > 0))").await;
    let [first, second] = [connect(&shared), connect(&shared)];
    assert!(run(&first, "INSERT INTO t VALUES (1), (-1)").await.is_err());
    assert!(is_refused(&second).await);
}

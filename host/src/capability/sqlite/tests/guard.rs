//! The laws of what a guest's statement may not do.

use super::super::{Error, Value};
use super::{connect, done, open, run};

async fn is_forbidden(sql: &str) {
    let (_directory, shared) = open();
    let outcome = run(&connect(&shared), sql).await;
    assert!(
        matches!(outcome, Err(Error::Forbidden(_))),
        "{sql}: {outcome:?}"
    );
}

#[tokio::test]
async fn attach_is_denied() {
    is_forbidden("ATTACH '/etc/hostname' AS other").await;
    is_forbidden("ATTACH ':memory:' AS other").await;
    is_forbidden("DETACH main").await;
}

#[tokio::test]
async fn vacuum_into_a_file_is_denied() {
    let (directory, shared) = open();
    let target = directory.path().join("copy.db");
    let sql = format!("VACUUM INTO '{}'", target.display());
    assert!(run(&connect(&shared), &sql).await.is_err());
    assert!(!target.exists());
}

#[tokio::test]
async fn extensions_are_denied() {
    // Of a function SQLite says so itself, and not with the code for what is forbidden.
    let (_directory, shared) = open();
    let outcome = run(&connect(&shared), "SELECT load_extension('libc.so.6')").await;
    let words = outcome.err().unwrap().to_string();
    assert!(words.contains("not authorized to use function"), "{words}");
}

#[tokio::test]
async fn pragmas_that_change_the_connection_are_denied() {
    is_forbidden("PRAGMA journal_mode = DELETE").await;
    is_forbidden("PRAGMA synchronous = OFF").await;
    is_forbidden("PRAGMA foreign_keys = OFF").await;
    is_forbidden("PRAGMA writable_schema = ON").await;
    is_forbidden("PRAGMA database_list").await;
}

#[tokio::test]
async fn pragmas_in_the_clothes_of_tables_are_denied_too() {
    let (_directory, shared) = open();
    let outcome = run(&connect(&shared), "SELECT * FROM pragma_database_list").await;
    assert!(outcome.is_err(), "{outcome:?}");
}

#[tokio::test]
async fn pragmas_that_tell_are_allowed() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    done(
        &connection,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
    )
    .await;
    assert_eq!(done(&connection, "PRAGMA table_info(t)").await.len(), 2);
    assert_eq!(
        done(&connection, "SELECT name FROM pragma_table_info('t')")
            .await
            .len(),
        2
    );
    done(&connection, "PRAGMA user_version = 7").await;
    assert_eq!(
        done(&connection, "PRAGMA user_version").await,
        [[Value::Integer(7)]]
    );
    done(&connection, "PRAGMA foreign_keys = ON").await;
    assert_eq!(
        done(&connection, "PRAGMA foreign_keys").await,
        [[Value::Integer(1)]]
    );
    assert_eq!(
        done(&connection, "PRAGMA integrity_check").await,
        [[Value::Text("ok".into())]]
    );
}

#[tokio::test]
async fn full_text_search_works_under_the_guard() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE VIRTUAL TABLE notes USING fts5(body)").await;
    done(&connection, "INSERT INTO notes VALUES ('signed webhooks')").await;
    assert_eq!(
        done(
            &connection,
            "SELECT * FROM notes WHERE notes MATCH 'signed'"
        )
        .await
        .len(),
        1
    );
}

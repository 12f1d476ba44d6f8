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
    for pragma in [
        "journal_mode = DELETE",
        "journal_size_limit = -1",
        "synchronous = OFF",
        "foreign_keys = OFF",
        "writable_schema = ON",
        "locking_mode = EXCLUSIVE",
        "temp_store = MEMORY",
        "temp_store_directory = '/tmp'",
        "data_store_directory = '/tmp'",
        "mmap_size = 1000000000",
        "cache_size = 1000000",
        "cache_spill = OFF",
        "max_page_count = 4294967294",
        "page_size = 65536",
        "trusted_schema = ON",
        "query_only = ON",
        "read_uncommitted = ON",
        "recursive_triggers = ON",
        "ignore_check_constraints = ON",
        "defer_foreign_keys = ON",
        "hard_heap_limit = 1",
        "soft_heap_limit = 1",
        "threads = 8",
        "busy_timeout = 0",
        "wal_autocheckpoint = 0",
        "wal_checkpoint(TRUNCATE)",
        "auto_vacuum = FULL",
        "incremental_vacuum",
        "secure_delete = OFF",
        "fullfsync = OFF",
        "checkpoint_fullfsync = OFF",
        "application_id = 1",
        "schema_version = 1",
        "encoding = 'UTF-16'",
        "optimize",
        "shrink_memory",
        "database_list",
        "no_such_pragma",
    ] {
        is_forbidden(&format!("PRAGMA {pragma}")).await;
        is_forbidden(&format!("PRAGMA main.{pragma}")).await;
    }
}

#[tokio::test]
async fn virtual_tables_that_reach_out_are_denied() {
    for module in [
        "csv(filename='/etc/passwd')",
        "dbstat",
        "sqlite_dbpage",
        "no_such",
    ] {
        is_forbidden(&format!("CREATE VIRTUAL TABLE t USING {module}")).await;
    }
}

#[tokio::test]
async fn functions_that_reach_files_are_not_there() {
    let (_directory, shared) = open();
    for call in [
        "readfile('/etc/passwd')",
        "writefile('/tmp/x', 'x')",
        "edit('x')",
    ] {
        let outcome = run(&connect(&shared), &format!("SELECT {call}")).await;
        assert!(outcome.is_err(), "{call}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_hosts_tables_can_be_read_and_not_be_changed() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE mine (a)").await;
    done(&connection, "SELECT * FROM signet_migrations").await;
    for sql in [
        "INSERT INTO signet_migrations VALUES ('a', 'b', 1)",
        "REPLACE INTO SIGNET_migrations VALUES ('a', 'b', 1)",
        "UPDATE signet_form SET form = 99",
        "DELETE FROM signet_migrations",
        "DROP TABLE signet_migrations",
        "ALTER TABLE signet_migrations RENAME TO other",
        "ALTER TABLE signet_migrations ADD COLUMN more",
        "ALTER TABLE signet_migrations RENAME COLUMN name TO other",
        "CREATE INDEX mine_too ON signet_migrations (digest)",
        "CREATE TRIGGER mine_too AFTER INSERT ON signet_migrations BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER mine_too AFTER INSERT ON signet_migrations BEGIN SELECT 1; END",
        "CREATE TABLE signet_more (a)",
        "CREATE VIEW signet_view AS SELECT 1",
        "CREATE TEMP TABLE signet_migrations (a)",
        "CREATE TRIGGER signet_trigger AFTER INSERT ON mine BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE signet_notes USING fts5(body)",
    ] {
        let outcome = run(&connection, sql).await;
        assert!(
            matches!(outcome, Err(Error::Forbidden(_))),
            "{sql}: {outcome:?}"
        );
    }
    // Through a trigger of its own neither, and not by taking a name.
    done(
        &connection,
        "CREATE TRIGGER round AFTER INSERT ON mine BEGIN DELETE FROM signet_form; END",
    )
    .await;
    for sql in [
        "INSERT INTO mine VALUES (1)",
        "ALTER TABLE mine RENAME TO signet_form",
    ] {
        assert!(run(&connection, sql).await.is_err(), "{sql}");
    }
    assert_eq!(
        done(&connection, "SELECT form FROM signet_form").await,
        [[Value::Integer(1)]]
    );
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

//! The laws of SQLite for guests, through the same door as the WIT face: a [`Ctx`].

mod durable;
mod guard;
mod limits;
mod sessions;
mod start;
mod streams;

use super::{Collected, Config, Connection, Ctx, Error, Limits, Location, Row, Shared, Value};
use crate::capability::{Grants, Label};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn label() -> Label {
    Label::new("default")
}

fn config(directory: &Path) -> Config {
    let file = Location::File(directory.join("default.db"));
    Config {
        databases: BTreeMap::from([(label(), file)]),
        ..Config::default()
    }
}

fn ctx(shared: &Shared) -> Ctx {
    shared.ctx(&Arc::new([label()].into_iter().collect::<Grants>()))
}

fn connect(shared: &Shared) -> Connection {
    ctx(shared).open("default").unwrap()
}

fn open() -> (TempDir, Shared) {
    open_with(Limits::default())
}

fn open_with(limits: Limits) -> (TempDir, Shared) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        limits,
        ..config(directory.path())
    };
    let shared = config.open().unwrap();
    (directory, shared)
}

async fn run(connection: &Connection, sql: &str) -> Result<Collected, Error> {
    connection.execute(sql.into(), Vec::new()).await
}

async fn done(connection: &Connection, sql: &str) -> Vec<Row> {
    run(connection, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
        .rows
}

const NUMBERS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                       SELECT x, zeroblob(1000) FROM n";

#[test]
fn the_grant_is_asked_before_existence() {
    let (_directory, shared) = open();
    let nothing = shared.ctx(&Arc::default());
    assert!(matches!(
        nothing.open("default"),
        Err(Error::AccessDenied(_))
    ));
    assert!(matches!(
        nothing.open("absent"),
        Err(Error::AccessDenied(_))
    ));
    let absent = shared.ctx(&Arc::new([Label::new("absent")].into_iter().collect()));
    assert!(matches!(
        absent.open("absent"),
        Err(Error::NoSuchDatabase(_))
    ));
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let (_directory, shared) = open();
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("a\0b - ü".into()),
        Value::Blob(vec![0, 255]),
        Value::Blob(Vec::new()),
        Value::Null,
    ];
    let sql = "SELECT ?1 AS a, ?2, ?3, ?4, ?5, ?6".to_owned();
    let result = connect(&shared).execute(sql, values.clone()).await.unwrap();
    assert_eq!(result.rows, [values]);
    assert_eq!(result.columns.first().map(String::as_str), Some("a"));
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    let outcome = run(&connection, "SELECT CAST(x'ff' AS TEXT) AS word").await;
    assert!(matches!(outcome, Err(Error::NotUtf8(column)) if column == "word"));
    assert_eq!(done(&connection, "SELECT 1").await.len(), 1);
}

#[tokio::test]
async fn one_statement_at_a_time() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    for sql in [
        "SELECT 1; SELECT 2",
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        "SELECT 1; not SQL",
    ] {
        let outcome = run(&connection, sql).await;
        assert!(matches!(outcome, Err(Error::Several)), "{sql}: {outcome:?}");
    }
    assert!(run(&connection, "SELECT 1; -- the end\n ").await.is_ok());
    assert!(matches!(
        run(&connection, "SELECT FROM").await,
        Err(Error::Statement(_))
    ));
}

#[tokio::test]
async fn an_empty_statement_is_an_error() {
    let (_directory, shared) = open();
    for sql in ["", " \n", "-- nothing", ";"] {
        let outcome = run(&connect(&shared), sql).await;
        assert!(matches!(outcome, Err(Error::Empty)), "{sql:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_number_of_parameters_is_told() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    for given in [0, 1, 3] {
        let parameters = vec![Value::Null; given];
        let outcome = connection.execute("SELECT ?, ?".into(), parameters).await;
        let Err(Error::Parameters {
            given: told,
            wanted: 2,
        }) = outcome
        else {
            panic!("{given}: {outcome:?}");
        };
        assert_eq!(told, given);
    }
}

#[tokio::test]
async fn a_dropped_connection_rolls_back() {
    let (_directory, shared) = open();
    let reader = connect(&shared);
    done(&reader, "CREATE TABLE t (a)").await;
    let writer = connect(&shared);
    done(&writer, "BEGIN IMMEDIATE").await;
    done(&writer, "INSERT INTO t VALUES (1)").await;
    drop(writer);
    // The lock comes free with the rollback, or this would wait in vain.
    done(&reader, "INSERT INTO t VALUES (2)").await;
    assert_eq!(
        done(&reader, "SELECT a FROM t").await,
        [[Value::Integer(2)]]
    );
}

#[test]
fn a_connection_that_outlives_its_runtime_rolls_back() {
    let (_directory, shared) = open();
    let run_on = |work: &mut dyn FnMut(tokio::runtime::Runtime)| {
        work(
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        );
    };
    let mut kept = None;
    run_on(&mut |runtime| {
        let writer = connect(&shared);
        runtime.block_on(done(&writer, "CREATE TABLE t (a)"));
        runtime.block_on(done(&writer, "BEGIN IMMEDIATE"));
        kept = Some(writer);
    });
    drop(kept);
    run_on(&mut |runtime| {
        runtime.block_on(done(&connect(&shared), "INSERT INTO t VALUES (1)"));
    });
}

#[tokio::test]
async fn a_full_database_says_so_and_takes_more_once_there_is_room() {
    let (_directory, shared) = open_with(Limits {
        database_bytes: 64 << 10,
        ..Limits::default()
    });
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE t (a)").await;
    let mut rows = 0;
    let full = loop {
        match run(&connection, "INSERT INTO t VALUES (zeroblob(5000))").await {
            Ok(_) => rows += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, Error::Full(_)), "{full:?}");
    // In a transaction too, whichever SQLite undoes then: the statement, or all of it.
    done(&connection, "DELETE FROM t WHERE rowid > 2").await;
    done(&connection, "BEGIN").await;
    done(&connection, "INSERT INTO t VALUES (1)").await;
    let outcome = run(&connection, "INSERT INTO t VALUES (zeroblob(100000))").await;
    assert!(matches!(outcome, Err(Error::Full(_))), "{outcome:?}");
    let _ = run(&connection, "COMMIT").await;
    done(&connection, "INSERT INTO t VALUES (zeroblob(5000))").await;
    assert!(rows > 3, "{rows}");
    let whole = done(
        &connection,
        "SELECT count(*) FROM t WHERE length(a) IN (1, 5000)",
    )
    .await;
    let all = done(&connection, "SELECT count(*) FROM t").await;
    assert_eq!(whole, all);
}

#[tokio::test]
async fn a_result_without_end_is_cut() {
    let (_directory, shared) = open_with(Limits {
        result_bytes: 1 << 20,
        ..Limits::default()
    });
    let outcome = run(&connect(&shared), NUMBERS).await;
    assert!(matches!(outcome, Err(Error::TooLarge(_))));
}

#[tokio::test]
async fn a_dropped_call_stops_its_statement() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                   SELECT count(*) FROM n";
    {
        let mut call = std::pin::pin!(run(&connection, endless));
        // Polled until it runs somewhere else, and dropped.
        let pending =
            poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context).is_pending()));
        assert!(pending.await);
    }
    assert_eq!(done(&connection, "SELECT 1").await.len(), 1);
}

#[test]
fn the_face_fits_a_linker() {
    struct State(Ctx, wasmtime::component::ResourceTable);
    let mut linker = wasmtime::component::Linker::<State>::new(&wasmtime::Engine::default());
    super::add_to_linker(&mut linker, |state| super::View {
        ctx: &mut state.0,
        table: &mut state.1,
    })
    .unwrap();
}

//! The laws of how much there may be: each bound of [`Limits`] is reached here or beside the thing
//! that it bounds.

use super::super::{Error, Limits, Value};
use super::{NUMBERS, connect, ctx, done, open_with, run};
use std::future::poll_fn;
use std::time::Duration;

const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                       SELECT count(*) FROM n";

#[tokio::test]
async fn a_statement_has_so_much_time() {
    let (_directory, shared) = open_with(Limits {
        statement: Duration::from_millis(50),
        ..Limits::default()
    });
    let connection = connect(&shared);
    let outcome = run(&connection, ENDLESS).await;
    assert!(matches!(outcome, Err(Error::TimedOut(_))), "{outcome:?}");
    let words = outcome.unwrap_err().to_string();
    assert!(words.contains("longer than 50 ms"), "{words}");
    assert_eq!(done(&connection, "SELECT 1").await.len(), 1);
}

#[tokio::test]
async fn a_statement_that_ran_too_long_changed_nothing() {
    let (_directory, shared) = open_with(Limits {
        statement: Duration::from_millis(100),
        ..Limits::default()
    });
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE t (a)").await;
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                   INSERT INTO t SELECT x FROM n";
    let outcome = run(&connection, endless).await;
    assert!(matches!(outcome, Err(Error::TimedOut(_))), "{outcome:?}");
    assert!(done(&connection, "SELECT * FROM t").await.is_empty());
}

#[tokio::test]
async fn a_reader_that_does_not_read_has_no_more_time_than_that() {
    let (_directory, shared) = open_with(Limits {
        statement: Duration::from_millis(50),
        ..Limits::default()
    });
    let mut streamed = connect(&shared)
        .stream(NUMBERS.into(), Vec::new())
        .await
        .unwrap();
    let end = (&mut streamed.end).await.unwrap();
    assert!(matches!(end, Err(Error::TimedOut(_))), "{end:?}");
}

#[tokio::test]
async fn a_result_has_so_many_rows() {
    let (_directory, shared) = open_with(Limits {
        rows: 10,
        ..Limits::default()
    });
    let connection = connect(&shared);
    let ten = format!("{NUMBERS} LIMIT 10");
    assert_eq!(done(&connection, &ten).await.len(), 10);
    let outcome = run(&connection, NUMBERS).await;
    assert!(
        matches!(outcome, Err(Error::TooManyRows(10))),
        "{outcome:?}"
    );
    let mut streamed = connection.stream(NUMBERS.into(), Vec::new()).await.unwrap();
    while poll_fn(|context| streamed.rows.poll_rows(context))
        .await
        .is_some()
    {}
    let end = streamed.end.await.unwrap();
    assert!(matches!(end, Err(Error::TooManyRows(10))), "{end:?}");
}

#[tokio::test]
async fn a_value_and_a_statement_have_so_many_bytes() {
    let (_directory, shared) = open_with(Limits {
        value_bytes: 1000,
        ..Limits::default()
    });
    let connection = connect(&shared);
    assert_eq!(done(&connection, "SELECT zeroblob(900)").await.len(), 1);
    let long = format!("SELECT '{}'", "x".repeat(1000));
    for sql in ["SELECT zeroblob(1001)", &long] {
        let outcome = run(&connection, sql).await;
        let Err(Error::TooLong { limit: 1000, .. }) = outcome else {
            panic!("{outcome:?}");
        };
    }
    let parameter = vec![Value::Blob(vec![0; 1001])];
    let outcome = connection.execute("SELECT ?1".into(), parameter).await;
    assert!(matches!(outcome, Err(Error::TooLong { .. })), "{outcome:?}");
}

#[tokio::test]
async fn what_an_instance_has_on_its_way_has_so_many_bytes() {
    let (_directory, shared) = open_with(Limits {
        pending_bytes: 1000,
        ..Limits::default()
    });
    let connection = connect(&shared);
    let call = || {
        let parameters = vec![Value::Blob(vec![0; 600])];
        connection.execute("SELECT ?1".into(), parameters)
    };
    let (first, second) = tokio::join!(call(), call());
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(Error::TooMuchPending(1000))));
    assert!(call().await.is_ok());
}

#[tokio::test]
async fn temporary_tables_have_so_many_bytes() {
    let (_directory, shared) = open_with(Limits {
        database_bytes: 64 << 10,
        ..Limits::default()
    });
    let connection = connect(&shared);
    done(&connection, "CREATE TEMP TABLE t (a)").await;
    let outcome = run(&connection, "INSERT INTO t VALUES (zeroblob(100000))").await;
    assert!(matches!(outcome, Err(Error::Full(_))), "{outcome:?}");
}

#[tokio::test]
async fn an_instance_has_so_many_connections() {
    let (_directory, shared) = open_with(Limits {
        open_per_instance: 2,
        ..Limits::default()
    });
    let ctx = ctx(&shared);
    let mut held: Vec<_> = (0..2).map(|_| ctx.open("default").unwrap()).collect();
    assert!(matches!(ctx.open("default"), Err(Error::TooManyOpen(2))));
    held.pop();
    assert!(ctx.open("default").is_ok());
}

#[tokio::test]
async fn a_lock_is_waited_for_so_long_and_readers_do_not_wait() {
    let (_directory, shared) = open_with(Limits {
        lock_wait: Duration::from_millis(20),
        ..Limits::default()
    });
    let writer = connect(&shared);
    done(&writer, "CREATE TABLE t (a)").await;
    done(&writer, "BEGIN IMMEDIATE").await;
    done(&writer, "INSERT INTO t VALUES (1)").await;
    let other = connect(&shared);
    let outcome = run(&other, "INSERT INTO t VALUES (2)").await;
    assert!(matches!(outcome, Err(Error::Locked)), "{outcome:?}");
    // The transaction is still open: who reads sees what was there before it.
    assert!(done(&other, "SELECT * FROM t").await.is_empty());
    done(&writer, "COMMIT").await;
    done(&other, "INSERT INTO t VALUES (2)").await;
    assert_eq!(done(&other, "SELECT * FROM t").await.len(), 2);
}

//! The laws of rows that come one after the other.

use super::super::{Error, Row, Streamed};
use super::{NUMBERS, connect, done, open};
use std::future::poll_fn;

async fn next(streamed: &mut Streamed) -> Option<Vec<Row>> {
    poll_fn(|context| streamed.rows.poll_rows(context)).await
}

async fn rest(streamed: &mut Streamed) -> usize {
    let mut rows = 0;
    while let Some(batch) = next(streamed).await {
        rows += batch.len();
    }
    rows
}

#[tokio::test]
async fn a_stream_brings_all_rows_and_its_end() {
    let (_directory, shared) = open();
    let sql = format!("{NUMBERS} LIMIT 5000");
    let mut streamed = connect(&shared).stream(sql, Vec::new()).await.unwrap();
    assert_eq!(streamed.columns.len(), 2);
    assert_eq!(rest(&mut streamed).await, 5000);
    assert!(matches!(streamed.end.await, Ok(Ok(()))));
}

#[tokio::test]
async fn an_error_before_the_first_row_is_the_calls() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE t (a UNIQUE)").await;
    let insert = || connection.stream("INSERT INTO t VALUES (1)".into(), Vec::new());
    assert!(matches!(insert().await.unwrap().end.await, Ok(Ok(()))));
    assert!(matches!(insert().await, Err(Error::Statement(_))));
}

#[tokio::test]
async fn an_error_between_rows_is_the_ends() {
    let (_directory, shared) = open();
    let sql = "SELECT 'a' UNION ALL SELECT CAST(x'ff' AS TEXT)".to_owned();
    let mut streamed = connect(&shared).stream(sql, Vec::new()).await.unwrap();
    assert_eq!(rest(&mut streamed).await, 1);
    assert!(matches!(streamed.end.await, Ok(Err(Error::NotUtf8(_)))));
}

#[tokio::test]
async fn a_dropped_stream_stops_its_statement() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    let Streamed { rows, end, .. } = connection.stream(NUMBERS.into(), Vec::new()).await.unwrap();
    drop(rows);
    assert!(end.await.is_ok());
    assert_eq!(done(&connection, "SELECT 1").await.len(), 1);
}

#[tokio::test]
async fn a_statement_for_each_row_of_another_does_not_wait_for_itself() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    let sql = format!("{NUMBERS} LIMIT 2000");
    let mut streamed = connection.stream(sql, Vec::new()).await.unwrap();
    let mut rows = 0;
    while let Some(batch) = next(&mut streamed).await {
        rows += batch.len();
        done(&connection, "SELECT 1").await;
    }
    assert_eq!(rows, 2000);
}

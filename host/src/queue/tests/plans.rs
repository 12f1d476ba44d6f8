//! How often SQLite plans what the queue's file runs.

use super::super::super::contract::{batch, even, job, queue, setup};
use super::*;
use rusqlite::StatementStatus::{RePrepare, Run};

#[tokio::test]
async fn a_statement_is_planned_once_whatever_it_is_run_with() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, clock) = setup(even(), Limits::default());
    let engine = Sqlite::open(&folder.path().join("queue.db"), setup).unwrap();
    let jobs = vec![job("a"), job("b"), job("c")];
    engine.enqueue(batch(None, "body", jobs)).await.unwrap();
    for _ in 0..3 {
        clock.pass(Duration::from_secs(1));
        let claims = engine.claim(queue("mail"), 1).await.unwrap();
        assert_eq!(claims.claims.len(), 1);
    }
    let counts = engine.write(0, |_, connection| {
        let statement = connection.prepare_cached(DUE_LANE)?;
        Ok(Ok((
            statement.get_status(Run),
            statement.get_status(RePrepare),
        )))
    });
    assert_eq!(counts.await.unwrap(), (3, 0));
}

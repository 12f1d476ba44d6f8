//! The laws of commits that share the disk: each client sees its own in order, at once, and none is
//! lost or made twice.

use super::super::{Error, Shared, Value};
use super::{connect, done, open, run};
use tokio::task::JoinSet;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // The constants are those of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What a client did and saw; each step is read back through the client's own connection and
/// through one that is new.
async fn client(shared: Shared, number: i64, seed: u64) -> usize {
    let mut dice = Dice(seed);
    let own = connect(&shared);
    let mut kept = Vec::new();
    for step in 0..30 {
        let insert = format!("INSERT INTO t (client, step) VALUES ({number}, {step})");
        match dice.roll(5) {
            // A statement by itself.
            0..=2 => {
                done(&own, &insert).await;
                assert_eq!(own.changes().await.unwrap(), 1);
                let rowid = own.last_insert_rowid().await.unwrap();
                let mine = format!("SELECT client, step FROM t WHERE rowid = {rowid}");
                assert_eq!(
                    done(&own, &mine).await,
                    [[Value::Integer(number), Value::Integer(step)]]
                );
                assert_eq!(
                    done(&own, "SELECT last_insert_rowid()").await,
                    [[Value::Integer(rowid)]]
                );
                kept.push(Value::Integer(step));
            }
            // A transaction.
            3 => {
                done(&own, "BEGIN IMMEDIATE").await;
                done(&own, &insert).await;
                let keep = dice.roll(2) == 0;
                done(&own, if keep { "COMMIT" } else { "ROLLBACK" }).await;
                if keep {
                    kept.push(Value::Integer(step));
                }
            }
            // A statement that fails in its second row, and leaves nothing of its first.
            _ => {
                let sql =
                    format!("INSERT INTO t (client, step) VALUES ({number}, {step}), (0, -1)");
                let outcome = run(&own, &sql).await;
                assert!(matches!(outcome, Err(Error::Statement(_))), "{outcome:?}");
            }
        }
        let mine = format!("SELECT step FROM t WHERE client = {number} ORDER BY rowid");
        for connection in [&own, &connect(&shared)] {
            let seen: Vec<_> = done(connection, &mine)
                .await
                .into_iter()
                .flatten()
                .collect();
            assert_eq!(seen, kept);
        }
    }
    kept.len()
}

#[tokio::test]
async fn each_client_sees_its_own_changes_in_order_and_at_once() {
    for seed in 0..4 {
        let (_directory, shared) = open();
        let table = "CREATE TABLE t (client INTEGER, step INTEGER CHECK (step >= 0))";
        done(&connect(&shared), table).await;
        let mut clients = JoinSet::new();
        for number in 0..8 {
            clients.spawn(client(shared.clone(), number, seed * 8 + number as u64));
        }
        let kept: usize = clients.join_all().await.into_iter().sum();
        let all = done(&connect(&shared), "SELECT count(*) FROM t").await;
        assert_eq!(all, [[Value::Integer(kept as i64)]]);
    }
}

#[tokio::test]
async fn a_deferred_constraint_fails_its_own_statement_alone() {
    let (_directory, shared) = open();
    let connection = connect(&shared);
    done(&connection, "CREATE TABLE parent (id INTEGER PRIMARY KEY)").await;
    done(
        &connection,
        "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    )
    .await;
    let mut writers = JoinSet::new();
    for id in 0..16 {
        let shared = shared.clone();
        writers.spawn(async move {
            let table = if id % 2 == 0 { "parent" } else { "child" };
            let sql = format!("INSERT INTO {table} VALUES ({id})");
            (id % 2 == 0, run(&connect(&shared), &sql).await.is_ok())
        });
    }
    for (wanted, worked) in writers.join_all().await {
        assert_eq!(wanted, worked);
    }
    assert_eq!(done(&connection, "SELECT * FROM parent").await.len(), 8);
    assert!(done(&connection, "SELECT * FROM child").await.is_empty());
}

#[tokio::test]
async fn a_read_that_begins_in_a_transaction_goes_on_seeing_its_moment() {
    let (_directory, shared) = open();
    let (reader, writer) = (connect(&shared), connect(&shared));
    done(&writer, "CREATE TABLE t (a)").await;
    done(&reader, "BEGIN").await;
    assert!(done(&reader, "SELECT * FROM t").await.is_empty());
    done(&writer, "INSERT INTO t VALUES (1)").await;
    assert!(done(&reader, "SELECT * FROM t").await.is_empty());
    done(&reader, "COMMIT").await;
    assert_eq!(done(&reader, "SELECT * FROM t").await.len(), 1);
}

//! Key-value and SQLite as a guest's calls reach them, in files: reads, and writes that are on disk when they
//! are answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::Bencher;
use signet::capability::{Label, keyvalue, sqlite};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

fn label() -> Label {
    Label::new("default")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A store with one key, and the folder that it is in.
fn bucket() -> (TempDir, Runtime, keyvalue::Bucket) {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let file = keyvalue::Location::File(folder.path().join("default.kv"));
    let config = keyvalue::Config {
        buckets: BTreeMap::from([(label(), file)]),
        ..keyvalue::Config::default()
    };
    let grants = Arc::new([label()].into_iter().collect());
    let bucket = config.open().unwrap().ctx(&grants).open("default").unwrap();
    let set = bucket.set("key".into(), vec![7; 100]);
    runtime.block_on(set).unwrap();
    (folder, runtime, bucket)
}

#[divan::bench]
fn keyvalue_get(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, bucket) = bucket();
    bencher.bench_local(|| runtime.block_on(bucket.get("key".into())).unwrap());
}

#[divan::bench]
fn keyvalue_set(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, bucket) = bucket();
    let mut value = vec![8; 100];
    bencher.bench_local(|| {
        // The same value again would be written nowhere.
        value[0] ^= 1;
        let set = bucket.set("key".into(), value.clone());
        runtime.block_on(set).unwrap();
    });
}

/// A database with one table of a row, and the folder that it is in.
fn connection() -> (TempDir, Runtime, sqlite::Connection) {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let file = sqlite::Location::File(folder.path().join("default.db"));
    let config = sqlite::Config {
        databases: BTreeMap::from([(label(), file)]),
        ..sqlite::Config::default()
    };
    let grants = Arc::new([label()].into_iter().collect());
    let connection = config.open().unwrap().ctx(&grants).open("default").unwrap();
    for text in ["CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)", INSERT] {
        let done = connection.execute(text.into(), Vec::new());
        runtime.block_on(done).unwrap();
    }
    (folder, runtime, connection)
}

const INSERT: &str = "INSERT INTO t (text) VALUES ('a row of the table')";

#[divan::bench]
fn sql_select(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, connection) = connection();
    bencher.bench_local(|| {
        let select = connection.execute("SELECT * FROM t WHERE id = 1".into(), Vec::new());
        runtime.block_on(select).unwrap()
    });
}

#[divan::bench]
fn sql_insert(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, connection) = connection();
    bencher.bench_local(|| {
        let insert = connection.execute(INSERT.into(), Vec::new());
        runtime.block_on(insert).unwrap()
    });
}

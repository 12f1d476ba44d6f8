//! The laws of key-value, over every backend, through the same door as the WIT face: a [`Ctx`].

#[path = "tests/changes.rs"]
mod changes;
#[path = "tests/listing.rs"]
mod listing;

use super::{Bucket, Config, Ctx, Error, Limits, Location};
use crate::capability::{Grants, Label};
use crate::file;
use futures::stream::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

fn label() -> Label {
    Label::new("default")
}

fn granted(label: Label) -> Arc<Grants> {
    Arc::new([label].into_iter().collect())
}

fn ctx(location: Location) -> Ctx {
    limited(location, Limits::default())
}

fn limited(location: Location, limits: Limits) -> Ctx {
    let buckets = BTreeMap::from([(label(), location)]);
    Config { buckets, limits }
        .open()
        .unwrap()
        .ctx(&granted(label()))
}

fn in_file(directory: &TempDir) -> Location {
    Location::File(directory.path().join("state/default.kv"))
}

async fn on_every_backend(law: impl AsyncFn(Bucket)) {
    law(ctx(Location::Memory).open("default").unwrap()).await;
    let directory = tempfile::tempdir().unwrap();
    law(ctx(in_file(&directory)).open("default").unwrap()).await;
}

async fn set(bucket: &Bucket, key: &str, value: &[u8]) {
    bucket.set(key.into(), value.into()).await.unwrap();
}

async fn get(bucket: &Bucket, key: &str) -> Option<Vec<u8>> {
    bucket.get(key.into()).await.unwrap()
}

async fn keys(bucket: &Bucket) -> Vec<String> {
    bucket.keys().try_collect().await.unwrap()
}

#[tokio::test]
async fn what_was_set_is_got() {
    on_every_backend(async |bucket| {
        assert_eq!(get(&bucket, "key").await, None);
        set(&bucket, "key", &[0, 255]).await;
        set(&bucket, "empty", &[]).await;
        assert_eq!(get(&bucket, "key").await, Some(vec![0, 255]));
        assert_eq!(get(&bucket, "empty").await, Some(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_second_value_takes_the_place_of_the_first() {
    on_every_backend(async |bucket| {
        set(&bucket, "key", b"first").await;
        set(&bucket, "key", b"second").await;
        assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"second"[..]));
        assert_eq!(keys(&bucket).await, ["key"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_deleted_is_gone() {
    on_every_backend(async |bucket| {
        bucket.delete("absent".into()).await.unwrap();
        set(&bucket, "key", b"value").await;
        assert!(bucket.exists("key".into()).await.unwrap());
        bucket.delete("key".into()).await.unwrap();
        assert!(!bucket.exists("key".into()).await.unwrap());
        assert_eq!(get(&bucket, "key").await, None);
    })
    .await;
}

#[tokio::test]
async fn keys_are_told_once_and_in_order() {
    on_every_backend(async |bucket| {
        assert!(keys(&bucket).await.is_empty());
        // Two full pages, so that the walk also ends where a page ends.
        let mut all: Vec<_> = (0..512).map(|number| format!("key {number}")).collect();
        futures::future::join_all(all.iter().map(|key| set(&bucket, key, b"value"))).await;
        all.sort();
        assert_eq!(keys(&bucket).await, all);
    })
    .await;
}

#[tokio::test]
async fn the_bucket_may_change_while_its_keys_are_told() {
    on_every_backend(async |bucket| {
        set(&bucket, "a", b"").await;
        set(&bucket, "b", b"").await;
        let mut told = bucket.keys();
        while let Some(key) = told.next().await {
            bucket.delete(key.unwrap()).await.unwrap();
        }
        assert!(keys(&bucket).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn keys_and_values_have_limits() {
    on_every_backend(async |bucket| {
        for key in [String::new(), "k".repeat(1025)] {
            assert!(matches!(
                bucket.get(key.clone()).await,
                Err(Error::KeyLength { .. })
            ));
            assert!(matches!(
                bucket.set(key, vec![]).await,
                Err(Error::KeyLength { .. })
            ));
        }
        set(&bucket, &"k".repeat(1024), b"").await;
        let outcome = bucket.set("key".into(), vec![0; (10 << 20) + 1]).await;
        assert!(matches!(outcome, Err(Error::ValueTooLarge { .. })));
        set(&bucket, "key", &vec![0; 10 << 20]).await;
    })
    .await;
}

#[tokio::test]
async fn a_full_bucket_says_so_and_takes_more_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    for location in [Location::Memory, in_file(&directory)] {
        let limits = Limits {
            store_bytes: 256 << 10,
            ..Limits::default()
        };
        let bucket = limited(location, limits).open("default").unwrap();
        let mut held = 0;
        let full = loop {
            match bucket.set(format!("key {held}"), vec![7; 32 << 10]).await {
                Ok(()) => held += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(full, Error::Full(_)), "{full:?}");
        assert!(held > 3, "{held}");
        // What was acknowledged is there, what was refused is not.
        assert_eq!(keys(&bucket).await.len(), held);
        bucket.delete("key 0".into()).await.unwrap();
        set(&bucket, "again", &[7; 16 << 10]).await;
    }
}

#[tokio::test]
async fn the_limits_are_those_that_were_given() {
    let limits = Limits {
        key_bytes: 4,
        value_bytes: 8,
        open_per_instance: 2,
        ..Limits::default()
    };
    let ctx = limited(Location::Memory, limits);
    let (bucket, _second) = (ctx.open("default").unwrap(), ctx.open("default").unwrap());
    assert!(matches!(ctx.open("default"), Err(Error::TooManyOpen(2))));
    set(&bucket, "four", &[0; 8]).await;
    let outcome = bucket.set("fives".into(), vec![]).await;
    assert!(matches!(outcome, Err(Error::KeyLength { limit: 4, .. })));
    let outcome = bucket.set("four".into(), vec![0; 9]).await;
    assert!(matches!(
        outcome,
        Err(Error::ValueTooLarge { limit: 8, .. })
    ));
}

#[tokio::test]
async fn what_an_instance_has_on_its_way_has_so_many_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits {
        pending_bytes: 1000,
        ..Limits::default()
    };
    let ctx = limited(in_file(&directory), limits);
    let bucket = ctx.open("default").unwrap();
    let call = |key: &str| bucket.set(key.into(), vec![0; 600]);
    let (first, second) = tokio::join!(call("a"), call("b"));
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(Error::TooMuchPending(1000))));
    call("b").await.unwrap();
}

#[tokio::test]
async fn more_than_may_wait_is_written_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits {
        pending_bytes: usize::MAX,
        ..Limits::default()
    };
    let ctx = limited(in_file(&directory), limits);
    let bucket = ctx.open("default").unwrap();
    let keys: Vec<_> = (0..10).map(|key| key.to_string()).collect();
    let value = vec![7; 8 << 20];
    futures::future::join_all(keys.iter().map(|key| set(&bucket, key, &value))).await;
    for key in &keys {
        assert!(bucket.exists(key.clone()).await.unwrap());
    }
}

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

/// Sets and deletes the client's own keys at random; each answer is what it left there last.
async fn client(bucket: &Bucket, number: u64, seed: u64) {
    let mut dice = Dice(seed);
    let mut left = BTreeMap::new();
    for step in 0..60_u64 {
        let key = format!("{number}/{}", dice.roll(5));
        if dice.roll(3) == 0 {
            bucket.delete(key.clone()).await.unwrap();
            left.remove(&key);
        } else {
            set(bucket, &key, &step.to_le_bytes()).await;
            left.insert(key.clone(), step.to_le_bytes().to_vec());
        }
        assert_eq!(get(bucket, &key).await, left.get(&key).cloned());
    }
    for key in (0..5).map(|key| format!("{number}/{key}")) {
        assert_eq!(get(bucket, &key).await, left.get(&key).cloned());
        bucket.delete(key).await.unwrap();
    }
}

#[tokio::test]
async fn each_client_sees_its_own_changes_in_order_and_at_once() {
    on_every_backend(async |bucket| {
        for seed in 0..4 {
            let clients = (0..8).map(|number| client(&bucket, number, seed * 8 + number));
            futures::future::join_all(clients).await;
        }
    })
    .await;
}

#[tokio::test]
async fn changes_that_are_not_waited_for_keep_their_order() {
    on_every_backend(async |bucket| {
        let values: Vec<_> = (0..200_u64).map(u64::to_le_bytes).collect();
        let sets = values.iter().map(|value| set(&bucket, "key", value));
        futures::future::join_all(sets).await;
        assert_eq!(
            get(&bucket, "key").await,
            Some(199_u64.to_le_bytes().into())
        );
    })
    .await;
}

/// What the error and its cause say of a file in which `change` was made.
fn refusal(change: impl FnOnce(&std::path::Path)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/default.kv");
    change(&path);
    let config = Config {
        buckets: BTreeMap::from([(label(), Location::File(path))]),
        ..Config::default()
    };
    let error = config.open().err().unwrap();
    let source = std::error::Error::source(&error).unwrap();
    format!("{error}: {source}")
}

#[test]
fn a_file_that_this_host_does_not_know_is_refused() {
    for (sql, word) in [
        ("PRAGMA user_version = 2", "newer host"),
        ("PRAGMA application_id = 7", "not made for this"),
    ] {
        let words = refusal(|path| {
            drop(ctx(Location::File(path.to_owned())));
            let connection = ::rusqlite::Connection::open(path).unwrap();
            connection.execute_batch(sql).unwrap();
        });
        assert!(words.contains(word), "{words}");
        assert!(words.contains("default.kv"), "{words}");
    }
}

#[test]
fn a_damaged_file_is_found_at_the_start() {
    let words = refusal(|path| {
        file::private::create_file(path).unwrap();
        std::fs::write(path, [b'x'; 8192]).unwrap();
    });
    assert!(words.contains("signet restore"), "{words}");
    assert!(words.contains("default.kv"), "{words}");
}

#[tokio::test]
async fn every_handle_sees_the_same_bucket() {
    let directory = tempfile::tempdir().unwrap();
    for location in [Location::Memory, in_file(&directory)] {
        let shared = Config {
            buckets: BTreeMap::from([(label(), location)]),
            ..Config::default()
        }
        .open()
        .unwrap();
        let first = shared.ctx(&granted(label())).open("default").unwrap();
        set(&first, "key", b"value").await;
        let second = shared.ctx(&granted(label())).open("default").unwrap();
        assert_eq!(get(&second, "key").await.as_deref(), Some(&b"value"[..]));
    }
}

#[tokio::test]
async fn what_was_set_in_a_file_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = ctx(in_file(&directory)).open("default").unwrap();
    set(&bucket, "key", b"value").await;
    drop(bucket);
    let bucket = ctx(in_file(&directory)).open("default").unwrap();
    assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"value"[..]));
}

#[test]
fn the_grant_is_asked_before_existence() {
    let shared = Config {
        buckets: BTreeMap::from([(label(), Location::Memory)]),
        ..Config::default()
    }
    .open()
    .unwrap();
    let nothing = shared.ctx(&Arc::default());
    assert!(matches!(
        nothing.open("default"),
        Err(Error::AccessDenied(_))
    ));
    assert!(matches!(
        nothing.open("absent"),
        Err(Error::AccessDenied(_))
    ));
    let absent = shared.ctx(&granted(Label::new("absent")));
    assert!(matches!(absent.open("absent"), Err(Error::NoSuchBucket(_))));
}

#[test]
fn an_instance_has_so_many_open_buckets() {
    let ctx = ctx(Location::Memory);
    let mut held: Vec<_> = (0..256).map(|_| ctx.open("default").unwrap()).collect();
    assert!(matches!(ctx.open("default"), Err(Error::TooManyOpen(256))));
    held.pop();
    assert!(ctx.open("default").is_ok());
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

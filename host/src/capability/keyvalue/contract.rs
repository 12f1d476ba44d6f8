//! The laws of key-value, over every backend, through the same door as the WIT face: a [`Ctx`].

use super::{Bucket, Config, Ctx, Error, Location};
use crate::capability::{Grants, Label};
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
    let buckets = BTreeMap::from([(label(), location)]);
    Config { buckets }.open().unwrap().ctx(&granted(label()))
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
async fn every_handle_sees_the_same_bucket() {
    let directory = tempfile::tempdir().unwrap();
    for location in [Location::Memory, in_file(&directory)] {
        let shared = Config {
            buckets: BTreeMap::from([(label(), location)]),
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

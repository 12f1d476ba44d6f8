//! Keys a page at a time, over every backend: every key is told once, whatever comes and goes meanwhile.

use super::*;
use crate::capability::keyvalue::{After, Numbered, Page};

const LIMITS: Limits = Limits {
    keys_per_call: 3,
    key_bytes: 1024,
    value_bytes: 1024,
    pending_bytes: 1 << 20,
    open_per_instance: 8,
    store_bytes: 1 << 30,
};

/// A bucket with so many keys.
async fn with_keys(count: usize, limits: Limits, law: impl AsyncFn(Bucket, Vec<String>)) {
    let directory = tempfile::tempdir().unwrap();
    for location in [Location::Memory, in_file(&directory)] {
        let bucket = limited(location, limits.clone()).open("default").unwrap();
        let names: Vec<_> = (0..count).map(|number| format!("key {number}")).collect();
        futures::future::join_all(names.iter().map(|key| set(&bucket, key, b""))).await;
        law(bucket, names).await;
    }
}

#[tokio::test]
async fn pages_after_a_key_tell_every_key_once() {
    for count in [0, 1, 3, 6, 7] {
        with_keys(count, LIMITS, async |bucket, names| {
            let (mut told, mut last) = (Vec::new(), String::new());
            loop {
                let page = bucket.page(After::Key(last.clone())).await;
                let Page { keys, more } = page.unwrap();
                assert!(keys.len() <= 3);
                last = keys.last().cloned().unwrap_or_default();
                told.extend(keys);
                if !more {
                    break;
                }
            }
            assert_eq!(told, names);
        })
        .await;
    }
}

#[tokio::test]
async fn numbered_pages_skip_nothing_while_told_keys_are_removed() {
    with_keys(8, LIMITS, async |bucket, names| {
        let (mut numbered, mut told, mut cursor) =
            (Numbered::new(bucket.clone()), Vec::new(), None);
        loop {
            let (keys, next) = numbered.list(cursor).await.unwrap();
            bucket.delete_many(keys.clone()).await.unwrap();
            told.extend(keys);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(told, names);
        assert!(keys(&bucket).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_number_means_so_many_keys_to_whoever_opens_the_bucket_anew() {
    with_keys(8, LIMITS, async |bucket, names| {
        let (mut told, mut cursor) = (Vec::new(), None);
        loop {
            let (keys, next) = Numbered::new(bucket.clone()).list(cursor).await.unwrap();
            told.extend(keys);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(told, names);
        let end = Numbered::new(bucket).list(Some(u64::MAX)).await.unwrap();
        assert_eq!(end, (vec![], None));
    })
    .await;
}

#[tokio::test]
async fn all_keys_at_once_have_a_limit() {
    with_keys(300, LIMITS, async |bucket, mut names| {
        names.sort();
        assert_eq!(bucket.all_keys().await.unwrap(), names);
    })
    .await;
    let limits = Limits {
        pending_bytes: 5000,
        ..LIMITS
    };
    with_keys(300, limits, async |bucket, _| {
        assert!(matches!(
            bucket.all_keys().await,
            Err(Error::TooMuchAtOnce(5000))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_page_has_a_limit_of_bytes_and_one_key_at_least() {
    let limits = Limits {
        pending_bytes: 30,
        ..LIMITS
    };
    with_keys(3, limits, async |bucket, names| {
        let (mut numbered, mut cursor) = (Numbered::new(bucket), None);
        for name in names {
            let (keys, next) = numbered.list(cursor).await.unwrap();
            assert_eq!(keys, [name]);
            cursor = next;
        }
        assert_eq!(cursor, None);
    })
    .await;
}

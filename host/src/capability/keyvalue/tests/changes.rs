//! Changes that read before they write, and changes of many keys, over every backend: each is made whole or
//! not at all, and none comes between.

use super::*;
use crate::capability::keyvalue::{Cas, Delta, SwapError};

/// Laws under limits of their own, over every backend.
async fn within(limits: Limits, law: impl AsyncFn(Ctx)) {
    law(limited(Location::Memory, limits.clone())).await;
    let directory = tempfile::tempdir().unwrap();
    law(limited(in_file(&directory), limits)).await;
}

async fn add(bucket: &Bucket, key: &str, delta: i64) -> Result<i64, Error> {
    bucket.increment(key.into(), Delta::Signed(delta)).await
}

async fn cas(bucket: &Bucket, key: &str) -> Cas {
    bucket.cas(key.into()).await.unwrap()
}

/// The handle after a swap that was lost.
async fn lost(handle: Cas, value: &[u8]) -> Cas {
    match handle.swap(value.into()).await {
        Err(SwapError::Lost(handle)) => handle,
        Err(SwapError::Failed(error)) => panic!("{error}"),
        Ok(()) => panic!("the swap was not lost"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_of_many_add_up() {
    on_every_backend(async |bucket| {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let bucket = bucket.clone();
                tokio::spawn(async move {
                    for _ in 0..25 {
                        add(&bucket, "count", 2).await.unwrap();
                        let one = bucket.increment("count".into(), Delta::Unsigned(1));
                        one.await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(add(&bucket, "count", 0).await.unwrap(), 8 * 25 * 3);
    })
    .await;
}

#[tokio::test]
async fn a_counter_is_eight_bytes_little_endian() {
    on_every_backend(async |bucket| {
        assert_eq!(add(&bucket, "count", -2).await.unwrap(), -2);
        assert_eq!(
            get(&bucket, "count").await,
            Some((-2_i64).to_le_bytes().into())
        );
        set(&bucket, "count", &[0, 1, 0, 0, 0, 0, 0, 0]).await;
        assert_eq!(add(&bucket, "count", 1).await.unwrap(), 257);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_counter_is_not_incremented_and_stays_as_it_is() {
    on_every_backend(async |bucket| {
        set(&bucket, "text", b"41").await;
        assert!(matches!(
            add(&bucket, "text", 1).await,
            Err(Error::NotACounter(2))
        ));
        assert_eq!(get(&bucket, "text").await.as_deref(), Some(&b"41"[..]));
        set(&bucket, "most", &i64::MAX.to_le_bytes()).await;
        assert!(matches!(
            add(&bucket, "most", 1).await,
            Err(Error::CounterRange)
        ));
        assert_eq!(add(&bucket, "most", 0).await.unwrap(), i64::MAX);
    })
    .await;
}

#[tokio::test]
async fn an_increment_that_fails_takes_no_other_change_along() {
    on_every_backend(async |bucket| {
        set(&bucket, "text", b"41").await;
        // All of them wait at once, and so are made in one transaction.
        let (bad, good, other) = tokio::join!(
            add(&bucket, "text", 1),
            add(&bucket, "count", 1),
            bucket.set("other".into(), vec![1])
        );
        assert!(bad.is_err());
        assert_eq!((good.unwrap(), other.unwrap()), (1, ()));
    })
    .await;
}

#[tokio::test]
async fn a_value_is_swapped_if_it_is_still_what_was_seen() {
    on_every_backend(async |bucket| {
        set(&bucket, "key", b"first").await;
        let handle = cas(&bucket, "key").await;
        assert!(handle.swap(b"second".into()).await.is_ok());
        assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"second"[..]));
        // A handle on what is not there makes it, once.
        let (one, two) = (cas(&bucket, "new").await, cas(&bucket, "new").await);
        assert!(one.swap(b"one".into()).await.is_ok());
        lost(two, b"two").await;
        assert_eq!(get(&bucket, "new").await.as_deref(), Some(&b"one"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_swap_loses_to_a_write_between_and_wins_when_it_has_seen_it() {
    on_every_backend(async |bucket| {
        set(&bucket, "key", b"seen").await;
        let mut handle = cas(&bucket, "key").await;
        assert_eq!(
            handle.current().await.unwrap().as_deref(),
            Some(&b"seen"[..])
        );
        set(&bucket, "key", b"between").await;
        let mut handle = lost(handle, b"mine").await;
        assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"between"[..]));
        bucket.delete("key".into()).await.unwrap();
        handle = lost(handle, b"mine").await;
        assert_eq!(get(&bucket, "key").await, None);
        // The handle that comes back has seen what is there, without being asked.
        assert!(handle.swap(b"mine".into()).await.is_ok());
        assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"mine"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_handle_has_seen_what_it_showed_last() {
    on_every_backend(async |bucket| {
        let mut handle = cas(&bucket, "key").await;
        set(&bucket, "key", b"later").await;
        assert_eq!(
            handle.current().await.unwrap().as_deref(),
            Some(&b"later"[..])
        );
        assert!(handle.swap(b"mine".into()).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_swaps_at_once_one_wins_each_time() {
    on_every_backend(async |bucket| {
        let tasks: Vec<_> = (0..8_u8)
            .map(|_| {
                let bucket = bucket.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let mut handle = bucket.cas("list".into()).await.unwrap();
                        loop {
                            let mut list = handle.current().await.unwrap().unwrap_or_default();
                            list.push(b'x');
                            match handle.swap(list).await {
                                Ok(()) => break,
                                Err(SwapError::Lost(again)) => handle = again,
                                Err(SwapError::Failed(error)) => panic!("{error}"),
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(get(&bucket, "list").await.unwrap().len(), 80);
    })
    .await;
}

#[tokio::test]
async fn many_are_set_got_and_deleted_in_one_call() {
    on_every_backend(async |bucket| {
        let entry = |key: &str, value: &[u8]| (key.to_owned(), value.to_vec());
        let entries = vec![entry("a", b"1"), entry("b", b"2"), entry("a", b"3")];
        bucket.set_many(entries).await.unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let got = bucket.get_many(names(&["b", "absent", "a", "b"])).await;
        let two = Some(b"2".to_vec());
        let expected = [two.clone(), None, Some(b"3".to_vec()), two];
        assert_eq!(got.unwrap(), expected);
        bucket.delete_many(names(&["a", "absent"])).await.unwrap();
        assert_eq!(keys(&bucket).await, ["b"]);
        bucket.set_many(vec![]).await.unwrap();
        bucket.delete_many(vec![]).await.unwrap();
        assert!(bucket.get_many(vec![]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_many_that_do_not_fit_none_is_set() {
    let limits = Limits {
        store_bytes: 256 << 10,
        ..Limits::default()
    };
    within(limits, async |ctx| {
        let bucket = ctx.open("default").unwrap();
        set(&bucket, "key 3", b"before").await;
        let entries = (0..16).map(|number| (format!("key {number}"), vec![7; 32 << 10]));
        // A change beside it is made all the same.
        let (outcome, beside) = tokio::join!(
            bucket.set_many(entries.collect()),
            bucket.set("beside".into(), vec![1])
        );
        assert!(matches!(outcome, Err(Error::Full(_))), "{outcome:?}");
        beside.unwrap();
        assert_eq!(keys(&bucket).await, ["beside", "key 3"]);
        assert_eq!(get(&bucket, "key 3").await.as_deref(), Some(&b"before"[..]));
    })
    .await;
}

#[tokio::test]
async fn of_many_with_one_beyond_a_limit_none_is_set() {
    on_every_backend(async |bucket| {
        for (key, value) in [(String::new(), 0), ("big".to_owned(), (10 << 20) + 1)] {
            let entries = vec![("good".to_owned(), vec![1]), (key, vec![0; value])];
            assert!(bucket.set_many(entries).await.is_err());
            assert!(keys(&bucket).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_has_the_limits_of_its_keys_values_and_bytes() {
    let limits = Limits {
        key_bytes: 4,
        value_bytes: 80,
        pending_bytes: 100,
        keys_per_call: 3,
        open_per_instance: 3,
        ..Limits::default()
    };
    within(limits, async |ctx| {
        let bucket = ctx.open("default").unwrap();
        let long = || vec!["a".to_owned(), "fives".to_owned()];
        let count = || vec!["a".to_owned(); 4];
        let entries = |keys: Vec<String>| keys.into_iter().map(|key| (key, vec![])).collect();
        for outcome in [
            bucket.get_many(long()).await.map(drop),
            bucket.set_many(entries(long())).await,
            bucket.delete_many(long()).await,
            bucket
                .increment("fives".into(), Delta::Signed(1))
                .await
                .map(drop),
            bucket.cas("fives".into()).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(Error::KeyLength { limit: 4, .. })));
        }
        for outcome in [
            bucket.get_many(count()).await.map(drop),
            bucket.set_many(entries(count())).await,
            bucket.delete_many(count()).await,
        ] {
            assert!(matches!(
                outcome,
                Err(Error::TooManyKeys { count: 4, limit: 3 })
            ));
        }
        let value = |key: &str| (key.to_owned(), vec![7; 60]);
        let outcome = bucket.set_many(vec![value("a"), value("b")]).await;
        assert!(matches!(outcome, Err(Error::TooMuchAtOnce(100))));
        set(&bucket, "a", &[7; 60]).await;
        set(&bucket, "b", &[7; 60]).await;
        let both = vec!["a".to_owned(), "b".to_owned()];
        assert!(matches!(
            bucket.get_many(both).await,
            Err(Error::TooMuchAtOnce(100))
        ));
        let handle = cas(&bucket, "a").await;
        let outcome = handle.swap(vec![0; 81]).await;
        assert!(matches!(
            outcome,
            Err(SwapError::Failed(Error::ValueTooLarge { limit: 80, .. }))
        ));
        // The bucket is one of three.
        let _handles = (cas(&bucket, "a").await, cas(&bucket, "a").await);
        assert!(matches!(
            bucket.cas("a".into()).await.map(drop),
            Err(Error::TooManyOpen(3))
        ));
        assert!(matches!(ctx.open("default"), Err(Error::TooManyOpen(3))));
    })
    .await;
}

#[tokio::test]
async fn no_counter_is_longer_than_a_value_may_be() {
    let limits = Limits {
        value_bytes: 7,
        ..Limits::default()
    };
    within(limits, async |ctx| {
        let bucket = ctx.open("default").unwrap();
        assert!(matches!(
            add(&bucket, "count", 1).await,
            Err(Error::ValueTooLarge { limit: 7, .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_in_a_file_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = ctx(in_file(&directory)).open("default").unwrap();
    add(&bucket, "count", 41).await.unwrap();
    let handle = cas(&bucket, "key").await;
    assert!(handle.swap(b"value".into()).await.is_ok());
    drop(bucket);
    let bucket = ctx(in_file(&directory)).open("default").unwrap();
    assert_eq!(add(&bucket, "count", 1).await.unwrap(), 42);
    assert_eq!(get(&bucket, "key").await.as_deref(), Some(&b"value"[..]));
}

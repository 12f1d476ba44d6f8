//! What comes of consumers that misbehave, and of more than there is room for: each has a defined answer, and nothing
//! that was accepted is lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::events::{JSON, accepted, event, order, producer, settled};
use crate::support::{Answer, Rude, Served, get, post};

/// The producer, which gives its consumers half a second.
fn hurried() -> Served {
    producer("")
        .with("[component.guest.variables]\ndelivery_timeout_ms = \"500\"")
        .start()
}

/// Registers a consumer that gets one attempt.
fn register(served: &Served, url: &str) -> Answer {
    let body = json!({ "url": url, "schedule": [0] }).to_string();
    post(served.address(), "/registrations", &[JSON], body.as_bytes())
}

#[test]
fn a_consumer_that_misbehaves_gets_its_status_judged_and_no_more_time_than_others() {
    let rude = Rude::start();
    let served = hurried();
    let cases = [
        // Who has said 200 has taken it, whatever the body does, of which little is read.
        ("/ok", "done", ""),
        ("/large", "done", ""),
        ("/endless-body", "done", ""),
        ("/endless-chunks", "done", ""),
        ("/trickle", "done", ""),
        ("/stalls", "done", ""),
        ("/silent", "dead", "no answer in time"),
        ("/deaf-and-silent", "dead", "no answer in time"),
        ("/trickling-headers", "dead", "no answer in time"),
        ("/endless-headers", "dead", ""),
        ("/flood-of-1xx", "dead", ""),
        ("/garbage", "dead", ""),
        ("/closes", "dead", ""),
        ("/resets", "dead", ""),
        ("/redirects", "dead", "status 302"),
    ];
    let mut wanted = BTreeMap::new();
    for (path, state, reason) in cases {
        let registered = register(&served, &rude.url(path));
        assert_eq!(registered.status, 201, "{path}: {}", registered.body);
        let id = registered.json()["id"].as_str().unwrap().to_owned();
        wanted.insert(id, (path, state, reason));
    }
    let deliveries = settled(&served, &accepted(&served, &order()));
    assert_eq!(deliveries.len(), cases.len());
    for delivery in deliveries {
        let (path, state, reason) = wanted[delivery["registration"].as_str().unwrap()];
        assert_eq!(delivery["state"], state, "{path}: {delivery}");
        assert_eq!(delivery["attempts"], 1, "{path}: {delivery}");
        let said = delivery["reason"].as_str().unwrap_or_default();
        assert!(said.contains(reason), "{path}: {delivery}");
        assert!(state == "done" || !said.is_empty(), "{path}: {delivery}");
    }
}

#[test]
fn a_url_that_leads_nowhere_public_or_is_none_is_refused_when_it_is_registered() {
    let served = producer("").start();
    for (status, url) in [
        (403, "http://10.0.0.1/hook"),
        (403, "http://169.254.169.254/latest/meta-data"),
        (403, "http://[::1]/hook"),
        (400, "ftp://example.org/"),
        (400, "file:///etc/passwd"),
        (400, "/hook"),
        (400, "http://user:secret@example.org/"),
        (400, ""),
    ] {
        let answer = register(&served, url);
        assert_eq!(answer.status, status, "{url}: {}", answer.body);
    }
    assert_eq!(get(served.address(), "/registrations").json(), json!([]));
}

#[test]
fn ten_thousand_registrations_get_an_event_in_one_commit() {
    const COUNT: usize = 10_000;
    let host = producer("");
    let database = host.folder().join(".signet/test/sqlite/default.db");
    let (app, ..) = host.open().unwrap();
    drop(app);
    let file = rusqlite::Connection::open(database).unwrap();
    // All of them wait for an hour: what is asked here is whether they are accepted.
    let row = "INSERT INTO REGISTRATIONS (URL, EVENT, KEY, ID, STATE, CREATED_AT, SCHEDULE) \
               VALUES ('http://127.0.0.1:1/' || ?1, '*', 'key', ?2, 'active', 1, '[3600]')";
    file.execute_batch("BEGIN").unwrap();
    for number in 0..COUNT {
        let id = format!("{number:026}");
        file.execute(row, rusqlite::params![number.to_string(), id])
            .unwrap();
    }
    file.execute_batch("COMMIT").unwrap();
    drop(file);
    let served = host.start();
    let listed = get(served.address(), "/registrations").json();
    assert_eq!(listed.as_array().unwrap().len(), COUNT);
    let answer = event(&served, &[], &order());
    assert_eq!(
        (answer.status, &answer.json()["deliveries"]),
        (202, &json!(COUNT))
    );
    let path = format!("/events/{}", answer.json()["id"].as_str().unwrap());
    let shown = get(served.address(), &path).json();
    assert_eq!(shown["counts"]["waiting"], COUNT);
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 100);
}

#[test]
fn where_there_is_no_room_an_event_is_refused_whole_and_those_before_are_kept() {
    let served = producer("")
        .host("[queue]\nmax_store_bytes = 262144")
        .start();
    let large = json!({ "type": "order.paid", "data": "x".repeat(20_000) });
    let mut kept = Vec::new();
    let full = loop {
        let answer = event(&served, &[], &large);
        if answer.status != 202 {
            break answer;
        }
        kept.push(answer.json()["id"].as_str().unwrap().to_owned());
        assert!(kept.len() < 100, "it is never full");
    };
    assert_eq!(full.status, 503, "{}", full.body);
    assert_eq!(full.headers["retry-after"], "5");
    assert_eq!(full.json()["type"], "urn:signet:problem:queue-unavailable");
    assert!(!kept.is_empty());
    for id in &kept {
        let shown: Value = get(served.address(), &format!("/events/{id}")).json();
        assert_eq!(shown["type"], "order.paid", "{shown}");
    }
}

//! What the queues answer to what nobody should ask, and to what everybody may.

use super::*;
use crate::queue::{Limits, Memory, NewBatch, NewJob, Policies, Policy, Setup};
use serde_json::{Value, json};

/// An app `a shop` whose queue `mail` has these lanes, a job in each, and the engine that must outlive it.
async fn shop(lanes: &[&str]) -> (Queues, Arc<dyn Backend>) {
    let queue = QueueName {
        owner: "shop".into(),
        name: "mail".into(),
    };
    let policies = Policies::new([(queue.clone(), Policy::default())].into()).unwrap();
    let engine: Arc<dyn Backend> = Arc::new(Memory::new(Setup::new(policies, Limits::default())));
    let job = |lane: &&str| NewJob {
        queue: "mail".into(),
        lane: (*lane).to_owned(),
        ..NewJob::default()
    };
    let batch = NewBatch {
        owner: "shop".into(),
        body: "what it carries".into(),
        jobs: lanes.iter().map(job).collect(),
        ..NewBatch::default()
    };
    engine.enqueue(batch).await.unwrap();
    let queues = Queues::default();
    queues.open(vec![App {
        name: "a shop".into(),
        engine: Arc::downgrade(&engine),
        queues: vec![queue],
    }]);
    (queues, engine)
}

async fn ask(
    queues: &Queues,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Option<String>, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let response = queues.answer(request).await;
    let (parts, body) = response.into_parts();
    let allow = parts.headers.get(ALLOW);
    let allow = allow.map(|allow| allow.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    (
        parts.status.as_u16(),
        allow,
        serde_json::from_slice(&body).unwrap(),
    )
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_cure_and_changes_nothing() {
    let (queues, engine) = shop(&["a", "b"]).await;
    let long = format!("{{\"reason\":\"{}\"}}", "x".repeat(LONGEST));
    let job = format!("{}-0000", "0".repeat(32));
    let no_job = format!("/queues/a%20shop/jobs/{job}");
    for (method, path, body, status, words) in [
        ("GET", "/queues/", "", 404, "there is /queues"),
        ("GET", "/queues/a%20shop", "", 404, "there is /queues"),
        (
            "GET",
            "/queues/a%20shop/jobs/x/y",
            "",
            404,
            "there is /queues",
        ),
        ("GET", "/queues/other/jobs", "", 404, "name one of a shop"),
        (
            "GET",
            "/queues/a%20shop/jobs/x",
            "",
            404,
            "from a receipt or from a list",
        ),
        ("GET", &no_job, "", 404, "past its retention"),
        ("GET", "/queues?app=x", "", 400, "leave it out"),
        (
            "GET",
            "/queues/a%20shop/jobs?lane=c",
            "",
            400,
            "there are `a`, `b`",
        ),
        (
            "GET",
            "/queues/a%20shop/jobs?count=1",
            "",
            400,
            "`count` cannot be asked for",
        ),
        ("GET", &format!("{no_job}?bodies"), "", 400, "body=true"),
        (
            "POST",
            "/queues/a%20shop/jobs/dead?lane=a",
            "{}",
            400,
            "goes into the body",
        ),
        (
            "POST",
            "/queues/a%20shop/jobs/dead",
            "{\"dry-run\":false}",
            400,
            "unknown field `dry-run`",
        ),
        (
            "POST",
            "/queues/a%20shop/jobs/dead",
            "lane=a",
            400,
            "no order in JSON",
        ),
        (
            "POST",
            "/queues/a%20shop/jobs/dead",
            "{\"done\":true}",
            400,
            "`done` belongs to retry",
        ),
        (
            "POST",
            "/queues/a%20shop/jobs/dead",
            "{\"queue\":\"post\",\"dry_run\":false}",
            400,
            "there is `mail`",
        ),
        ("POST", "/queues/a%20shop/jobs/dead", &long, 413, "64 KiB"),
    ] {
        let (said, _, answer) = ask(&queues, method, path, body).await;
        let error = answer["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(said, status, "{path}: {error}");
        assert!(error.contains(words), "{path}: {error}");
    }
    for (method, path, allow) in [
        ("POST", "/queues", "GET, HEAD"),
        ("DELETE", "/queues/a%20shop/jobs", "GET, HEAD"),
        ("POST", &*no_job, "GET, HEAD"),
        ("GET", "/queues/a%20shop/jobs/purge", "POST"),
        ("PUT", "/queues/a%20shop/jobs/retry", "POST"),
    ] {
        let (said, allowed, _) = ask(&queues, method, path, "{\"dry_run\":false}").await;
        assert_eq!(
            (said, allowed.as_deref()),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    let depth = engine.stats().await.unwrap()[0].depth;
    assert_eq!((depth.waiting, depth.dead), (2, 0));
}

#[tokio::test]
async fn nothing_is_changed_that_was_not_meant() {
    let (queues, _engine) = shop(&["a", "b"]).await;
    let dead = "/queues/a%20shop/jobs/dead";
    let dry = json!({ "dry_run": true, "count": 2, "next": null });
    for body in ["", "{}", "{\"dry_run\":true}"] {
        assert_eq!(
            ask(&queues, "POST", dead, body).await,
            (200, None, dry.clone())
        );
    }
    let wet = "{\"lane\":\"b\",\"dry_run\":false}";
    let made = json!({ "dry_run": false, "count": 1, "next": null });
    assert_eq!(ask(&queues, "POST", dead, wet).await.2, made);
    let (_, _, page) = ask(&queues, "GET", "/queues/a%20shop/jobs?state=dead", "").await;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(page["jobs"][0]["reason"], "given up by the operator");
    let job = page["jobs"][0]["job"].as_str().unwrap();
    let path = format!("/queues/a%20shop/jobs/{job}");
    let (_, _, shown) = ask(&queues, "GET", &path, "").await;
    assert_eq!((&shown["lane"], shown.get("body")), (&json!("b"), None));
    let (_, _, shown) = ask(&queues, "GET", &format!("{path}?body=true"), "").await;
    assert_eq!(shown["body"], "what it carries");
}

#[tokio::test]
async fn a_list_says_where_it_goes_on() {
    let (queues, _engine) = shop(&["a", "b", "c"]).await;
    let (mut path, mut lanes) = ("/queues/a%20shop/jobs?limit=2".to_owned(), Vec::new());
    loop {
        let (_, _, page) = ask(&queues, "GET", &path, "").await;
        let jobs = page["jobs"].as_array().unwrap();
        lanes.extend(
            jobs.iter()
                .map(|job| job["lane"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/queues/a%20shop/jobs?limit=2&after={next}");
    }
    assert_eq!(lanes, ["a", "b", "c"]);
}

#[tokio::test]
async fn before_the_engines_open_and_after_they_close_it_is_a_matter_of_time() {
    let (status, _, answer) = ask(&Queues::default(), "GET", "/queues", "").await;
    assert_eq!(
        (status, &answer["error"]),
        (503, &json!("the host starts: ask again in a moment"))
    );
    let (queues, engine) = shop(&["a"]).await;
    drop(engine);
    let (status, _, answer) = ask(&queues, "GET", "/queues/a%20shop/jobs", "").await;
    assert_eq!(status, 503, "{answer}");
    assert!(
        answer["error"].as_str().unwrap().contains("stops"),
        "{answer}"
    );
}

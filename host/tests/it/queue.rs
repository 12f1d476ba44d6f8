//! The queue as guests have it: what was accepted is worked on, whatever becomes of the instance, the worker or
//! the host meanwhile, and nobody sees what is another's.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Host, Process, Served, fixture, get};

/// A host whose guest has one queue, with these lines in its table.
fn host(policy: &str) -> Host {
    Host::of(fixture("fixture-guest-queue"))
        .with("key_value_stores = [\"default\"]")
        .and(&format!(
            "[component.guest.tool.signet.queue.jobs]\n{policy}"
        ))
}

/// Tries again at once.
pub(crate) const EAGER: &str = "schedule_ms = [0]\nattempts = 3\njitter_percent = 0";

/// Looks again until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Enqueues a job and gives its name.
fn enqueue(served: &Served, detail: &str) -> String {
    let receipt = served.get(&format!("/enqueue?jobs&lane&{detail}"));
    let (job, replayed) = receipt
        .split_once(' ')
        .unwrap_or_else(|| panic!("{receipt}"));
    assert_eq!(replayed, "false");
    job.to_owned()
}

/// Waits until a job was done, and gives its attempts.
fn done(served: &Served, job: &str) -> String {
    until("it was not done", || {
        served.get(&format!("/job?{job}")).contains("State::Done(")
    });
    served.get(&format!("/attempts?{job}"))
}

#[test]
fn what_was_enqueued_is_run() {
    let served = host(EAGER).start();
    let job = enqueue(&served, "keep=a");
    let attempts = done(&served, &job);
    assert_eq!(served.get("/kv?a"), "body 1");
    assert!(attempts.contains("Ended::Done"), "{attempts}");
    assert!(attempts.contains("attempt 1"), "{attempts}");
    let batch = served.get(&format!("/batch?{}", &job[..32]));
    assert!(batch.contains("done: 1"), "{batch}");
}

#[test]
fn many_jobs_are_run_each_once() {
    let served = host(EAGER).start();
    let jobs: Vec<_> = (0..200)
        .map(|number| enqueue(&served, &format!("keep={number}")))
        .collect();
    for job in &jobs {
        let attempts = done(&served, job);
        assert_eq!(attempts.matches("number:").count(), 1, "{attempts}");
    }
}

#[test]
fn a_job_that_traps_is_tried_again() {
    let served = host(EAGER).start();
    let job = enqueue(&served, "trap-once");
    let attempts = done(&served, &job);
    assert!(attempts.contains("the worker trapped: "), "{attempts}");
    assert!(attempts.contains("attempt 2"), "{attempts}");
}

#[test]
fn a_worker_that_loops_is_ended_and_tried_again() {
    let served = host(&format!("{EAGER}\ntimeout_ms = 300"))
        .with("[component.guest.tool.signet]\nmax_instances = 2")
        .threads(1)
        .start();
    // One instance serves and one works: the second attempt has a place when the first is ended.
    let job = enqueue(&served, "loop-once");
    let attempts = done(&served, &job);
    assert!(attempts.contains("attempt 2"), "{attempts}");
    assert!(attempts.contains("time"), "{attempts}");
    // The instance is gone, and its thread serves.
    assert_eq!(served.get("/kv?none"), "none");
}

#[test]
fn a_worker_that_waits_for_too_long_is_tried_again() {
    let served = host(&format!("{EAGER}\ntimeout_ms = 300")).start();
    let job = enqueue(&served, "wait-once");
    assert!(done(&served, &job).contains("attempt 2"));
}

#[test]
fn a_job_that_never_works_is_a_dead_letter_and_can_be_sent_again() {
    let served = host(EAGER).start();
    for (detail, reason, attempts) in [("dead", "never", 1), ("retry", "not now", 3)] {
        let job = enqueue(&served, detail);
        let dead = || served.get(&format!("/job?{job}"));
        until("it is not dead", || dead().contains("State::Dead("));
        assert!(dead().contains(reason), "{}", dead());
        assert!(
            dead().contains(&format!("attempts: {attempts}")),
            "{}",
            dead()
        );
        assert_eq!(served.get(&format!("/resend?{job}")), "true");
        let again = format!("attempts: {}", 2 * attempts);
        until("it was not sent again", || dead().contains(&again));
    }
}

#[test]
fn a_key_with_another_body_is_a_conflict() {
    let served = host(EAGER).start();
    let first = served.get("/keyed?key&jobs&lane&a");
    let again = served.get("/keyed?key&jobs&lane&b");
    assert_eq!(again, first.replace("false", "true"));
    let other = served.get("/keyed?key&jobs&lane&a&other");
    assert!(
        other.contains(&format!("Conflict({:?})", &first[..32])),
        "{other}"
    );
}

#[test]
fn without_a_grant_the_queue_is_denied() {
    let served = host(EAGER).start();
    for path in [
        "/enqueue?other&lane&a",
        "/jobs?other&1",
        "/pause?other&lane",
    ] {
        let answer = served.get(path);
        assert!(answer.contains("AccessDenied"), "{path}: {answer}");
    }
    let words = served.stop();
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn what_is_too_large_for_a_queue_is_refused_in_words() {
    let served = host(EAGER)
        .host("[queue]\nmax_body_bytes = 1000\nmax_detail_bytes = 100\nmax_jobs_per_batch = 5\nmax_jobs_per_call = 7")
        .start();
    assert_eq!(served.get("/large?jobs&1000&100&5"), "5");
    for path in [
        "/large?jobs&1001&0&1",
        "/large?jobs&0&101&1",
        "/large?jobs&0&0&6",
        "/jobs?jobs&8",
    ] {
        let answer = served.get(path);
        assert!(answer.contains("TooLarge("), "{path}: {answer}");
    }
    let lane = "x".repeat(300);
    let answer = served.get(&format!("/enqueue?jobs&{lane}&a"));
    assert!(answer.contains("TooLarge("), "{answer}");
}

#[test]
fn a_queue_without_a_worker_is_refused_and_so_is_a_worker_without_a_queue() {
    let queue = "[component.guest.tool.signet.queue.jobs]";
    let without = Host::of(fixture("fixture-guest-p2")).and(queue);
    let error = without.open().err().unwrap();
    let words = format!("{error:#}");
    assert!(words.contains("queue `jobs`"), "{words}");
    assert!(words.contains("signet:queue/worker@0.1.0"), "{words}");
    let without = Host::of(fixture("fixture-guest-queue"));
    let words = format!("{:#}", without.open().err().unwrap());
    assert!(words.contains("tool.signet.queue.NAME"), "{words}");
}

#[test]
fn two_components_queues_are_apart() {
    let component = format!(
        "[[trigger.http]]\nroute = \"/other/...\"\ncomponent = \"other\"\n\
         [component.other]\nsource = \"{}\"\n\
         [component.other.tool.signet.queue.jobs]\n{EAGER}\n\
         [component.other.tool.signet.queue.own]\n",
        fixture("fixture-guest-queue").display()
    );
    let served = host(EAGER).and(&component).start();
    let job = enqueue(&served, "a");
    done(&served, &job);
    // Its name is known, and still there is no such job, batch or key.
    for path in [format!("/job?{job}"), format!("/batch?{}", &job[..32])] {
        assert_eq!(served.get(&format!("/other{path}")), "None");
    }
    for path in [format!("/resend?{job}"), format!("/cancel?{job}")] {
        assert_eq!(served.get(&format!("/other{path}")), "false");
    }
    assert_eq!(served.get(&format!("/other/attempts?{job}")), "[]");
    assert_eq!(served.get("/other/jobs?jobs&10"), "0");
    assert_eq!(served.get("/jobs?jobs&10"), "1");
    let keyed = [
        served.get("/keyed?key&jobs&lane&a"),
        served.get("/other/keyed?key&jobs&lane&b"),
    ];
    assert!(
        keyed.iter().all(|receipt| receipt.ends_with("false")),
        "{keyed:?}"
    );
    // A queue of the other's.
    assert!(served.get("/enqueue?own&lane&a").contains("AccessDenied"));
    assert!(served.get("/other/enqueue?own&lane&a").ends_with("false"));
}

/// A process that runs the guest with a queue of this policy.
pub(crate) fn process(policy: &str, host: &str) -> Process {
    process_with(policy, host, &[])
}

/// The same, with more arguments.
fn process_with(policy: &str, host: &str, arguments: &[&str]) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let app = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"{}\"\nkey_value_stores = [\"default\"]\n\
         [component.guest.tool.signet.queue.jobs]\n{policy}\n",
        fixture("fixture-guest-queue").display()
    );
    std::fs::write(folder.path().join("spin.toml"), app).unwrap();
    let host = format!("{host}\n[[app]]\nmanifest = \"spin.toml\"\nlisten = \"127.0.0.1:0\"\n");
    std::fs::write(folder.path().join("signet.toml"), host).unwrap();
    let arguments = [&["run", "signet.toml"], arguments].concat();
    Process::within(folder, &arguments)
}

#[test]
fn a_host_that_was_killed_runs_what_it_had_accepted() {
    let mut process = process("lane_concurrency = 1", "");
    let ask = |process: &Process, path: &str| get(process.address, path).body;
    // The first holds the lane up, so that those behind it wait when the host is killed.
    let first = ask(&process, "/enqueue?jobs&lane&wait-once");
    let running = format!("/job?{}", &first[..37]);
    until("it does not run", || {
        ask(&process, &running).contains("State::Running")
    });
    for key in ["a", "b", "c"] {
        let receipt = ask(&process, &format!("/enqueue?jobs&lane&keep={key}"));
        assert!(receipt.ends_with("false"), "{receipt}");
    }
    process.kill();
    process.restart();
    for key in ["a", "b", "c"] {
        let kept = || ask(&process, &format!("/kv?{key}"));
        until("it was not run", || kept() == "body 1");
    }
}

#[test]
fn a_job_that_was_given_up_because_the_host_was_killed_is_told_by_the_next() {
    let mut process = process_with("attempts = 1", "", &["--log-format", "json"]);
    let receipt = get(process.address, "/enqueue?jobs&lane&wait").body;
    let job = &receipt[..37];
    until("it does not run", || {
        let shown = get(process.address, &format!("/job?{job}")).body;
        shown.contains("State::Running")
    });
    process.kill();
    process.restart();
    process.has_said("a job was given up");
    let log = process.log();
    let mut lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["fields"]["message"] == "a job was given up");
    let (line, another) = (lines.next().unwrap(), lines.next());
    assert_eq!(line["level"], "WARN");
    let fields = json!({
        "message": "a job was given up", "app": "test", "component": "guest", "queue": "jobs",
        "job": job, "batch": &job[..32], "attempt": 1, "outcome": "dead",
        "reason": "lease expired: whoever had the job did not say what came of it",
    });
    assert_eq!(line["fields"], fields);
    assert!(another.is_none(), "{log}");
}

#[test]
fn who_stops_releases_what_it_holds() {
    let mut process = process(EAGER, "[server]\nshutdown_timeout_ms = 200");
    let ask = |process: &Process, path: &str| get(process.address, path).body;
    let receipt = ask(&process, "/enqueue?jobs&lane&wait");
    let job = format!("/job?{}", &receipt[..37]);
    until("it does not run", || {
        ask(&process, &job).contains("State::Running")
    });
    process.signal("TERM");
    assert_eq!(process.end_within(Duration::from_secs(30)), Some(0));
    process.restart();
    // Given back and begun anew, and no attempt was counted.
    until("it does not run again", || {
        ask(&process, &job).contains("State::Running")
    });
    assert!(
        ask(&process, &job).contains("attempts: 0"),
        "{}",
        ask(&process, &job)
    );
}

#[test]
fn a_dead_letter_and_the_jobs_of_an_instance_that_fell_are_told_with_their_ids() {
    let mut process = process_with(EAGER, "", &["--log-format", "json"]);
    let ask = |process: &Process, path: &str| get(process.address, path).body;
    let enqueued = |process: &Process, detail: &str| {
        ask(process, &format!("/enqueue?jobs&lane&{detail}"))[..37].to_owned()
    };
    let well = enqueued(&process, "keep=a");
    let fell = enqueued(&process, "trap-once");
    let dead = enqueued(&process, "retry");
    for job in [&well, &fell] {
        let shown = || ask(&process, &format!("/job?{job}"));
        until("it was not done", || shown().contains("State::Done("));
    }
    process.has_said("a job was given up");
    let log = process.log();
    let lines = || {
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    };
    let said = |what: &str| {
        let mut said = lines().filter(|line| line["fields"]["message"] == what);
        let line = said.next().unwrap_or_else(|| panic!("{what}: {log}"));
        assert!(said.next().is_none(), "{what}: {log}");
        line
    };
    let mut line = said("a job was given up");
    assert_eq!(line["level"], "WARN");
    let took = line["fields"]["milliseconds"].take();
    assert!(took.is_u64(), "{took}");
    let fields = json!({
        "message": "a job was given up", "app": "test", "component": "guest", "queue": "jobs",
        "job": dead, "batch": &dead[..32], "attempt": 3, "outcome": "dead", "reason": "not now",
        "milliseconds": null,
    });
    assert_eq!(line["fields"], fields);
    let line = said("an instance was ended");
    let jobs = line["fields"]["jobs"].as_str().unwrap();
    assert!(
        jobs.split(' ').any(|job| job == format!("{fell}/1")),
        "{jobs}"
    );
    // What went well, and what is tried again, is no line of the usual log.
    assert!(!log.contains(&well), "{log}");
    assert!(!log.contains("an attempt ended"), "{log}");
}

//! The queues of a host that runs, through its admin listener: who knows the token sees and changes them, by HTTP
//! and by `signet queue --admin`, and what is changed is worked on at once.

use std::net::SocketAddr;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::events::{event, order as an_order, producer, register, settled};
use crate::queue::{EAGER, process, until};
use crate::support::{Answer, Host, Process, Receiver, fixture, get, post, request, signet};

const TOKEN: &str = "0123456789abcdef";
const BEARER: (&str, &str) = ("authorization", "Bearer 0123456789abcdef");

/// A host to be whose guest has one queue, with an admin listener and what else stands in its table.
fn host(admin: &str) -> Host {
    let queue = format!("[component.guest.tool.signet.queue.jobs]\n{EAGER}");
    Host::of(fixture("fixture-guest-queue"))
        .with("key_value_stores = [\"default\"]")
        .and(&queue)
        .host(&listener(admin))
}

/// The table of an admin listener, with what else stands in it.
fn listener(more: &str) -> String {
    format!("[admin]\nlisten = \"127.0.0.1:0\"\n{more}")
}

/// A folder with a file that has the token, and the line that names it.
fn token() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let line = format!("token_file = \"{}\"", file.display());
    (folder, line)
}

fn show(admin: SocketAddr, path: &str) -> Answer {
    request(admin, "GET", path, &[BEARER], b"")
}

fn order(admin: SocketAddr, path: &str, order: &Value) -> Value {
    let answer = post(admin, path, &[BEARER], order.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// `signet queue` about a host that runs.
fn queue(admin: SocketAddr, token: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = signet();
    command.arg("queue").args(arguments);
    command.args(["--admin", &format!("http://{admin}")]);
    command.env_remove("SIGNET_ADMIN_TOKEN");
    command.envs(token.map(|token| ("SIGNET_ADMIN_TOKEN", token)));
    command.stdout(Stdio::piped());
    command.output().unwrap()
}

fn says(admin: SocketAddr, arguments: &[&str]) -> String {
    let output = queue(admin, Some(TOKEN), arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn refuses(output: &Output, code: i32, words: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words}: {error}");
    let first = error.lines().next().unwrap_or_default();
    assert!(first.contains(words), "{words}: {error}");
    assert!(!error.contains(TOKEN), "{error}");
}

/// A process with a dead letter and, in a lane that is paused, a job that waits; and its admin listener.
struct Runs {
    process: Process,
    admin: SocketAddr,
    dead: String,
    waits: String,
    _token: TempDir,
}

fn runs() -> Runs {
    let (folder, line) = token();
    let mut process = process(EAGER, &listener(&line));
    let ask = |path: &str| get(process.address, path).body;
    let name = |receipt: String| receipt[..37].to_owned();
    let dead = name(ask("/enqueue?jobs&lane&dead"));
    assert_eq!(ask("/pause?jobs&slow"), "paused");
    let waits = name(ask("/enqueue?jobs&slow&keep=a"));
    until("it was not given up", || {
        ask(&format!("/job?{dead}")).contains("State::Dead")
    });
    let admin = process.admin();
    Runs {
        process,
        admin,
        dead,
        waits,
        _token: folder,
    }
}

#[test]
fn without_a_token_the_queues_are_neither_shown_nor_changed() {
    let served = host("").start();
    let admin = served.running().admin().unwrap();
    for (method, path) in [
        ("GET", "/queues"),
        ("GET", "/queues/test/jobs"),
        ("POST", "/queues/test/jobs/purge"),
    ] {
        for header in [&[][..], &[BEARER]] {
            let answer = request(admin, method, path, header, b"{\"dry_run\":false}");
            assert_eq!(answer.status, 403, "{path}: {}", answer.body);
            let error = answer.json()["error"].to_string();
            assert!(error.contains("`token_file` under [admin]"), "{error}");
        }
    }
    assert_eq!(get(admin, "/metrics").status, 200);
    refuses(
        &queue(admin, Some(TOKEN), &["stats"]),
        2,
        "`token_file` under [admin]",
    );
    drop(served);

    let (_folder, line) = token();
    let served = host(&line).start();
    let admin = served.running().admin().unwrap();
    assert_eq!(get(admin, "/queues").status, 401);
    let wrong = [("authorization", "Bearer 0123456789abcdeX")];
    assert_eq!(
        post(admin, "/queues/test/jobs/purge", &wrong, b"{}").status,
        401
    );
    assert_eq!(show(admin, "/queues").status, 200);
}

#[test]
fn a_host_that_starts_says_so_and_then_answers_for_its_queues() {
    let (_folder, line) = token();
    let host = host(&line);
    let (app, writer, _output) = host.open().unwrap();
    let admin = app.admin().unwrap();
    let answer = show(admin, "/queues");
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1");
    refuses(
        &queue(admin, Some(TOKEN), &["stats"]),
        1,
        "the host starts: ask again",
    );
    let running = app.start().unwrap();
    let answer = show(admin, "/queues");
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "apps": [{ "app": "test", "queues": [] }] }))
    );
    running.stop();
    running.wait().unwrap();
    writer.finish();
}

#[test]
fn a_job_that_is_sent_again_by_hand_is_tried_at_once() {
    let (_folder, line) = token();
    let served = host(&line).start();
    let admin = served.running().admin().unwrap();
    let job = served.get("/enqueue?jobs&lane&dead")[..37].to_owned();
    let path = format!("/queues/test/jobs/{job}");
    let stands = |state: &str, attempts: u64| {
        until(state, || {
            let shown = show(admin, &path).json();
            shown["state"] == state && shown["attempts"] == attempts
        });
    };
    stands("dead", 1);
    let dry = json!({ "state": "dead" });
    let answer = json!({ "dry_run": true, "count": 1, "next": null });
    assert_eq!(order(admin, "/queues/test/jobs/retry", &dry), answer);
    stands("dead", 1);
    // Nothing is due and nothing else happens: only the change wakes the loop.
    let wet = json!({ "state": "dead", "dry_run": false });
    let answer = json!({ "dry_run": false, "count": 1, "next": null });
    assert_eq!(order(admin, "/queues/test/jobs/retry", &wet), answer);
    stands("dead", 2);
    let shown = show(admin, &format!("{path}?body=true")).json();
    assert_eq!(
        (&shown["detail"], &shown["body"]),
        (&json!("dead"), &json!("body"))
    );
    let ended: Vec<_> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["ended"])
        .collect();
    assert_eq!(ended, ["dead", "dead"]);
    let overview = show(admin, "/queues").json();
    let counts = &overview["apps"][0]["queues"][0];
    assert_eq!(
        (&counts["queue"], &counts["dead"]),
        (&json!("jobs"), &json!(1))
    );
    let purged = json!({ "jobs": [job], "dry_run": false });
    assert_eq!(order(admin, "/queues/test/jobs/purge", &purged)["count"], 1);
    assert_eq!(show(admin, &path).status, 404);
}

#[test]
fn the_command_says_of_a_running_host_what_it_says_of_its_folder() {
    let mut runs = runs();
    let list = says(runs.admin, &["list"]);
    assert!(list.contains(&runs.dead) && list.contains("slow"), "{list}");
    let shown = says(runs.admin, &["show", &runs.dead]);
    assert!(
        shown.contains("given up") && !shown.contains("body:"),
        "{shown}"
    );
    let asked = [
        &["list", "--json"][..],
        &["list", "--json", "--limit", "1"],
        &["list", "--json", "--after", &runs.dead],
        &[
            "list",
            "--json",
            "--state",
            "dead",
            "--queue",
            "jobs",
            "--component",
            "guest",
        ],
        &["list", "--json", "--batch", &runs.waits[..32]],
        &["list", "--json", &runs.waits, &runs.dead],
        &["retry", "--app", "test"],
        &["dead", "--lane", "slow"],
        &["purge"],
    ];
    let running: Vec<_> = asked.iter().map(|asked| says(runs.admin, asked)).collect();
    let bodies = |shown: String| {
        shown
            .lines()
            .rev()
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let carried = bodies(says(runs.admin, &["show", &runs.waits, "--body"]));
    let counts = |stats: String| -> Vec<_> {
        let line = stats.lines().nth(1).unwrap();
        line.split_whitespace().take(5).map(str::to_owned).collect()
    };
    let counted = counts(says(runs.admin, &["stats"]));
    runs.process.signal("TERM");
    assert_eq!(runs.process.end(), Some(0));
    let left = |arguments: &[&str]| {
        let mut command = signet();
        command
            .current_dir(runs.process.folder())
            .arg("queue")
            .args(arguments);
        let output = command.stdout(Stdio::piped()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (asked, running) in asked.iter().zip(running) {
        assert_eq!(left(asked), running, "{asked:?}");
    }
    assert!(carried[1].contains("keep=a"), "{carried:?}");
    assert_eq!(bodies(left(&["show", &runs.waits, "--body"])), carried);
    assert_eq!(counts(left(&["stats"])), counted);
}

#[test]
fn the_command_changes_what_a_running_host_works_on() {
    let runs = runs();
    let path = format!("/job?{}", runs.dead);
    let file = runs._token.path().join("token");
    let file = ["--token-file", file.to_str().unwrap()];
    let output = queue(
        runs.admin,
        None,
        &[&["retry", &runs.dead, "--yes"], &file[..]].concat(),
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "1 job(s) due now\n"
    );
    until("it was not tried again", || {
        get(runs.process.address, &path)
            .body
            .contains("attempts: 2")
    });
    let dead = ["dead", "--lane", "slow", "--reason", "too late", "--yes"];
    assert_eq!(says(runs.admin, &dead), "1 job(s) given up\n");
    assert!(says(runs.admin, &["list", &runs.waits]).contains("too late"));
    until("it was not given up again", || {
        says(runs.admin, &["purge"]).starts_with("2 job(s)")
    });
    assert_eq!(says(runs.admin, &["purge", "--yes"]), "2 job(s) removed\n");
    assert_eq!(says(runs.admin, &["list", "--json"]), "");
}

#[test]
fn a_change_of_more_than_one_portion_is_made_to_its_end() {
    let (_folder, line) = token();
    let served = host(&line).start();
    let admin = served.running().admin().unwrap();
    assert_eq!(served.get("/pause?jobs&lane"), "paused");
    assert_eq!(served.get("/large?jobs&1&1&1201"), "1201");
    let order = |after: &Value| {
        let wet = json!({ "lane": "lane", "dry_run": false, "after": after });
        order(admin, "/queues/test/jobs/dead", &wet)
    };
    let first = order(&Value::Null);
    assert_eq!(first["count"], 500);
    let second = order(&first["next"]);
    assert_eq!(second["count"], 500);
    let third = order(&second["next"]);
    assert_eq!(
        (&third["count"], &third["next"]),
        (&json!(201), &Value::Null)
    );
    assert_eq!(
        says(admin, &["list", "--json", "--limit", "9999"])
            .lines()
            .count(),
        1201
    );
    assert_eq!(says(admin, &["retry", "--yes"]), "1201 job(s) due now\n");
    assert_eq!(says(admin, &["dead", "--yes"]), "1201 job(s) given up\n");
    assert_eq!(says(admin, &["purge", "--yes"]), "1201 job(s) removed\n");
}

#[test]
fn each_way_in_which_a_host_cannot_be_asked_is_told_with_its_cure() {
    let mut runs = runs();
    let (admin, address) = (runs.admin, runs.process.address);
    let asks = |arguments: &[&str]| queue(admin, Some(TOKEN), arguments);
    refuses(
        &queue(admin, None, &["stats"]),
        2,
        "name its file with --token-file, or set SIGNET_ADMIN_TOKEN",
    );
    refuses(
        &queue(admin, Some("fedcba9876543210"), &["stats"]),
        2,
        "has another token",
    );
    refuses(
        &asks(&["stats", "--token-file", "none"]),
        2,
        "token's file none cannot be read",
    );
    refuses(
        &queue(address, Some(TOKEN), &["stats"]),
        2,
        "name the address of the admin listener",
    );
    refuses(
        &asks(&["stats", "--state-dir", "x"]),
        2,
        "cannot be used with",
    );
    refuses(
        &asks(&["list", "--app", "other"]),
        2,
        "name one with --app: test",
    );
    refuses(
        &asks(&["list", "--lane", "fast"]),
        2,
        "lane `fast` is not there: there are `lane`, `slow`",
    );
    refuses(
        &asks(&["purge", "--queue", "job", "--yes"]),
        2,
        "queue `job` is not there: there is `jobs`",
    );
    refuses(
        &asks(&["show", &format!("{}-0000", "0".repeat(32))]),
        1,
        "past its retention",
    );
    let mut folder = signet();
    folder
        .current_dir(runs.process.folder())
        .args(["queue", "stats"]);
    refuses(&folder.output().unwrap(), 2, "ask it with --admin");
    runs.process.signal("TERM");
    assert_eq!(runs.process.end(), Some(0));
    refuses(
        &asks(&["stats"]),
        1,
        &format!("nobody answers at http://{admin}: start the host with --admin"),
    );
}

#[test]
fn an_event_whose_deliveries_are_removed_is_unknown_and_its_key_is_not() {
    let (_token, line) = token();
    let receiver = Receiver::answers(200);
    let served = producer("").host(&listener(&line)).start();
    register(&served, &receiver, json!({}));
    let key = ("idempotency-key", "order-7-paid");
    let sent = || event(&served, &[key], &an_order()).json()["id"].clone();
    let id = sent();
    let of = id.as_str().unwrap();
    assert_eq!(settled(&served, of)[0]["state"], "done");
    let admin = served.running().admin().unwrap();
    assert_eq!(says(admin, &["purge", "--yes"]), "1 job(s) removed\n");
    let path = format!("/events/{of}");
    assert_eq!(get(served.address(), &path).status, 404);
    let resend = format!("{path}/resend");
    assert_eq!(post(served.address(), &resend, &[], b"").status, 404);
    assert_eq!(sent(), id);
}

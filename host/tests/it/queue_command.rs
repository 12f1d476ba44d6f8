//! `signet queue`: what a host left in its queues can be seen and changed while it does not run, and nothing is
//! changed that was not asked for twice.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::queue::{EAGER, process, until};
use crate::support::{Process, get, signet};

/// A host that has a dead letter and, in a lane that is paused, a job that waits. It has stopped.
struct Left {
    process: Process,
    dead: String,
    waits: String,
}

fn ask(process: &Process, path: &str) -> String {
    get(process.address, path).body
}

fn left() -> Left {
    let mut process = process(EAGER, "");
    let name = |receipt: String| receipt[..37].to_owned();
    let dead = name(ask(&process, "/enqueue?jobs&lane&dead"));
    assert_eq!(ask(&process, "/pause?jobs&slow"), "paused");
    let waits = name(ask(&process, "/enqueue?jobs&slow&keep=a"));
    until("it was not given up", || {
        ask(&process, &format!("/job?{dead}")).contains("State::Dead")
    });
    process.signal("TERM");
    assert_eq!(process.end(), Some(0));
    Left {
        process,
        dead,
        waits,
    }
}

fn queue(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = signet();
    command.current_dir(folder).arg("queue").args(arguments);
    command.stdout(Stdio::piped());
    command.output().unwrap()
}

impl Left {
    /// What the command prints when all is well.
    fn says(&self, arguments: &[&str]) -> String {
        let output = queue(self.process.folder(), arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn what_a_host_left_is_listed_and_counted() {
    let left = left();
    let list = left.says(&["list"]);
    for words in [&*left.dead, &left.waits, "guest/jobs", "slow", "never"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    assert!(!list.contains("keep=a"), "what it carries: {list}");
    let dead = left.says(&["list", "--state", "dead", "--json"]);
    let dead: serde_json::Value = serde_json::from_str(&dead).unwrap();
    assert_eq!(dead["job"], *left.dead);
    assert_eq!(dead["batch"], left.dead[..32]);
    assert_eq!(
        (&dead["state"], &dead["reason"]),
        (&"dead".into(), &"never".into())
    );
    let after = left.says(&["list", "--after", &left.dead]);
    assert!(
        !after.contains(&left.dead) && after.contains(&left.waits),
        "{after}"
    );
    // Page by page, and by what they have in common.
    let pages = [
        &["--limit", "1"][..],
        &["--limit", "1", "--after", &left.dead],
    ];
    for (page, job) in pages.iter().zip([&left.dead, &left.waits]) {
        let said = left.says(&[&["list"], *page].concat());
        assert_eq!(said.matches("guest/jobs").count(), 1, "{said}");
        assert!(
            said.contains(&format!("there may be more: --after {job}")),
            "{said}"
        );
    }
    let last = left.says(&["list", "--limit", "2", "--after", &left.dead]);
    assert!(!last.contains("--after"), "{last}");
    let common = [
        "--batch",
        &left.waits[..32],
        "--component",
        "guest",
        "--queue",
        "jobs",
    ];
    let common = left.says(&[&["list"], &common[..]].concat());
    assert!(
        common.contains(&left.waits) && !common.contains(&left.dead),
        "{common}"
    );
    let stats = left.says(&["stats"]);
    let counts: Vec<_> = stats.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(counts[..5], ["guest/jobs", "1", "0", "0", "1"], "{stats}");
}

#[test]
fn a_job_is_shown_with_its_attempts_and_what_it_carries_only_when_asked_for() {
    let left = left();
    let shown = left.says(&["show", &left.dead]);
    assert!(
        shown.contains("given up") && shown.contains("never"),
        "{shown}"
    );
    assert!(!shown.contains("body:"), "{shown}");
    let shown = left.says(&["show", &left.waits, "--body"]);
    assert!(
        shown.contains("\"keep=a\"") && shown.contains("\"body\""),
        "{shown}"
    );
}

#[test]
fn nothing_is_changed_before_it_was_asked_for_twice() {
    let left = left();
    let before = left.says(&["list", "--json"]);
    for (arguments, words) in [
        (
            &["retry", "--state", "dead"][..],
            "1 job(s) would be due now",
        ),
        (&["retry"], "2 job(s) would be due now"),
        (&["dead"], "1 job(s) would be given up"),
        (&["purge"], "1 job(s) would be removed"),
    ] {
        let said = left.says(arguments);
        assert!(said.contains(words) && said.contains("--yes"), "{said}");
    }
    assert_eq!(left.says(&["list", "--json"]), before);
}

#[test]
fn a_dead_letter_that_is_retried_is_tried_at_the_next_start() {
    let mut left = left();
    assert_eq!(
        left.says(&["retry", &left.dead, "--yes"]),
        "1 job(s) due now\n"
    );
    let due = left.says(&["list", &left.dead]);
    assert!(due.contains("waiting"), "{due}");
    left.process.restart();
    let path = format!("/job?{}", left.dead);
    until("it was not tried again", || {
        ask(&left.process, &path).contains("attempts: 2")
    });
}

#[test]
fn what_waits_is_given_up_before_it_is_removed() {
    let left = left();
    let waits = [&*left.waits, "--yes"];
    assert_eq!(
        left.says(&[&["purge"], &waits[..]].concat()),
        "0 job(s) removed\n"
    );
    let dead = ["dead", "--lane", "slow", "--reason", "too late", "--yes"];
    assert_eq!(left.says(&dead), "1 job(s) given up\n");
    let shown = left.says(&["list", &left.waits]);
    assert!(shown.contains("too late"), "{shown}");
    assert_eq!(left.says(&["purge", "--yes"]), "2 job(s) removed\n");
    assert_eq!(left.says(&["list", "--json"]), "");
}

#[test]
fn wrong_input_and_a_running_host_are_refused_with_the_cure() {
    let mut left = left();
    let folder = left.process.folder().to_owned();
    let refused = |arguments: &[&str], words: &str| {
        let output = queue(&folder, arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    };
    refused(&["show", "no-job"], "take it from a receipt or from a list");
    refused(&["list", "--state-dir", "elsewhere"], "is no state folder");
    refused(&["list", "--app", "other"], "name one with --app: test");
    for (name, is, words) in [
        (
            "--component",
            "guests",
            "component `guests` is not there: there is `guest`",
        ),
        (
            "--queue",
            "job",
            "queue `job` is not there: there is `jobs`",
        ),
        (
            "--lane",
            "fast",
            "lane `fast` is not there: there are `lane`, `slow`",
        ),
    ] {
        for command in [
            &["list"][..],
            &["retry"],
            &["dead", "--yes"],
            &["purge", "--yes"],
        ] {
            refused(&[command, &[name, is]].concat(), words);
        }
    }
    let missing = format!("{}-0000", "0".repeat(32));
    let output = queue(&folder, &["show", &missing]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("past its retention"), "{error}");
    left.process.restart();
    refused(&["list"], "ask it with --admin");
}

#[test]
fn what_was_done_is_sent_again_only_when_that_is_said() {
    let mut process = process(EAGER, "");
    let done = ask(&process, "/enqueue?jobs&lane&keep=a")[..37].to_owned();
    let path = format!("/job?{done}");
    let is = |process: &Process, words: &str| ask(process, &path).contains(words);
    until("it was not done", || is(&process, "State::Done"));
    process.signal("TERM");
    assert_eq!(process.end(), Some(0));
    let left = Left {
        process,
        dead: String::new(),
        waits: String::new(),
    };
    assert_eq!(left.says(&["retry", &done, "--yes"]), "0 job(s) due now\n");
    assert_eq!(
        left.says(&["retry", &done, "--done", "--yes"]),
        "1 job(s) due now\n"
    );
    let mut process = left.process;
    process.restart();
    until("it was not done again", || {
        is(&process, "State::Done") && is(&process, "attempts: 2")
    });
}

#[test]
fn a_change_of_more_than_one_portion_is_made_to_its_end() {
    let mut process = process(EAGER, "");
    assert_eq!(ask(&process, "/pause?jobs&lane"), "paused");
    assert_eq!(ask(&process, "/large?jobs&1&1&1201"), "1201");
    process.signal("TERM");
    assert_eq!(process.end(), Some(0));
    let left = Left {
        process,
        dead: String::new(),
        waits: String::new(),
    };
    assert_eq!(left.says(&["dead", "--yes"]), "1201 job(s) given up\n");
    assert_eq!(left.says(&["purge", "--yes"]), "1201 job(s) removed\n");
}

#[test]
fn what_a_killed_host_had_claimed_is_left_to_its_next_start() {
    let mut process = process(EAGER, "");
    let job = ask(&process, "/enqueue?jobs&lane&wait-once")[..37].to_owned();
    let path = format!("/job?{job}");
    until("it does not run", || {
        ask(&process, &path).contains("State::Running")
    });
    process.kill();
    let left = Left {
        process,
        dead: String::new(),
        waits: job,
    };
    let claimed = || {
        let line = left.says(&["list", "--state", "claimed", "--json"]);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["job"], &line["attempts"]),
            (&(*left.waits).into(), &0.into())
        );
    };
    claimed();
    left.says(&["stats"]);
    left.says(&["show", &left.waits]);
    for command in ["retry", "dead", "purge"] {
        left.says(&[command]);
        assert!(left.says(&[command, "--yes"]).starts_with("0 job(s)"));
    }
    claimed();
    let mut process = left.process;
    process.restart();
    // The lease that ended with the host counts as an attempt, by the policy of the app.
    until("it was not tried again", || {
        ask(&process, &path).contains("attempts: 2")
    });
}

#[test]
fn a_folder_that_has_no_queue_is_left_as_it_is() {
    // As private as a state folder has to be: a home, say.
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let mine = folder.path().join(".files").join("mine");
    std::fs::create_dir(mine.parent().unwrap()).unwrap();
    std::fs::write(&mine, "mine").unwrap();
    let output = queue(folder.path(), &["list", "--state-dir", "."]);
    assert!(mine.is_file());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("--state-dir"), "{error}");
}

#[test]
fn a_backup_has_the_queues() {
    let left = left();
    for arguments in [
        &["backup", "copy"][..],
        &["restore", "copy", "--state-dir", "again"],
    ] {
        let mut command = signet();
        let folder = left.process.folder();
        let status = command.current_dir(folder).args(arguments).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    }
    let restored = left.says(&["list", "--json", "--state-dir", "again"]);
    assert_eq!(restored, left.says(&["list", "--json"]));
    assert!(restored.contains(&left.waits), "{restored}");
}

//! A disk that is full or cannot be written: guests are told so, nothing is half written, and there is
//! service again as soon as there is room. The disk is one of two megabytes in the memory of the machine,
//! mounted where only the host and its test see it.

use std::path::PathBuf;

use crate::support::{Process, get};

/// Mounts the small disk as `disk`, in a namespace that ends with the process.
const MOUNT: &str = "mkdir disk && mount -t tmpfs -o size=2m,mode=700 tmpfs disk";

/// The host on the small disk, after `more` was done to that; none where the system lets no test mount
/// anything.
fn host(more: &str) -> Option<Result<Process, String>> {
    let arguments = [
        "--state-dir",
        "disk/state",
        "--sqlite",
        "default",
        "--key-value",
        "default",
    ];
    // As root, or as somebody who is root in a namespace of users.
    let namespaces = ["unshare --mount", "unshare --map-root-user --mount"];
    let able = |namespace: &&str| {
        let script = format!("cd $(mktemp -d) && {namespace} sh -c '{MOUNT}'");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(namespace) = namespaces.iter().find(|namespace| able(namespace)) else {
        assert!(
            std::env::var_os("SIGNET_REQUIRE_MOUNT").is_none(),
            "this system lets no test mount a disk"
        );
        eprintln!("left out: this system lets no test mount a disk");
        return None;
    };
    let script = format!("exec {namespace} sh -c '{MOUNT} && {more} exec \"$@\"' sh \"$@\"");
    Some(Process::start_by(&script, &arguments))
}

/// A path on the disk as the test can reach it.
fn on_disk(host: &Process, file: &str) -> PathBuf {
    let root = format!("/proc/{}/root", host.id());
    let folder = host.folder().strip_prefix("/").unwrap();
    PathBuf::from(root).join(folder).join("disk").join(file)
}

/// Writes with `path` until an answer is not `done`; how often it was, and the other answer.
fn fill(host: &Process, done: &str, path: impl Fn(usize) -> String) -> (usize, String) {
    for count in 0..1000 {
        let answer = get(host.address, &path(count));
        assert_eq!(answer.status, 200, "{}", answer.body);
        if !answer.body.starts_with(done) {
            return (count, answer.body);
        }
    }
    panic!("the disk took everything");
}

#[test]
fn a_full_disk_is_told_and_there_is_service_again_once_there_is_room() {
    let Some(host) = host("") else { return };
    let host = host.unwrap();
    let ballast = on_disk(&host, "ballast");
    std::fs::write(&ballast, vec![0; 700 << 10]).unwrap();
    let sql = |sql: &str| get(host.address, &format!("/sql?default&{sql}")).body;
    assert_eq!(sql("CREATE+TABLE+t(a)"), "[]");

    let key = |count: usize| format!("/kv?default&key{count}&{}", "v".repeat(6_000));
    let insert = "INSERT+INTO+t+VALUES(zeroblob(30000))";
    let row = |_| format!("/sql?default&{insert}");
    let (rows, refused) = fill(&host, "[]", row);
    assert_eq!(refused, "Error::DatabaseFull");
    let (keys, refused) = fill(&host, "Some", key);
    assert!(refused.contains("key-value store is full"), "{refused}");
    let twice = fill(&host, "[]", row);
    assert_eq!(twice, (0, "Error::DatabaseFull".to_owned()));

    // What was acknowledged can be read, what was refused is not there, and others are served.
    let count =
        |expected: usize| assert_eq!(sql("SELECT+count(*)+FROM+t"), format!("[\"{expected}\"]"));
    count(rows);
    let value = |count: usize| get(host.address, &format!("/kv?default&key{count}")).body;
    for held in 0..keys {
        assert!(value(held).starts_with("Some(\"vvv"), "{held}");
    }
    assert_eq!(value(keys), "None");
    assert_eq!(get(host.address, "/hello").body, "hello");

    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(sql(insert), "[]");
    count(rows + 1);
    assert!(get(host.address, &key(keys)).body.starts_with("Some"));
    assert_eq!(sql("PRAGMA+integrity_check"), "[\"ok\"]");
    assert!(rows > 0, "the disk was full from the beginning");
}

#[test]
fn a_disk_that_cannot_be_written_is_told_at_the_start() {
    let Some(host) = host("mount -o remount,ro disk &&") else {
        return;
    };
    let said = host.err().unwrap();
    assert!(
        said.contains("state folder disk/state cannot be used"),
        "{said}"
    );
    assert!(said.contains("Read-only file system"), "{said}");
}

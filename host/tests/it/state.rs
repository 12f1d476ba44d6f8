//! The state folder of a running host: one process has it, its owner alone reads it, and it can be backed
//! up and restored.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Process, get, signet};

const GRANTS: [&str; 4] = ["--sqlite", "default", "--key-value", "default"];

/// Runs a command to its end: its exit code and what it said.
fn run(arguments: &[&str], paths: &[&Path]) -> (Option<i32>, String) {
    let output = signet().args(arguments).args(paths).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_second_host_on_one_folder_is_refused_and_told_who_has_it() {
    let host = Process::start(&GRANTS, &[]);
    let state = host.folder().join(".signet");
    let second = ["run", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    let (code, said) = run(&[&second[..], &["--state-dir"]].concat(), &[&state]);
    let holder = format!("in use by process {}", host.id());
    assert!(
        code == Some(1) && said.contains(&holder),
        "{code:?}: {said}"
    );
    assert_eq!(get(host.address, "/hello").body, "hello");
}

#[test]
fn a_folder_is_free_again_however_its_host_ended() {
    let mut host = Process::start(&GRANTS, &[]);
    host.kill();
    host.restart();
    assert_eq!(get(host.address, "/hello").body, "hello");
    host.signal("TERM");
    assert_eq!(host.end(), Some(0));
    host.restart();
    assert_eq!(get(host.address, "/hello").body, "hello");
}

#[test]
fn all_state_is_its_owners_alone_whatever_the_umask() {
    let host = Process::start_by("umask 000; exec \"$@\"", &GRANTS).unwrap();
    get(host.address, "/kv?default&colour&blue");
    get(host.address, "/sql?default&CREATE+TABLE+t(x)");
    let mut seen = Vec::new();
    let mut folders = vec![host.folder().join(".signet")];
    while let Some(folder) = folders.pop() {
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                seen.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    for name in ["default.db", "default.db-wal", "default.db-shm", ".lock"] {
        assert!(seen.iter().any(|seen| seen == name), "{name}: {seen:?}");
    }
}

#[test]
fn a_folder_that_others_may_read_is_refused_with_the_cure() {
    let mut host = Process::start(&GRANTS, &[]);
    host.kill();
    let state = host.folder().join(".signet");
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).unwrap();
    let state = state.to_str().unwrap();
    let said = Process::start_by("exec \"$@\"", &["--state-dir", state])
        .err()
        .unwrap();
    assert!(said.contains(&format!("chmod 700 {state}")), "{said}");
}

#[test]
fn a_backup_of_a_running_host_has_everything_that_was_acknowledged_before_it() {
    let host = Process::start(&GRANTS, &[]);
    get(host.address, "/sql?default&CREATE+TABLE+t(client,step)");
    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    let (done, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let before = std::thread::scope(|scope| {
        let (address, done, acknowledged) = (host.address, &done, &acknowledged);
        let write = move |client: u64| {
            for step in 0.. {
                let insert = format!("/sql?default&INSERT+INTO+t+VALUES({client},{step})");
                let set = format!("/kv?default&{client}-{step}&value");
                let written = [get(address, &insert).body, get(address, &set).body];
                if done.load(Ordering::Relaxed) {
                    return;
                }
                if written != ["[]", "Some(\"value\")"] {
                    // The others have nothing to write for any more.
                    done.store(true, Ordering::Relaxed);
                    panic!("{written:?}");
                }
                acknowledged.lock().unwrap().push((client, step));
            }
        };
        for client in 0..3 {
            scope.spawn(move || write(client));
        }
        while acknowledged.lock().unwrap().len() < 30 && !done.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let before = acknowledged.lock().unwrap().clone();
        let state = host.folder().join(".signet");
        let (code, said) = run(&["backup", "--state-dir"], &[&state, &backup]);
        done.store(true, Ordering::Relaxed);
        assert_eq!(code, Some(0), "{said}");
        // While the host has the folder, nobody puts anything else there.
        let (code, said) = run(&["restore", "--force", "--state-dir"], &[&state, &backup]);
        assert!(
            code == Some(1) && said.contains("in use by process"),
            "{said}"
        );
        before
    });
    let (code, said) = run(&["restore", "--state-dir"], &[&restored, &backup]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["restore", "--state-dir"], &[&restored, &backup]);
    assert!(code == Some(2) && said.contains("--force"), "{said}");
    let (code, said) = run(&["backup", "--state-dir"], &[&restored, &backup]);
    assert!(
        code == Some(2) && said.contains("is there already"),
        "{said}"
    );

    let state = ["--state-dir", restored.to_str().unwrap()];
    let host = Process::start(&[&GRANTS[..], &state].concat(), &[]);
    let rows = get(host.address, "/sql?default&SELECT+client,step+FROM+t").body;
    for (client, step) in before {
        assert!(
            rows.contains(&format!("\"{client},{step}\"")),
            "{client} {step}"
        );
        let value = get(host.address, &format!("/kv?default&{client}-{step}")).body;
        assert_eq!(value, "Some(\"value\")");
    }
}

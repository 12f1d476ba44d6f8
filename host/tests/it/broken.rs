//! Ten plug-ins that cannot work: each has a `broken/NAME.txt` with what its person is told.
//! `SIGNET_BLESS=1 cargo test -p signet --test it broken` writes what is said now; `git diff` then shows whether
//! it reads well: what is wrong, where, and what to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{Process, get, signet};

/// A component that answers requests, as far as anyone sees who does not run it; with this in it.
fn plug_in(more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {more}
            (instance $handler)
            (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#
    );
    wat::parse_str(text).unwrap()
}

/// A component that can be served, and falls when it is begun.
const FALLS: &str = r#"(component
    (import "wasi:http/types@0.2.0" (instance $types
        (export "incoming-request" (type (sub resource)))
        (export "response-outparam" (type (sub resource)))))
    (alias export $types "incoming-request" (type $request))
    (alias export $types "response-outparam" (type $response))
    (core module $m
        (func $begin unreachable)
        (start $begin)
        (func (export "handle") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func $handle (param "request" (own $request)) (param "response-out" (own $response))
        (canon lift (core func $i "handle")))
    (instance $handler (export "handle" (func $handle)))
    (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#;

/// What is found out before anything is served, by name.
fn unloadable() -> Vec<(&'static str, Vec<u8>)> {
    let whole = plug_in("(core module (memory 1)) (core module)");
    vec![
        ("not-wasm", b"#!/bin/sh\necho hello\n".to_vec()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("core-module", wat::parse_str("(module)").unwrap()),
        (
            "unknown-world",
            wat::parse_str(
                r#"(component (instance $runner) (export "acme:jobs/runner@1.0.0" (instance $runner)))"#,
            )
            .unwrap(),
        ),
        (
            "missing-import",
            plug_in(
                r#"(import "acme:mail/send@1.2.0" (instance (export "send" (func (param "to" string)))))"#,
            ),
        ),
        (
            "another-type",
            plug_in(
                r#"(import "wasi:random/random@0.2.0" (instance
                    (export "get-random-u64" (func (result string)))))"#,
            ),
        ),
        (
            "unsupported-version",
            plug_in(
                r#"(import "wasi:http/client@0.4.0" (instance (export "send" (func))))
                (import "wasi:keyvalue/store@0.2.0-draft3" (instance (export "open" (func))))"#,
            ),
        ),
    ]
}

/// What a person sees who runs an app with this component, and the exit code.
fn run(component: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plug-in.wasm"), component).unwrap();
    let app = "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
        [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
        [component.guest]\nsource = \"plug-in.wasm\"\n";
    std::fs::write(folder.path().join("spin.toml"), app).unwrap();
    let output = signet()
        .args(["run", "spin.toml", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env("RUST_LOG", "error")
        .env("RUST_BACKTRACE", "1")
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stderr).unwrap();
    writeln!(said, "exit code {}", output.status.code().unwrap()).unwrap();
    said.replace(&folder.path().display().to_string(), "FOLDER")
}

/// What a guest is told that asks for what it may not have, and what the host's log says of it.
fn asked(process: &mut Process, path: &str) -> String {
    let answer = get(process.address, path);
    process.signal("TERM");
    assert_eq!(process.end(), Some(0));
    let mut said = format!("{} {}\n", answer.status, answer.body);
    let log = process.log();
    let mut lines = log
        .lines()
        .skip_while(|line| !line.contains(" WARN ") && !line.contains(" ERROR "))
        .peekable();
    while let Some(line) = lines.next() {
        let line = line
            .split_once('Z')
            .map_or(line, |(_, line)| line.trim_start());
        writeln!(said, "{}", without_request(line)).unwrap();
        if lines.peek().is_some_and(|line| line.contains(" INFO ")) {
            break;
        }
    }
    said
}

/// The line without the number of its request, which is another each time.
fn without_request(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.split_once('=') {
        Some(("request", _)) => "request=ID",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn told(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/broken")
        .join(format!("{name}.txt"))
}

/// Whether this is what is written of it; panics if not.
fn check(name: &str, said: &str) {
    assert!(
        !said.contains("panicked") && !said.contains("stack backtrace"),
        "{name}:\n{said}"
    );
    let file = told(name);
    if std::env::var_os("SIGNET_BLESS").is_some() {
        std::fs::write(&file, said).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(said, written, "{name}");
}

#[test]
fn what_cannot_be_loaded_ends_with_exit_code_2_and_says_what_to_do() {
    for (name, component) in unloadable() {
        let said = run(&component);
        assert!(said.ends_with("exit code 2\n"), "{name}:\n{said}");
        check(name, &said);
    }
}

#[test]
fn a_store_that_is_not_granted_is_denied_and_the_log_says_which_line_would_grant_it() {
    let mut process = Process::run("", "");
    check("ungranted-store", &asked(&mut process, "/kv?secrets"));
}

#[test]
fn a_database_that_is_not_granted_is_denied_and_the_log_says_which_line_would_grant_it() {
    let mut process = Process::run("", "");
    check("ungranted-database", &asked(&mut process, "/sql?ledger"));
}

#[test]
fn a_host_that_is_not_granted_is_denied_and_the_log_says_which_line_would_grant_it() {
    let mut process = Process::run("", "");
    let path = "/fetch?https://api.example.com/a?key=secret";
    check("ungranted-host", &asked(&mut process, path));
}

#[test]
fn a_trap_at_instantiation_is_a_500_and_the_log_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("falls.wasm");
    std::fs::write(&path, wat::parse_str(FALLS).unwrap()).unwrap();
    let arguments = ["serve", "falls.wasm", "--addr", "127.0.0.1:0"];
    let mut process = Process::within(folder, &arguments);
    check("trap-at-instantiation", &asked(&mut process, "/"));
}

#[test]
fn every_text_is_of_something_that_is_broken() {
    let folder = told("none");
    let texts = std::fs::read_dir(folder.parent().unwrap()).unwrap().count();
    assert_eq!(texts, unloadable().len() + 4);
}

//! `files` of a manifest: what a guest may read through WASI 0.2 and 0.3, and all that it may not.

use std::path::Path;

use crate::support::{Host, fixture};

/// A host for one of the two guests, with files beside its manifest.
fn host(guest: &str) -> Host {
    let mut host = Host::of(fixture(guest));
    if guest == "fixture-guest" {
        host = probe(host, "");
    }
    let folder = host.folder().to_owned();
    std::fs::create_dir_all(folder.join("static/in")).unwrap();
    std::fs::write(folder.join("a.txt"), "outside").unwrap();
    std::fs::write(folder.join("static/a.txt"), "read").unwrap();
    std::fs::write(folder.join("static/in/b.txt"), "read below").unwrap();
    host
}

fn probe(host: Host, more: &str) -> Host {
    let dependency = fixture("fixture-dependency");
    host.link("fixture:test/probe", &dependency, more)
}

const GUESTS: [&str; 2] = ["fixture-guest", "fixture-guest-p2"];

/// An error's name, which the two versions of WASI write in their own ways.
fn error(text: &str) -> String {
    let name = text.trim_start_matches("ErrorCode::").replace('-', "");
    name.to_lowercase()
}

#[test]
fn a_guest_reads_what_its_manifest_names() {
    for guest in GUESTS {
        let host = host(guest).with("files = [\"static/**/*\"]").start();
        assert_eq!(host.get("/file?static/a.txt"), "read", "{guest}");
        assert_eq!(host.get("/file?static/in/b.txt"), "read below", "{guest}");
        assert_eq!(error(&host.get("/file?a.txt")), "noentry", "{guest}");
    }
}

#[test]
fn a_guest_neither_writes_nor_leaves_its_folder() {
    for guest in GUESTS {
        let host = host(guest);
        let folder = host.folder().to_owned();
        let place = "files = [{ source = \"static\", destination = \"/\" }]";
        let served = host.with(place).start();
        let found = served.get("/doors");
        assert_eq!(found.lines().count(), 12, "{guest}: {found}");
        for line in found.lines() {
            let (_, end) = line.rsplit_once(": ").unwrap();
            let refused = ["notpermitted", "readonly", "access"].contains(&&*error(end));
            assert!(refused, "{guest}: {line}");
        }
        assert_eq!(served.get("/file?a.txt"), "read");
        let there = |path: &str| folder.join(path).exists();
        assert!(there("static/a.txt") && !there("static/new"));
    }
}

#[test]
fn without_files_there_is_no_folder_at_all() {
    for guest in GUESTS {
        assert_eq!(host(guest).start().get("/doors"), "no files", "{guest}");
    }
}

#[test]
fn a_dependency_sees_files_if_it_inherits() {
    for (more, seen) in [
        ("", "files: Err(\"none\")"),
        (", inherit_configuration = true", "files: Ok(2)"),
    ] {
        let host = Host::of(fixture("fixture-guest"));
        std::fs::write(host.folder().join("a"), "").unwrap();
        std::fs::write(host.folder().join("b"), "").unwrap();
        let host = probe(host, more).with("files = [\"?\"]").start();
        let found = host.get("/probe?http://127.0.0.1:1/");
        assert!(found.contains(seen), "{found}");
    }
}

#[test]
fn copies_are_gone_when_the_host_is() {
    let host = host("fixture-guest-p2").with("files = [\"static/*\"]");
    let copies = host.folder().join(".signet/.files");
    let count = |path: &Path| std::fs::read_dir(path).map_or(0, Iterator::count);
    let opened = host.open().unwrap();
    assert_eq!(count(&copies), 1);
    drop(opened);
    assert_eq!(count(&copies), 0);
    // What a host left that was killed.
    std::fs::create_dir(copies.join("left")).unwrap();
    let opened = host.open().unwrap();
    assert_eq!(count(&copies), 1);
    drop(opened);
}

#[test]
fn files_that_are_not_there_are_said_at_the_start() {
    let host = host("fixture-guest-p2").with("files = [\"nowhere.txt\"]");
    let error = host.open().err().unwrap();
    let words = format!("{error:#}");
    assert!(
        words.contains(
            "guest does not get its files: `files` names nowhere.txt, which is not there"
        ),
        "{words}"
    );
}

//! The hmac component can be built in two ways, by plain cargo and by cargo-component. Both must be the
//! same signer.

use std::path::Path;
use std::process::Command;

use signet::builtin;
use signet::runtime::inspect::inspect;
use signet::runtime::signer::{Signer, standard};

use crate::support::root;

/// Set in CI: the test then fails where cargo-component is missing, instead of leaving itself out.
const REQUIRED: &str = "SIGNET_REQUIRE_CARGO_COMPONENT";

/// What is missing to build with cargo-component, and how to get it.
fn missing() -> Option<&'static str> {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if output("cargo-component", &["--version"]).is_none() {
        return Some("cargo-component: cargo install cargo-component@0.21.1 --locked");
    }
    let target = [
        "--print",
        "target-libdir",
        "--target",
        "wasm32-unknown-unknown",
    ];
    let installed = output("rustc", &target).is_some_and(|folder| Path::new(&folder).exists());
    (!installed).then_some("the target: rustup target add wasm32-unknown-unknown")
}

/// What cargo-component 0.21 makes of `guest-hmac`; none where it cannot be used.
fn built_by_cargo_component() -> Option<Vec<u8>> {
    if let Some(missing) = missing() {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{missing}, since {REQUIRED} is set"
        );
        eprintln!("left out for want of {missing}");
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo-component");
    let status = Command::new("cargo-component")
        .args([
            "component",
            "build",
            "--release",
            "--package",
            "guest-hmac",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root())
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success());
    // The tool writes bindings of its own beside the source, which nothing here uses.
    let _ = std::fs::remove_file(root().join("guest-hmac/src/bindings.rs"));
    Some(std::fs::read(target.join("wasm32-unknown-unknown/release/guest_hmac.wasm")).unwrap())
}

#[test]
fn both_builds_of_hmac_import_nothing_export_the_same_and_give_the_same_tags() {
    let Some(other) = built_by_cargo_component() else {
        return;
    };
    let own = builtin::component("hmac").unwrap();
    let (ours, theirs) = (inspect(own).unwrap(), inspect(&other).unwrap());
    assert!(
        ours.imports.is_empty() && theirs.imports.is_empty(),
        "{ours:?} {theirs:?}"
    );
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(ours.exports), sorted(theirs.exports));
    let (mut ours, mut theirs) = (Signer::of(own).unwrap(), Signer::of(&other).unwrap());
    for (data, key) in [
        (&b""[..], &b"k"[..]),
        (b"what do ya want for nothing?", b"Jefe"),
        (&[0xff; 4096], &[0xaa; 131]),
    ] {
        let tag = ours.sign(data, key).unwrap().unwrap();
        assert_eq!(theirs.sign(data, key).unwrap().unwrap(), tag);
        assert!(ours.verify(data, key, &tag).unwrap() && theirs.verify(data, key, &tag).unwrap());
        assert!(!theirs.verify(data, b"another key", &tag).unwrap());
    }
    assert!(ours.sign(b"", b"").unwrap().is_err() && theirs.sign(b"", b"").unwrap().is_err());
    let keys = [
        standard::Key::Secret(vec![7; 32]),
        standard::Key::Signing(vec![8; 32]),
    ];
    let list = |signer: &mut Signer| {
        signer
            .sign_standard("msg_1", 1, b"{}", &keys)
            .unwrap()
            .unwrap()
    };
    assert_eq!(list(&mut ours), list(&mut theirs));
}

#[test]
fn an_instance_of_hmac_begins_with_as_little_memory_as_a_stack_and_a_page() {
    let component = builtin::component("hmac").unwrap();
    let mut pages = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        if let wasmparser::Payload::MemorySection(memories) = payload.unwrap() {
            pages.extend(memories.into_iter().map(|memory| memory.unwrap().initial));
        }
    }
    assert_eq!(pages, [17]);
}

//! Starting: what is wrong is said at once and names both sides, and a warm start compiles nothing.

use std::path::Path;

use crate::support::{Host, fixture, hmac};

fn guest() -> Host {
    Host::of(fixture("fixture-guest"))
}

fn refusal(host: &Host) -> String {
    match host.open() {
        Ok(_) => panic!("the host opened"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_missing_import_is_refused_and_names_both_sides() {
    let error = refusal(&guest());
    assert!(
        error.contains("fixture:test/probe@1.0.0") && error.contains("guest"),
        "{error}"
    );
}

#[test]
fn an_import_provided_with_another_type_is_refused_and_names_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.wasm");
    // Exports the right function with a parameter too few.
    let component = wat::parse_str(
        r#"(component
            (core module $m
                (memory (export "memory") 1)
                (func (export "probe") (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func $probe (result (list string)) (canon lift (core func $i "probe") (memory (core memory $i "memory"))))
            (instance $probe (export "probe" (func $probe)))
            (export "fixture:test/probe@1.0.0" (instance $probe)))"#,
    );
    std::fs::write(&wrong, component.unwrap()).unwrap();
    let error = refusal(&guest().link("fixture:test/probe", &wrong, ""));
    for part in ["fixture:test/probe@1.0.0", "guest", "wrong.wasm", "probe"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn a_dependency_of_another_version_is_refused_and_names_both() {
    let error = refusal(&guest().link(
        "fixture:test/probe@2.0.0",
        &fixture("fixture-dependency"),
        "",
    ));
    assert!(
        error.contains("2.0.0") && error.contains("1.0.0"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_component_is_refused_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("module.wasm");
    std::fs::write(&path, wat::parse_str("(module)").unwrap()).unwrap();
    let error = refusal(&Host::of(path.clone()));
    assert!(error.contains("core module"), "{error}");
    std::fs::write(&path, "hello").unwrap();
    let error = refusal(&Host::of(path));
    assert!(
        error.contains("not WebAssembly") || error.contains("not wasm"),
        "{error}"
    );
}

#[test]
fn a_component_without_a_handler_is_refused() {
    let error = refusal(&Host::of(hmac()));
    assert!(error.contains("guest"), "{error}");
}

#[test]
fn a_taken_port_is_refused_and_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let plan = signet::app::plan::Plan::builtin(&[address]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = signet::app::Options {
        state_dir: Some(folder.path().join("state")),
        ..signet::app::Options::default()
    };
    let error = match crate::support::open(plan, options) {
        Ok(_) => panic!("two hosts share one port"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains(&address.to_string()), "{error}");
}

/// A host for the dependency-free guest with a cache of its own.
fn cached(cache: &Path) -> usize {
    let host = Host::of(fixture("fixture-guest-p2")).cache(cache);
    let (app, _writer, _) = host.open().unwrap();
    app.compiled()
}

#[test]
fn a_warm_start_compiles_nothing_and_a_corrupt_entry_is_rebuilt() {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(cached(cache.path()), 1);
    assert_eq!(cached(cache.path()), 0);
    let entry = std::fs::read_dir(cache.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&entry, bytes).unwrap();
    assert_eq!(cached(cache.path()), 1);
    assert_eq!(cached(cache.path()), 0);
}

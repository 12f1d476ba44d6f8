//! What a guest is given and what it is refused: grants first, existence second, also from inside a
//! linked dependency.

use crate::support::{Host, Process, Receiver, fixture, get};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

#[test]
fn ungranted_store_is_access_denied_before_anyone_looks_whether_it_exists() {
    let host = guest()
        .with("key_value_stores = [\"default\", \"unconfigured\"]")
        .start();
    assert_eq!(host.get("/kv?default"), "opened");
    assert_eq!(host.get("/kv?secret"), "Error::AccessDenied");
    assert_eq!(host.get("/kv?unconfigured"), "Error::NoSuchStore");
}

#[test]
fn ungranted_database_is_access_denied_before_anyone_looks_whether_it_exists() {
    let host = guest()
        .with("sqlite_databases = [\"default\", \"unconfigured\"]")
        .start();
    for face in ["/sql", "/sql-sync"] {
        assert_eq!(host.get(&format!("{face}?default&SELECT+1")), "[\"1\"]");
        assert_eq!(host.get(&format!("{face}?secret")), "Error::AccessDenied");
        assert_eq!(
            host.get(&format!("{face}?unconfigured")),
            "Error::NoSuchDatabase"
        );
    }
}

#[test]
fn ungranted_variable_is_undefined() {
    let host = guest().variable("greeting", "hello").start();
    assert_eq!(host.get("/variable?greeting"), "Ok(\"hello\")");
    assert!(host.get("/variable?other").contains("Undefined"));
    assert!(host.get("/variable?NOT-A-NAME").contains("InvalidName"));
}

#[test]
fn ungranted_host_is_denied_and_a_granted_one_is_reached() {
    let (granted, other) = (Receiver::answers(204), Receiver::answers(204));
    let host = guest()
        .with(&format!(
            "allowed_outbound_hosts = [\"{}\"]",
            granted.url("")
        ))
        .start();
    assert_eq!(
        host.get(&format!("/fetch?{}", granted.url("/"))),
        "status 204"
    );
    assert_eq!(
        host.get(&format!("/fetch?{}", other.url("/"))),
        "ErrorCode::HttpRequestDenied"
    );
    assert!(other.received().is_empty());
}

#[test]
fn a_wildcard_does_not_reach_an_address_that_is_not_public() {
    let receiver = Receiver::answers(204);
    let host = guest()
        .with("allowed_outbound_hosts = [\"http://*:*\"]")
        .start();
    assert_eq!(
        host.get(&format!("/fetch?{}", receiver.url("/"))),
        "ErrorCode::DestinationIpProhibited"
    );
    assert!(receiver.received().is_empty());
}

#[test]
fn a_guest_has_no_environment_but_what_the_manifest_gives() {
    let host = guest().with("environment = { COLOUR = \"blue\" }").start();
    assert_eq!(host.get("/env"), "[(\"COLOUR\", \"blue\")]");
}

#[test]
fn a_guest_has_clocks_and_randomness_and_nothing_of_a_command_line() {
    let old = Host::of(fixture("fixture-guest-p2"));
    for host in [guest(), old] {
        assert_eq!(
            host.start().get("/surroundings"),
            "waits: true, today: true, random: true, insecure: true, arguments: [], environment: [], \
             input: 0 true, terminals: [false, false, false]"
        );
    }
}

#[test]
fn a_guest_has_no_files() {
    let old = Host::of(fixture("fixture-guest-p2"));
    for host in [guest(), old] {
        assert_eq!(host.start().get("/files"), "0");
    }
}

#[test]
fn a_dependency_gets_none_of_the_grants_of_its_dependent() {
    let receiver = Receiver::answers(204);
    let host = everything(guest(), &receiver).start();
    let probe = host.get(&format!("/probe?{}", receiver.url("/")));
    for line in [
        "environment: []",
        "files: Err(\"none\")",
        "sockets: Err(PermissionDenied)",
        "key-value: Err(Error::AccessDenied)",
        "sqlite: Err(Error::AccessDenied)",
        "sqlite-sync: Err(Error::AccessDenied)",
        "http: ErrorCode::HttpRequestDenied",
    ] {
        assert!(
            probe.lines().any(|have| have == line),
            "{line} is not in:\n{probe}"
        );
    }
    let variables = probe
        .lines()
        .find(|line| line.starts_with("variables: "))
        .unwrap();
    assert!(
        variables.contains("denied") && !variables.contains("hunter2"),
        "{variables}"
    );
    assert!(receiver.received().is_empty());
    // The dependent itself has it all.
    assert_eq!(host.get("/kv?default"), "opened");
    assert_eq!(host.get("/variable?secret"), "Ok(\"hunter2\")");
}

#[test]
fn a_dependency_inherits_what_the_manifest_lets_it() {
    let receiver = Receiver::answers(204);
    let host = Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        ", inherit_configuration = true",
    );
    let probe = everything(host, &receiver)
        .start()
        .get(&format!("/probe?{}", receiver.url("/")));
    for line in [
        "environment: [(\"COLOUR\", \"blue\")]",
        "key-value: Ok(\"opened\")",
        "sqlite: Ok(\"opened\")",
        "variables: Ok(\"hunter2\")",
        "http: status 204",
    ] {
        assert!(
            probe.lines().any(|have| have == line),
            "{line} is not in:\n{probe}"
        );
    }
}

#[test]
fn a_dependency_inherits_single_kinds_of_grants() {
    let receiver = Receiver::answers(204);
    let host = Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        ", inherit_configuration = [\"key_value_stores\", \"variables\"]",
    );
    let probe = everything(host, &receiver)
        .start()
        .get(&format!("/probe?{}", receiver.url("/")));
    for line in [
        "environment: []",
        "key-value: Ok(\"opened\")",
        "sqlite: Err(Error::AccessDenied)",
        "variables: Ok(\"hunter2\")",
        "http: ErrorCode::HttpRequestDenied",
    ] {
        assert!(
            probe.lines().any(|have| have == line),
            "{line} is not in:\n{probe}"
        );
    }
    assert!(receiver.received().is_empty());
}

fn everything(host: Host, receiver: &Receiver) -> Host {
    host.with("key_value_stores = [\"default\"]")
        .with("sqlite_databases = [\"default\"]")
        .with(&format!(
            "allowed_outbound_hosts = [\"{}\"]",
            receiver.url("")
        ))
        .with("environment = { COLOUR = \"blue\" }")
        .variable("secret", "hunter2")
}

#[test]
fn what_was_stored_survives_a_restart_and_is_private_to_the_app() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = guest()
        .with("key_value_stores = [\"default\"]")
        .with("sqlite_databases = [\"default\"]");
    let state = host.folder().join(".signet");
    let manifest = host.folder().join("spin.toml");
    let (app, writer, _) = host.open().unwrap();
    let running = app.start().unwrap();
    let address = running.addresses().next().unwrap().1;
    assert_eq!(
        get(address, "/kv?default&colour&blue").body,
        "Some(\"blue\")"
    );
    get(
        address,
        "/sql?default&CREATE+TABLE+t(x)&INSERT+INTO+t+VALUES(42)",
    );
    running.stop();
    running.wait().unwrap();
    writer.finish();
    assert!(manifest.exists());
    assert_eq!(
        std::fs::metadata(&state).unwrap().permissions().mode() & 0o077,
        0
    );
    let again = host.start();
    assert_eq!(again.get("/kv?default&colour"), "Some(\"blue\")");
    assert_eq!(again.get("/sql?default&SELECT+x+FROM+t"), "[\"42\"]");
}

#[test]
fn a_transaction_ends_with_the_guest_that_began_it() {
    let host = guest().with("sqlite_databases = [\"default\"]").start();
    host.get("/sql?default&CREATE+TABLE+t(x)");
    host.get("/sql?default&BEGIN+IMMEDIATE&INSERT+INTO+t+VALUES(1)");
    assert_eq!(host.get("/sql?default&SELECT+count(*)+FROM+t"), "[\"0\"]");
    host.get("/sql?default&INSERT+INTO+t+VALUES(2)");
    assert_eq!(host.get("/sql?default&SELECT+x+FROM+t"), "[\"2\"]");
}

#[test]
fn a_large_result_is_streamed_whole() {
    let host = guest().with("sqlite_databases = [\"default\"]").start();
    let count = "WITH+RECURSIVE+n(i)+AS+(SELECT+1+UNION+ALL+SELECT+i%2B1+FROM+n+LIMIT+20000)+SELECT+i+FROM+n";
    let rows = host.get(&format!("/sql?default&{}", count.replace("%2B1", "-(-1)")));
    assert!(
        rows.ends_with("\"20000\"]"),
        "{}",
        &rows[rows.len().saturating_sub(40)..]
    );
}

#[test]
fn guests_lines_carry_their_name() {
    let host = guest().start();
    host.get("/print?first");
    host.get("/print?second");
    let output = host.stop();
    for line in ["guest: first", "guest: second", "guest: error: first"] {
        assert!(
            output.lines().any(|have| have == line),
            "{line} is not in:\n{output}"
        );
    }
}

#[test]
fn a_guest_that_asks_for_what_is_denied_again_and_again_fills_no_log() {
    let mut process = Process::run("", "");
    for _ in 0..100 {
        assert_eq!(
            get(process.address, "/kv?secret").body,
            "Error::AccessDenied"
        );
        assert!(
            get(process.address, "/fetch?http://denied.example/")
                .body
                .contains("Denied")
        );
    }
    let log = process.log();
    for words in [
        "opening \"secret\" was denied",
        "an outbound request was denied",
    ] {
        // One a second: the first at once, and no more than half of them however slow the machine is.
        let lines = log.matches(words).count();
        assert!((1..50).contains(&lines), "{lines} lines: {log}");
    }
}

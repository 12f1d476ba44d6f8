//! A secret goes to the guest it is for, and nowhere else that anyone can read.

use crate::support::{Process, fixture, get, request, signet};

/// Stands in no file of the project.
const SECRET: &str = "Zq7wRk2vXt9bLm4n";
const ADMIN: &str = "Hs8dFj3kLp6mQw1x";

/// A component that is given the secret, may reach a host named by it, and carries it in no file.
const COMPONENT: &str = "allowed_outbound_hosts = [\"http://{{ token }}.invalid:81\"]\n\
                         [component.guest.variables]\ntoken = \"{{ token }}\"\n\
                         [variables]\ntoken = { required = true, secret = true }";

const ENVIRONMENT: [(&str, &str); 3] = [
    ("SPIN_VARIABLE_TOKEN", SECRET),
    ("SIGNET_ADMIN_TOKEN", ADMIN),
    ("RUST_LOG", LOG),
];

/// All there is, but for the compiler: it sees components before they are given anything, and writes gigabytes.
const LOG: &str = "trace,cranelift_codegen=info,cranelift_frontend=info,regalloc2=info";

fn assert_hidden(what: &str, text: &str) {
    for secret in [SECRET, ADMIN] {
        // A host's name is written in small letters as well.
        for form in [secret.to_owned(), secret.to_lowercase()] {
            assert!(!text.contains(&form), "{what} shows a secret");
        }
    }
}

#[test]
fn a_secret_stands_in_no_log_whatever_happens() {
    for format in ["pretty", "json"] {
        let arguments = ["--log-format", format, "--admin", "127.0.0.1:0"];
        let mut process = Process::run_with(COMPONENT, "", &arguments, &ENVIRONMENT);
        let (address, admin) = (process.address, process.admin());
        assert!(get(address, "/variable?token").body.contains(SECRET));
        assert_eq!(get(address, "/trap").status, 500);
        get(address, "/fetch?http://elsewhere.invalid/");
        let bearer = format!("Bearer {ADMIN}");
        let metrics = request(admin, "GET", "/metrics", &[("authorization", &bearer)], b"");
        assert_eq!(metrics.status, 200);
        assert_hidden("/metrics", &metrics.body);
        process.signal("TERM");
        assert_eq!(process.end(), Some(0));
        let log = process.log();
        assert!(
            log.contains("an instance was ended"),
            "the log is not there"
        );
        assert!(log.contains("TRACE"), "the log is not all there");
        assert_hidden(format, &log);
    }
}

/// A manifest in a folder, and a command that reads it with the secret in its environment.
fn read(arguments: &[&str], component: &str) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"{}\"\n{component}\n",
        fixture("fixture-guest-p2").display(),
    );
    std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    signet()
        .args(arguments)
        .envs(ENVIRONMENT)
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .output()
        .unwrap()
}

#[test]
fn a_host_that_cannot_be_read_is_named_without_the_secret_in_it() {
    let wrong = COMPONENT.replace("http://{{ token }}.invalid:81", "{{ token }}");
    let output = read(&["run", "spin.toml", "--listen", "127.0.0.1:0"], &wrong);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("allowed host `{{ token }}`"), "{told}");
    assert_hidden("the error", &told);
}

#[test]
fn what_would_be_run_is_printed_with_defaults_and_without_secrets() {
    let component = format!(
        "environment = {{ KEY = \"{SECRET}\" }}\ntool.signet.memory_mb = 7\n{COMPONENT}\n\
         kept = {{ default = \"{SECRET}\", secret = true }}\nport = {{ default = \"8080\" }}"
    );
    let output = read(&["check", "spin.toml", "--print"], &component);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_hidden("check --print", &text);
    assert_hidden("check --print", &String::from_utf8_lossy(&output.stderr));
    let shown: toml::Table = text.parse().unwrap();
    let app = &shown["app"][0];
    let variable = |name: &str, key: &str| app["variables"][name][key].as_str().unwrap().to_owned();
    assert_eq!(variable("token", "source"), "SPIN_VARIABLE_TOKEN");
    assert_eq!(variable("kept", "value"), "***");
    assert_eq!(variable("port", "value"), "8080");
    let guest = &app["component"]["guest"];
    assert_eq!(guest["limits"]["memory_mb"].as_integer(), Some(7));
    assert_eq!(guest["limits"]["max_reuse"].as_integer(), Some(128));
    assert_eq!(guest["environment"]["KEY"].as_str(), Some("***"));
    let host = guest["allowed_outbound_hosts"][0].as_str();
    assert_eq!(host, Some("http://{{ token }}.invalid:81"));
    assert_eq!(
        shown["server"]["shutdown_timeout_ms"].as_integer(),
        Some(30_000)
    );
    for table in ["outbound_http", "sqlite", "key_value"] {
        assert!(shown[table].as_table().is_some_and(|table| table.len() > 4));
    }
}

#[test]
fn what_a_component_is_has_no_secret_in_it() {
    let component = fixture("fixture-guest");
    let output = read(&["inspect", component.to_str().unwrap()], COMPONENT);
    assert_eq!(output.status.code(), Some(0));
    assert_hidden("inspect", &String::from_utf8_lossy(&output.stdout));
    assert_hidden("inspect", &String::from_utf8_lossy(&output.stderr));
}

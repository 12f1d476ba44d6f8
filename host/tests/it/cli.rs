//! The command line: what is printed and which code it exits with, as a shell sees it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{fixture, root};

fn signet(arguments: &[&str], input: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_signet"))
        .args(arguments)
        .current_dir(folder.path())
        .env(
            "SIGNET_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn demo_ends_with_its_closing_lines() {
    let output = signet(&["demo"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    let [.., verified, recovered, resent] = &lines[..] else {
        panic!("{text}")
    };
    assert_eq!(
        [*verified, *recovered],
        [
            "demo: 1 payload verified, 1 tampered payload refused",
            "demo: 1 event delivered at attempt 2, when its consumer was up again",
        ],
        "{text}"
    );
    assert_eq!(
        *resent, "demo: 1 dead letter sent again and delivered, at attempt 4",
        "{text}"
    );
    assert!(
        text.contains("CONSUMER: Payload verification result: True"),
        "{text}"
    );
    assert!(
        text.contains("CONSUMER: Payload verification result: False"),
        "{text}"
    );
}

#[test]
fn sign_prints_the_tag_and_nothing_else() {
    // RFC 4231, test case 2.
    let output = signet(&["sign", "--key", "Jefe"], b"what do ya want for nothing?");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stdout(&output),
        "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843\n"
    );
}

#[test]
fn verify_exits_0_or_1() {
    let tag = "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843";
    let data = b"what do ya want for nothing?";
    assert_eq!(
        signet(&["verify", "--key", "Jefe", "--tag", tag], data)
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        signet(&["verify", "--key", "Jefe", "--tag", tag], b"another")
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        signet(&["verify", "--key", "Jefe", "--tag", "short"], data)
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn hmac_imports_nothing() {
    let output = signet(&["inspect", "builtin:hmac", "--json"], b"");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["imports"], serde_json::json!([]));
    let exports = json["exports"].as_array().unwrap();
    for interface in [
        "fermyon:hmac/types",
        "fermyon:hmac/sign",
        "fermyon:hmac/verify",
        "signet:webhooks/types",
        "signet:webhooks/standard",
        "signet:webhooks/senders",
    ] {
        let name = serde_json::json!(format!("{interface}@0.1.0"));
        assert!(exports.contains(&name), "{json}");
    }
}

#[test]
fn hmac_is_linked_into_the_producer_and_the_consumer() {
    for (guest, import) in [
        ("producer", "fermyon:hmac/sign@0.1.0"),
        ("consumer", "fermyon:hmac/verify@0.1.0"),
    ] {
        let output = signet(&["inspect", &format!("builtin:{guest}"), "--json"], b"");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["status"][import], "linked", "{json}");
        let missing = json["status"]
            .as_object()
            .unwrap()
            .values()
            .any(|status| status == "missing");
        assert!(!missing, "{json}");
    }
}

#[test]
fn compose_writes_a_component_without_the_linked_import() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"t\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"g\"\n\
         [component.g]\nsource = \"{}\"\n[component.g.dependencies]\n\"fixture:test/probe\" = {{ path = \"{}\" }}\n",
        fixture("fixture-guest").display(),
        fixture("fixture-dependency").display()
    );
    std::fs::write(&manifest, text).unwrap();
    let out = folder.path().join("out.wasm");
    let arguments = [
        "compose",
        manifest.to_str().unwrap(),
        "--component",
        "g",
        "-o",
        out.to_str().unwrap(),
    ];
    let output = signet(&arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let inspected = signet(&["inspect", out.to_str().unwrap(), "--json"], b"");
    let json: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert!(
        !json["imports"].to_string().contains("fixture:test/probe"),
        "{json}"
    );
}

const FIVE_MISTAKES: &str = r#"spin_manifest_version = 2
[application]
name = "five"
[[trigger.http]]
route = "no-slash"
component = "guest"
[[trigger.http]]
route = "/b"
component = "nobody"
[component.guest]
source = 7
allowed_outbound_hosts = ["example.com:x"]
key_value_store = ["default"]
"#;

#[test]
fn a_manifest_with_five_mistakes_reports_five() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    std::fs::write(&manifest, FIVE_MISTAKES).unwrap();
    for command in ["check", "run"] {
        let output = signet(&[command, manifest.to_str().unwrap()], b"");
        assert_eq!(output.status.code(), Some(2));
        let text = stderr(&output);
        for line in [5, 9, 11, 12, 13] {
            assert!(
                text.contains(&format!("spin.toml:{line}:")),
                "line {line} is not in:\n{text}"
            );
        }
        assert!(text.contains("5 mistakes"), "{text}");
    }
}

#[test]
fn the_manifests_of_the_project_have_no_mistakes() {
    for manifest in [
        "signet.toml",
        "guest-producer/spin.toml",
        "guest-consumer/spin.toml",
    ] {
        let output = signet(&["check", root().join(manifest).to_str().unwrap()], b"");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{manifest}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_component_whose_import_is_missing_ends_with_exit_code_2() {
    let guest = fixture("fixture-guest");
    let output = signet(
        &["serve", guest.to_str().unwrap(), "--addr", "127.0.0.1:0"],
        b"",
    );
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("fixture:test/probe@1.0.0"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_cannot_be_read_ends_with_exit_code_2() {
    for arguments in [
        &["run", "nowhere.toml"][..],
        &["inspect", "nowhere.wasm"],
        &["inspect", "builtin:nobody"],
        &["frob"],
    ] {
        assert_eq!(
            signet(arguments, b"").status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

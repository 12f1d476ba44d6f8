//! What `signet inspect` says of a component: who provides each import, and what a manifest has to grant.

use std::process::{Output, Stdio};

use crate::support::{fixture, hmac, signet};

fn run(arguments: &[&str]) -> Output {
    signet()
        .args(arguments)
        .stdout(Stdio::piped())
        .output()
        .unwrap()
}

fn text(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&text(&[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn every_import_is_explained() {
    let guest = fixture("fixture-guest");
    let json = json(&["inspect", guest.to_str().unwrap()]);
    let explained = json["explained"].as_object().unwrap();
    assert_eq!(explained.len(), json["imports"].as_array().unwrap().len());
    for (import, words) in explained {
        assert!(!words.as_str().unwrap().is_empty(), "{import}");
    }
    assert_eq!(json["status"]["fixture:test/probe@1.0.0"], "missing");
    assert_eq!(json["status"]["spin:key-value/key-value@3.0.0"], "host");
    let words = explained["spin:key-value/key-value@3.0.0"].as_str();
    assert!(words.unwrap().contains("`key_value_stores`"));
}

#[test]
fn the_lines_it_proposes_make_a_manifest_that_is_good() {
    let guest = fixture("fixture-guest");
    let json = json(&["inspect", guest.to_str().unwrap()]);
    let lines = json["manifest"].as_str().unwrap();
    for key in [
        "key_value_stores",
        "sqlite_databases",
        "allowed_outbound_hosts",
        "\"fixture:test@1.0.0\"",
    ] {
        assert!(lines.contains(key), "{key} is not in\n{lines}");
    }
    let folder = tempfile::tempdir().unwrap();
    let lines = lines
        .replace("NAME", "guest")
        .replace("HOST", "example.com");
    let source = format!("[component.guest]\nsource = \"{}\"\n", guest.display());
    let lines = lines.replacen("[component.guest]\n", &source, 1);
    let manifest = folder.path().join("spin.toml");
    let app = "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
               [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n";
    std::fs::write(&manifest, format!("{app}{lines}")).unwrap();
    std::fs::copy(
        fixture("fixture-dependency"),
        folder.path().join("test.wasm"),
    )
    .unwrap();
    let shown = text(&["inspect", manifest.to_str().unwrap()]);
    assert!(!shown.contains("missing"), "{shown}");
    assert!(!shown.contains("its manifest may need"), "{shown}");
}

#[test]
fn the_components_of_a_manifest_are_shown_as_they_are_linked() {
    let folder = tempfile::tempdir().unwrap();
    let source = |name: &str| fixture(name).display().to_string();
    let app = format!(
        "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
         [[trigger.http]]\nroute = \"/old\"\ncomponent = \"old\"\n\
         [[trigger.http]]\nroute = \"/verify\"\ncomponent = \"verify\"\n\
         [component.old]\nsource = \"{}\"\n[component.verify]\nsource = \"{}\"\n\
         [component.verify.dependencies]\n\"fermyon:hmac@0.1.0\" = {{ path = \"{}\" }}\n",
        source("fixture-guest-p2"),
        source("fixture-guest-verify"),
        hmac().display()
    );
    let manifest = folder.path().join("spin.toml");
    std::fs::write(&manifest, app).unwrap();
    let manifest = manifest.to_str().unwrap();
    let all = text(&["inspect", manifest]);
    assert!(
        all.contains("old: component") && all.contains("verify: component"),
        "{all}"
    );
    let linked = all
        .lines()
        .find(|line| line.contains("fermyon:hmac/verify@0.1.0"));
    let linked = linked.unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(
        linked,
        ["linked", "fermyon:hmac/verify@0.1.0", "from", "hmac.wasm"]
    );
    let one = text(&["inspect", manifest, "--component", "old"]);
    assert!(!one.contains("verify: component"), "{one}");
    let none = run(&["inspect", manifest, "--component", "new"]);
    assert_eq!(none.status.code(), Some(2));
    let words = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(words.contains("there are old, verify"), "{words}");
}

#[test]
fn an_interface_in_another_version_is_told_from_one_that_nobody_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("future.wasm");
    let wasm = wat::parse_str(
        r#"(component
            (import "wasi:http/types@0.4.0" (instance))
            (import "acme:crypto/seal@1.2.0" (instance)))"#,
    );
    std::fs::write(&path, wasm.unwrap()).unwrap();
    let json = json(&["inspect", path.to_str().unwrap()]);
    let words = |import: &str| json["explained"][import].as_str().unwrap().to_owned();
    assert!(words("wasi:http/types@0.4.0").contains("0.3.0"), "{json}");
    assert!(
        words("acme:crypto/seal@1.2.0").contains("link a component"),
        "{json}"
    );
    assert!(
        json["manifest"]
            .as_str()
            .unwrap()
            .contains("\"acme:crypto@1.2.0\" = { path = \"crypto.wasm\" }")
    );
}

#[test]
fn flags_of_serve_are_printed_as_the_manifest_they_stand_for() {
    let guest = fixture("fixture-guest");
    let dependency = fixture("fixture-dependency");
    let link = format!("fixture:test/probe={}", dependency.display());
    let manifest = text(&[
        "serve",
        guest.to_str().unwrap(),
        "--print-manifest",
        "--key-value",
        "default",
        "--allow-host",
        "https://example.com",
        "--env",
        "COLOUR=blue",
        "--variable",
        "api_key=hunter2",
        "--link",
        &link,
    ]);
    assert!(!manifest.contains("hunter2"), "{manifest}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, &manifest).unwrap();
    let shown = json(&["inspect", path.to_str().unwrap()]);
    assert_eq!(shown["status"]["fixture:test/probe@1.0.0"], "linked");
    // What was not among the flags is what is left to propose.
    assert_eq!(
        shown["manifest"],
        "[component.NAME]\nsqlite_databases = [\"default\"]\n"
    );
}

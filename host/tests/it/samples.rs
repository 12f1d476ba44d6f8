//! Apps in the shape of published Spin samples, run from their `spin.toml` alone and with the flags that hands
//! know from Spin. The components are the test guests.

use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::support::{Answer, Process, fixture, get, hmac, post, signet};

/// A folder with this manifest and these files, each a copy of one that is built.
fn app(manifest: &str, files: &[(&str, &Path)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, from) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(from, path).unwrap();
    }
    std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    folder
}

/// Serves the app in the folder at a free port.
fn serve(folder: TempDir, arguments: &[&str]) -> Process {
    Process::within(folder, &[arguments, &["--listen", "127.0.0.1:0"]].concat())
}

fn body(process: &Process, path: &str) -> String {
    let Answer { status, body, .. } = get(process.address, path);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

const KEY_VALUE: &str = r#"
spin_manifest_version = 2

[application]
name = "key-value-sample"
version = "0.1.0"
authors = ["Somebody <somebody@example.com>"]
description = "A component that uses the key-value store"

[[trigger.http]]
route = "/..."
component = "key-value-sample"

[component.key-value-sample]
source = "target/wasm32-wasip2/release/sample.wasm"
allowed_outbound_hosts = []
key_value_stores = ["default"]
environment = { GREETING = "hello" }

[component.key-value-sample.dependencies]
"fixture:test/probe" = { path = "target/probe.wasm" }

[component.key-value-sample.build]
command = "cp built.wasm target/wasm32-wasip2/release/sample.wasm"
watch = ["src/**/*.rs", "Cargo.toml"]
"#;

fn key_value() -> TempDir {
    let guest = fixture("fixture-guest");
    let files = [
        ("target/wasm32-wasip2/release/sample.wasm", &*guest),
        ("built.wasm", &guest),
        ("target/probe.wasm", &fixture("fixture-dependency")),
    ];
    app(KEY_VALUE, &files)
}

#[test]
fn an_app_with_a_key_value_store_runs_from_its_manifest() {
    let process = serve(key_value(), &["run", "spin.toml"]);
    assert_eq!(body(&process, "/kv?default&name&value"), "Some(\"value\")");
    assert_eq!(body(&process, "/kv?default&name"), "Some(\"value\")");
    assert_eq!(body(&process, "/kv?other"), "Error::AccessDenied");
}

#[test]
fn flags_of_spin_mean_here_what_they_mean_there() {
    let folder = key_value();
    let built = folder
        .path()
        .join("target/wasm32-wasip2/release/sample.wasm");
    std::fs::remove_file(&built).unwrap();
    let flags = [
        "up",
        "--build",
        "-q",
        "--key-value",
        "name=first",
        "--key-value",
        "more=a=b",
    ];
    let mut process = serve(
        folder,
        &[&flags[..], &["--env", "GREETING=bye", "-e", "NEW=1"]].concat(),
    );
    assert_eq!(body(&process, "/kv?default&name"), "Some(\"first\")");
    assert_eq!(body(&process, "/kv?default&more"), "Some(\"a=b\")");
    assert_eq!(
        body(&process, "/kv?default&name&second"),
        "Some(\"second\")"
    );
    let environment = body(&process, "/env");
    assert!(
        environment.contains("(\"GREETING\", \"bye\"), (\"NEW\", \"1\")"),
        "{environment}"
    );
    // What is set at the start is set at each start.
    process.kill();
    process.restart();
    assert_eq!(body(&process, "/kv?default&name"), "Some(\"first\")");
}

const SQLITE: &str = r#"
spin_manifest_version = 2

[application]
name = "sqlite-sample"
version = "0.1.0"

[variables]
greeting = { default = "hello" }
token = { required = true, secret = true }

[[trigger.http]]
route = "/..."
component = "todos"

[component.todos]
source = "todos.wasm"
sqlite_databases = ["default"]

[component.todos.variables]
secret = "{{ greeting }} {{ token }}"

[component.todos.dependencies]
"fixture:test/probe" = { component = "probe" }

[component.probe]
source = "probe.wasm"
"#;

fn sqlite() -> TempDir {
    let guest = fixture("fixture-guest");
    let folder = app(
        SQLITE,
        &[
            ("todos.wasm", &guest),
            ("probe.wasm", &fixture("fixture-dependency")),
        ],
    );
    let schema = "CREATE TABLE IF NOT EXISTS todos (id INTEGER PRIMARY KEY, text TEXT);\n\
                  INSERT INTO todos (text) VALUES ('first');\n";
    std::fs::write(folder.path().join("schema.sql"), schema).unwrap();
    std::fs::write(folder.path().join("token"), "from a file").unwrap();
    std::fs::write(
        folder.path().join("values.toml"),
        "token = \"x\"\ngreeting = \"bye\"",
    )
    .unwrap();
    folder
}

#[test]
fn an_app_with_a_database_runs_from_its_manifest() {
    let process = serve(sqlite(), &["run", ".", "--variable", "token=t"]);
    let made = "/sql?default&CREATE+TABLE+a(b)&INSERT+INTO+a+VALUES(7)&SELECT+b+FROM+a";
    assert_eq!(body(&process, made), "[\"7\"]");
    assert_eq!(body(&process, "/variable?secret"), "Ok(\"hello t\")");
}

#[test]
fn a_database_is_prepared_by_flags_and_variables_come_from_files() {
    let schema = [
        "--sqlite",
        "@schema.sql",
        "--sqlite",
        "INSERT INTO todos (text) VALUES ('second')",
    ];
    let values = ["--variable", "@values.toml", "--variable", "token=@token"];
    let process = serve(
        sqlite(),
        &[&["up", "-f", "."], &schema[..], &values].concat(),
    );
    let todos = body(&process, "/sql?default&SELECT+text+FROM+todos+ORDER+BY+id");
    assert_eq!(todos, "[\"first\", \"second\"]");
    assert_eq!(
        body(&process, "/variable?secret"),
        "Ok(\"bye from a file\")"
    );
}

fn refused(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = signet()
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn flags_that_find_nothing_are_refused_with_the_cure() {
    let (sqlite, key_value) = (sqlite(), key_value());
    let token = &["up", "--variable", "token=t"][..];
    for (folder, arguments, code, part) in [
        (
            &sqlite,
            [token, &["--sqlite", "@nowhere.sql"]].concat(),
            2,
            "nowhere.sql cannot be read",
        ),
        (
            &sqlite,
            [token, &["--sqlite", "@schema.sql:orders"]].concat(),
            2,
            "--sqlite is for `orders`",
        ),
        (
            &sqlite,
            [token, &["--sqlite", "NONSENSE"]].concat(),
            1,
            "`NONSENSE` failed on database `default`",
        ),
        (
            &sqlite,
            [token, &["--sqlite", "ATTACH 'x' AS y"]].concat(),
            1,
            "not authorized",
        ),
        (
            &sqlite,
            [token, &["--key-value", "a=b"]].concat(),
            2,
            "--key-value is for `default`",
        ),
        (
            &key_value,
            vec!["up", "--sqlite", "SELECT 1"],
            2,
            "--sqlite is for `default`",
        ),
        (
            &key_value,
            vec!["up", "--key-value", "a"],
            2,
            "write it as NAME=VALUE",
        ),
        (
            &key_value,
            vec!["up", "spin.toml", "--from", "spin.toml"],
            2,
            "cannot be used with",
        ),
        (
            &key_value,
            vec!["up", "--from", "nowhere"],
            2,
            "nowhere cannot be read",
        ),
    ] {
        let (found, words) = refused(folder, &arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {words}");
        assert!(words.contains(part), "{arguments:?}: {words}");
    }
}

const TWO: &str = r#"
spin_manifest_version = 2

[application]
name = "two-components"

[application.trigger.http]
base = "/api"

[[trigger.http]]
id = "hello"
route = "/hello/..."
component = "hello"

[[trigger.http]]
id = "verify"
route = "/verify"
component = "verify"

[component.hello]
source = "hello.wasm"

[component.verify]
source = { url = "file:VERIFY", digest = "sha256:DIGEST" }
environment = { SECRET = "unused" }

[component.verify.dependencies]
"fermyon:hmac@0.1.0" = { component = "signer" }

[component.signer]
source = "hmac.wasm"
"#;

/// The app, and the file whose digest its manifest has.
fn two(digest: Option<&str>) -> TempDir {
    let folder = app(
        "",
        &[
            ("hello.wasm", &fixture("fixture-guest-p2")),
            ("verify.wasm", &fixture("fixture-guest-verify")),
            ("hmac.wasm", &hmac()),
        ],
    );
    let verify = folder.path().join("verify.wasm");
    let own = sha256(&verify);
    let url = format!("//{}", verify.display());
    let manifest = TWO
        .replace("VERIFY", &url)
        .replace("DIGEST", digest.unwrap_or(&own));
    std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    folder
}

fn sha256(file: &Path) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(std::fs::read(file).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_app_with_two_components_and_a_dependency_runs_from_its_manifest() {
    let process = serve(two(None), &["run", "spin.toml"]);
    assert_eq!(body(&process, "/api/hello/world"), "no such path");
    // The tag of the body under the key that the guest has.
    let tag = "833C6D0BFA606D11CB10CD35C1B64B6BA0E015B9DE4349584DC25100D1449272";
    let sent = |body: &[u8]| {
        let headers = [("x-signature", tag)];
        post(process.address, "/api/verify", &headers, body).status
    };
    assert_eq!(sent(b"two components"), 200);
    assert_eq!(sent(b"two component"), 401);
    assert_eq!(get(process.address, "/hello").status, 404);
}

#[test]
fn a_file_that_is_not_the_one_the_manifest_means_is_refused() {
    let folder = two(Some(&"0".repeat(64)));
    let (code, words) = refused(&folder, &["run", "spin.toml"]);
    assert_eq!(code, Some(2), "{words}");
    let own = sha256(&folder.path().join("verify.wasm"));
    assert!(
        words.contains(&format!("its digest is sha256:{own}")),
        "{words}"
    );
}

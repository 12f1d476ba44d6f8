//! The house's rules, held against the source: which room may use which, how large a file may be, what
//! stands at the top of each, and that the map in ARCHITECTURE.md shows the land.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which room may use which. What is not here is forbidden.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "app",
            "builtin",
            "clock",
            "manifest",
            "queue",
            "runtime",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "admin",
            "builtin",
            "capability",
            "clock",
            "file",
            "manifest",
            "metrics",
            "queue",
            "runtime",
            "server",
            "telemetry",
        ],
    ),
    (
        "manifest",
        &[
            "capability",
            "queue",
            "runtime::pool",
            "runtime::reset",
            "server::Limits",
            "server::router",
        ],
    ),
    ("server", &["metrics", "runtime", "telemetry"]),
    (
        "runtime",
        &["builtin", "capability", "metrics", "telemetry"],
    ),
    (
        "capability::http",
        &["capability", "metrics", "net", "telemetry"],
    ),
    (
        "capability::queue",
        &["capability", "clock", "queue", "telemetry"],
    ),
    ("capability", &["file", "telemetry"]),
    ("queue", &["clock", "file"]),
    ("file", &[]),
    ("clock", &[]),
    ("net", &[]),
    ("admin", &["metrics", "queue"]),
    ("metrics", &[]),
    ("telemetry", &["metrics"]),
    ("builtin", &[]),
];

/// Files that do no I/O and read no clock: what they answer depends on what they are given alone.
const PURE: &[&str] = &[
    "runtime/compose",
    "runtime/inspect.rs",
    "runtime/needs.rs",
    "runtime/refused.rs",
    "runtime/admit",
    "server/router.rs",
    "capability/http/allow.rs",
    "net/address.rs",
    "net/network.rs",
    "capability/variables/template.rs",
    "queue/batch.rs",
    "queue/breaker.rs",
    "queue/id.rs",
    "queue/lane.rs",
    "queue/retry.rs",
    "queue/settle.rs",
];

const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "ToSocketAddrs",
    "std::env",
    "std::time",
    "tokio",
    "Instant::now",
    "SystemTime",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// All Rust files of the project, relative to its root.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [
        "host/src",
        "host/tests",
        "host/benches",
        "guest-hmac",
        "guest-producer",
        "guest-consumer",
        "examples",
        "fuzz",
        "bench",
        "torture",
    ] {
        walk(&root().join(folder), &mut found);
    }
    found.push(root().join("host/build.rs"));
    assert!(
        found.len() > 30,
        "the walk found only {} files",
        found.len()
    );
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // What tools bring and make.
            let made = ["target", "node_modules", ".venv"];
            if !made.iter().any(|name| path.ends_with(name)) {
                walk(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            // What cargo-component writes and git ignores.
            && !path.ends_with("guest-hmac/src/bindings.rs")
        {
            found.push(path);
        }
    }
}

/// Whether a file below `src` holds only tests.
fn is_test(path: &Path) -> bool {
    ["tests.rs", "contract.rs"]
        .iter()
        .any(|name| path.ends_with(name))
        || path.iter().any(|part| part == "tests")
}

/// The code of a file without its tests and its comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    let text = text.split("#[cfg(all(test").next().unwrap_or(text);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .map(|line| line.split(" // ").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The room of a file below `host/src`: `capability::http` for that capability, else its first name.
fn room(relative: &str) -> String {
    let name = relative.trim_end_matches(".rs");
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    match (first, parts.next()) {
        ("capability", Some("mod")) | ("capability", None) => "capability".to_owned(),
        ("capability", Some(second)) => format!("capability::{second}"),
        (first, _) => first.to_owned(),
    }
}

/// What a file uses of this crate: `runtime`, `capability::http`, ...
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "signet::"] {
        for (at, _) in code.match_indices(start) {
            let path = &code[at + start.len()..];
            if let Some(group) = path.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or_default();
                found.extend(group.split(',').map(|item| item.trim().to_owned()));
                continue;
            }
            let end = path
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                .unwrap_or(path.len());
            found.insert(path[..end].trim_end_matches(':').to_owned());
        }
    }
    found
}

/// Whether the room `from` may use the path `to`.
fn allowed(from: &str, to: &str) -> bool {
    let own = from.split("::").next().unwrap_or(from);
    let covers = |allowed: &str| to == allowed || to.starts_with(&format!("{allowed}::"));
    // The bindings name the types behind every interface's resources, and nothing else.
    if from == "capability::bindings" {
        return covers("capability");
    }
    // A capability may use its own room and the words that all of them share, not another capability.
    if own == "capability" && covers("capability") {
        let second = to.split("::").nth(1).unwrap_or_default();
        let shared =
            second.is_empty() || second.starts_with(char::is_uppercase) || second == "bindings";
        return shared || from == "capability" || covers(from);
    }
    if covers(own) {
        return true;
    }
    ARROWS
        .iter()
        .filter(|(room, _)| *room == from || *room == own)
        .any(|(_, targets)| targets.iter().any(|target| covers(target)))
}

fn forbidden_arrows(relative: &str, text: &str) -> Vec<String> {
    let from = room(relative);
    let wrong = uses(&code(text))
        .into_iter()
        .filter(|to| !allowed(&from, to));
    wrong
        .map(|to| format!("host/src/{relative}: {from} must not use {to}"))
        .collect()
}

#[test]
fn arrows_go_one_way() {
    let source = root().join("host/src");
    let mut wrong = Vec::new();
    for path in sources() {
        if let Ok(relative) = path.strip_prefix(&source)
            && relative != Path::new("lib.rs")
            && !is_test(relative)
        {
            wrong.extend(forbidden_arrows(
                &relative.to_string_lossy(),
                &fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_arrow_drawn_the_wrong_way_is_seen() {
    for (file, text) in [
        (
            "capability/sqlite/mod.rs",
            "use crate::capability::keyvalue;",
        ),
        ("capability/sqlite/mod.rs", "use crate::runtime::Pool;"),
        ("capability/keyvalue/mod.rs", "use crate::net;"),
        ("runtime/pool.rs", "use crate::server;"),
        ("server/mod.rs", "use crate::{app, runtime};"),
        ("manifest/mod.rs", "use crate::server::bind;"),
        ("net.rs", "fn f() { crate::telemetry::start_log() }"),
    ] {
        assert_eq!(forbidden_arrows(file, text).len(), 1, "{file}: {text}");
    }
    assert!(
        forbidden_arrows("server/mod.rs", "use crate::runtime::Pool; // crate::app").is_empty()
    );
}

#[test]
fn pure_files_do_no_io_and_read_no_clock() {
    let source = root().join("host/src");
    for path in sources() {
        let Ok(relative) = path.strip_prefix(&source) else {
            continue;
        };
        if PURE.iter().any(|pure| relative.starts_with(pure)) && !is_test(relative) {
            let code = code(&fs::read_to_string(&path).unwrap());
            for word in IMPURE {
                assert!(
                    !code.contains(word),
                    "{} is pure and uses {word}",
                    relative.display()
                );
            }
        }
    }
}

#[test]
fn files_stay_small() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 700, "{} has {lines} lines", path.display());
        if path.ends_with("host/src/main.rs") {
            assert!(lines <= 60, "main.rs has {lines} lines");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not open with a paragraph on what it is",
            path.display()
        );
    }
}

#[test]
fn a_guest_cannot_make_a_capability_panic() {
    for path in sources().iter().filter(|path| {
        ["capability", "file", "queue"]
            .iter()
            .any(|room| path.starts_with(root().join("host/src").join(room)))
            && !is_test(path)
    }) {
        let code = code(&fs::read_to_string(path).unwrap());
        for word in [
            ".unwrap()",
            ".expect(",
            "panic!(",
            "unreachable!(",
            "todo!(",
        ] {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
    }
}

/// Where the lint against unsafe code is lifted: at the one place of the host, around generated bindings,
/// and for the allocator's face of a guest without a standard library.
const UNSAFE: &[&str] = &[
    "bench/guest/hello-p2/src/lib.rs",
    "bench/guest/hello-p3/src/lib.rs",
    "bench/guest/loops/src/lib.rs",
    "bench/guest/registrations/src/lib.rs",
    "guest-consumer/src/component.rs",
    "guest-hmac/src/bare.rs",
    "guest-hmac/src/component.rs",
    "guest-producer/src/component.rs",
    "host/src/runtime/cache.rs",
    "host/tests/fixture/dependency/src/lib.rs",
    "host/tests/fixture/guest-faces/src/lib.rs",
    "host/tests/fixture/guest-queue/src/lib.rs",
    "host/tests/fixture/guest-p2/src/lib.rs",
    "host/tests/fixture/guest-verify/src/lib.rs",
    "host/tests/fixture/guest/src/lib.rs",
];

#[test]
fn unsafe_code_is_let_in_where_it_is_known() {
    let lint = "unsafe_code";
    let places: BTreeSet<_> = sources()
        .into_iter()
        .filter(|path| !path.ends_with("tidy.rs"))
        .filter(|path| code(&fs::read_to_string(path).unwrap()).contains(lint))
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .collect();
    let known: BTreeSet<_> = UNSAFE.iter().map(PathBuf::from).collect();
    assert_eq!(places, known);
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("{lint} = \"deny\"")));
}

#[test]
fn only_the_pool_names_the_handler_and_only_storage_names_rusqlite() {
    let source = root().join("host/src");
    for path in sources() {
        let Ok(relative) = path.strip_prefix(&source) else {
            continue;
        };
        if is_test(relative) {
            continue;
        }
        let code = code(&fs::read_to_string(&path).unwrap());
        if code.contains("wasi_http::handler") {
            let pool = relative.with_extension("").starts_with("runtime/pool");
            assert!(pool, "{} names the handler", relative.display());
        }
        if code.contains("rusqlite") {
            let storage = [
                "file/",
                "capability/sqlite/",
                "capability/keyvalue/sqlite",
                "queue/sqlite",
            ];
            let storage = storage
                .iter()
                .any(|start| relative.to_string_lossy().starts_with(start));
            assert!(storage, "{} names rusqlite", relative.display());
        }
    }
}

#[test]
fn the_map_shows_the_land() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut paths = 0;
    for quoted in map.split('`').skip(1).step_by(2) {
        let is_path = [
            "host/",
            "guest-",
            "wit/",
            "examples/",
            "docs/",
            ".ci/",
            "fuzz/",
            "bench/",
            "torture/",
        ]
        .iter()
        .any(|start| quoted.starts_with(start));
        if is_path && !quoted.contains(char::is_whitespace) {
            paths += 1;
            assert!(
                root().join(quoted).exists(),
                "ARCHITECTURE.md names {quoted}, which is not there"
            );
        }
    }
    assert!(paths > 20, "ARCHITECTURE.md names only {paths} paths");
}

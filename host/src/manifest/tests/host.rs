//! The laws of reading `signet.toml`.

use std::time::Duration;

use super::*;

fn read(text: &str) -> Result<HostConfig, Mistakes> {
    read_host(text, Path::new("dir/signet.toml"))
}

fn one(text: &str, place: &str, part: &str) {
    let Mistakes(found) = read(text).unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?} in\n{text}");
    let (found, expected) = (found[0].to_string(), format!("dir/signet.toml:{place}: "));
    assert!(
        found.starts_with(&expected) && found.contains(part),
        "{found} is not {expected}{part}"
    );
}

/// The page that shows every table.
const PAGE: &str = include_str!("../../../../docs/signet-toml.md");

#[test]
fn the_file_on_the_page_has_every_key_and_no_mistake() {
    let file = PAGE.split("```toml\n").nth(1).unwrap();
    let file = file.split("```").next().unwrap();
    read(file).unwrap();
    let file: toml::Table = file.parse().unwrap();
    for key in KEYS.iter().chain(&["variables"]) {
        assert!(file.contains_key(*key), "docs/signet-toml.md has no {key}");
    }
}

const WHOLE: &str = r#"
state_dir = "state"

[[app]]
manifest = "guest-producer/spin.toml"
listen = "127.0.0.1:3000"

[[app]]
manifest = "/elsewhere/spin.toml"
listen = "[::1]:3002"

[limits]
request_timeout_ms = 30_000
memory_mb = 256
max_reuse = 128
max_concurrent = 16

[server]
shutdown_timeout_ms = 5

[sqlite_database.default]
type = "spin"
path = "x.db"

[key_value_store.my-store]
type = "spin"

[outbound_http]
connect_timeout_ms = 7
first_byte_timeout_ms = 8
between_bytes_timeout_ms = 9
max_concurrent_requests = 10
allow_networks = ["10.0.0.0/8", "::1"]

[variables]
plain = "hunter2"
inline = { generate = true }

[variables.enrolment_token]
generate = true
"#;

#[test]
fn a_certificate_has_two_files_beside_the_manifest() {
    let app = |tls: &str| format!("[[app]]\nmanifest = \"a\"\nlisten = \"[::1]:1\"\ntls = {tls}");
    let host = read(&app("{ cert = \"c.pem\", key = \"/k.pem\" }")).unwrap();
    let files = TlsFiles {
        cert: "dir/c.pem".into(),
        key: "/k.pem".into(),
    };
    assert_eq!(host.apps[0].tls, Some(files));
    one(
        &app("{ cert = \"c\" }"),
        "4:7",
        "`app[0].tls.key` is missing",
    );
    one(
        &app("{ cert = \"c\", key = \"k\", ca = \"x\" }"),
        "4:32",
        "`app[0].tls.ca` is not known",
    );
    one(&app("\"c.pem\""), "4:7", "must be a table");
}

#[test]
fn a_whole_file_is_read() {
    let host = read(WHOLE).unwrap();
    assert_eq!(
        (host.path.as_path(), host.state_dir.as_path()),
        (Path::new("dir/signet.toml"), Path::new("dir/state"))
    );
    let app = |manifest: &str, listen: &str| AppEntry {
        manifest: manifest.into(),
        listen: listen.parse().unwrap(),
        tls: None,
    };
    assert_eq!(
        host.apps,
        [
            app("dir/guest-producer/spin.toml", "127.0.0.1:3000"),
            app("/elsewhere/spin.toml", "[::1]:3002")
        ]
    );
    let limits = host.limits.over(pool::Limits::default());
    assert_eq!(limits.request_timeout, Duration::from_secs(30));
    assert_eq!((limits.memory, limits.max_reuse), (256 << 20, 128));
    assert_eq!(limits.max_concurrent, 16);
    assert_eq!(host.bounds.drain, Duration::from_millis(5));
    assert_eq!(
        host.sqlite_databases,
        [(Label::new("default"), Some("dir/x.db".into()))].into()
    );
    assert_eq!(
        host.key_value_stores,
        [(Label::new("my-store"), None)].into()
    );
    let milliseconds = Duration::from_millis;
    assert_eq!(host.outbound.connect, milliseconds(7));
    assert_eq!(host.outbound.first_byte, milliseconds(8));
    assert_eq!(host.outbound.between_bytes, milliseconds(9));
    assert_eq!(host.outbound.max_concurrent, 10);
    let networks: Vec<_> = host
        .allow_networks
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(
        host.variables["plain"],
        VariableSource::Value("hunter2".into())
    );
    assert_eq!(host.variables["inline"], VariableSource::Generate);
    assert_eq!(host.variables["enrolment_token"], VariableSource::Generate);
}

#[test]
fn an_empty_file_is_the_defaults() {
    let host = read("").unwrap();
    assert_eq!(
        (host.state_dir.as_path(), host.apps.len()),
        (Path::new("dir/.signet"), 0)
    );
    assert_eq!(host.bounds, HostConfig::beside(Path::new("x")).bounds);
}

#[test]
fn memory_is_reset_as_asked() {
    let asked = |text: &str| read(text).unwrap().memory_reset;
    assert_eq!(asked("[server]\nmax_headers = 5"), MemoryReset::Auto);
    for way in MemoryReset::ALL {
        let text = format!("[server]\nmemory_reset = \"{}\"", way.name());
        assert_eq!(asked(&text), way);
    }
}

#[test]
fn a_value_is_never_printed() {
    assert!(!format!("{:?}", read(WHOLE).unwrap()).contains("hunter2"));
    let Mistakes(found) = read("[variables]\npin = 123456\n").unwrap_err();
    assert!(!found[0].to_string().contains("123456"), "{}", found[0]);
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_text() {
    let text = "[[app]]\nlisten = \"here\"\nmanifest = \"m\"\n[limits]\nmemory_mb = 0\n[sqlite_database.a]\n\
                type = \"libsql\"\n[variables]\nx = 1\ny = { generate = false }\n";
    let Mistakes(found) = read(text).unwrap_err();
    let lines: Vec<_> = found.iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [2, 5, 7, 9, 10], "{found:#?}");
}

#[test]
fn each_mistake_names_its_place_and_its_cure() {
    one(
        "[[app]]\nlisten = \"127.0.0.1:3000\"",
        "1:1",
        "`app[0].manifest` is missing",
    );
    one(
        "[[app]]\nmanifest = \"m\"",
        "1:1",
        "`app[0].listen` is missing",
    );
    one(
        "[[app]]\nmanifest = \"m\"\nlisten = \"localhost:3000\"",
        "3:10",
        "such as `127.0.0.1:3000`",
    );
    one(
        "[app]\nmanifest = \"m\"",
        "1:1",
        "`app` must be a list, not a table",
    );
    let two = "[[app]]\nmanifest = \"m\"\nlisten = \"127.0.0.1:1\"\n".repeat(2);
    one(&two, "6:10", "also another app's");
    assert!(read(&two.replace(":1\"", ":0\"")).is_ok());
    one(
        "[server]\nmemory_reset = \"scan\"",
        "2:16",
        "there is `auto`, `copy`, `drop`",
    );
    one("[limits]\nmax_reus = 1", "2:1", "did you mean `max_reuse`?");
    one(
        "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"u\"",
        "2:8",
        "there is `spin`",
    );
    one(
        "[key_value_store.default]\npath = \"p\"",
        "1:1",
        "`key_value_store.default.type` is missing",
    );
    one(
        "[key_value_store.\"../x\"]\ntype = \"spin\"",
        "1:18",
        "label `../x` is not valid",
    );
    one("[variables]\nNAME = \"x\"", "2:1", "lower-case letters");
    one("stat_dir = \"x\"", "1:1", "did you mean `state_dir`?");
    one("state_dir = ", "1:13", "not valid TOML");
}

#[test]
fn a_network_that_names_nothing_is_a_mistake() {
    for (text, words) in [
        ("0.0.0.0/0", "network `0.0.0.0/0` is every address"),
        ("::/0", "network `::/0` is every address"),
        ("10.0.0.0/33", "a prefix that does not fit"),
        ("internal.example", "has no address"),
    ] {
        let file = format!("outbound_http.allow_networks = [\"{text}\"]");
        let mistakes = read(&file).unwrap_err().to_string();
        assert!(mistakes.contains(words), "{mistakes}");
    }
}

//! Two apps on one host that know nothing of each other: what each is granted is its own, unless the operator
//! says otherwise, and what one uses up is not taken from the other.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Served, fixture, get, serve, signet};

/// The manifest of an app whose only component has these lines in its table.
fn app(name: &str, component: &str, more: &str) -> String {
    format!(
        "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"{}\"\n{component}\n\
         [component.guest.dependencies]\n\"fixture:test/probe\" = {{ path = \"{}\" }}\n{more}\n",
        fixture("fixture-guest").display(),
        fixture("fixture-dependency").display(),
    )
}

/// Writes two apps and the file that runs both.
fn write(folder: &Path, host: &str, apps: [&str; 2]) {
    let mut file = host.to_owned();
    for (name, text) in ["one", "two"].into_iter().zip(apps) {
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        file += &format!("\n[[app]]\nmanifest = \"{name}.toml\"\nlisten = \"127.0.0.1:0\"\n");
    }
    std::fs::write(folder.join("signet.toml"), file).unwrap();
}

/// Two apps, served, and their addresses.
fn strangers(folder: &Path, host: &str, apps: [&str; 2]) -> (Served, SocketAddr, SocketAddr) {
    write(folder, host, apps);
    let served = serve(&folder.join("signet.toml"), &[]);
    let addresses = served.addresses();
    (served, addresses[0], addresses[1])
}

fn say(address: SocketAddr, path: &str) -> String {
    let answer = get(address, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[test]
fn a_label_is_each_apps_own() {
    let folder = tempfile::tempdir().unwrap();
    let grants = "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\", \"named\"]";
    let apps = [app("one", grants, ""), app("two", grants, "")];
    let host = "[key_value_store.named]\ntype = \"spin\"";
    let (_served, one, two) = strangers(folder.path(), host, [&apps[0], &apps[1]]);
    for label in ["default", "named"] {
        let written = say(one, &format!("/kv?{label}&key&mine"));
        assert_eq!(written, "Some(\"mine\")");
        assert_eq!(say(two, &format!("/kv?{label}&key")), "None");
    }
    let make = "CREATE%20TABLE%20t(a)&INSERT%20INTO%20t%20VALUES(1)";
    let read = "/sql?default&SELECT%20a%20FROM%20t";
    say(one, &format!("/sql?default&{make}"));
    assert_eq!(say(one, read), "[\"1\"]");
    let said = say(two, read);
    assert!(said.contains("no such table"), "{said}");
}

#[test]
fn a_label_with_a_file_is_shared_by_those_who_are_granted_it_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let grants = "sqlite_databases = [\"shared\"]\nkey_value_stores = [\"shared\"]";
    let none = "sqlite_databases = [\"default\"]";
    let host = "[sqlite_database.shared]\ntype = \"spin\"\npath = \"shared.db\"\n\
                [key_value_store.shared]\ntype = \"spin\"\npath = \"kv.db\"";
    let granted = [app("one", grants, ""), app("two", grants, "")];
    let (served, one, two) = strangers(folder.path(), host, [&granted[0], &granted[1]]);
    say(one, "/kv?shared&key&ours");
    assert_eq!(say(two, "/kv?shared&key"), "Some(\"ours\")");
    say(
        one,
        "/sql?shared&CREATE%20TABLE%20t(a)&INSERT%20INTO%20t%20VALUES(1)",
    );
    assert_eq!(say(two, "/sql?shared&SELECT%20a%20FROM%20t"), "[\"1\"]");
    served.stop();
    let apps = [app("one", grants, ""), app("two", none, "")];
    let (_served, one, two) = strangers(folder.path(), host, [&apps[0], &apps[1]]);
    assert_eq!(say(one, "/kv?shared&key"), "Some(\"ours\")");
    for path in ["/kv?shared&key", "/sql?shared"] {
        let said = say(two, path);
        assert!(said.contains("AccessDenied"), "{path}: {said}");
    }
}

/// A request that takes all that a component may have at once, and keeps it as long as this is held.
fn fill(address: SocketAddr) -> TcpStream {
    let begun = Instant::now();
    'refused: loop {
        let mut busy = TcpStream::connect(address).unwrap();
        busy.write_all(b"GET /sleep?25000 HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        busy.set_nonblocking(true).unwrap();
        loop {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it is never full"
            );
            let full = get(address, "/hello").status == 503;
            // One that asks whether there is a place has one for as long, and may have had the last.
            if busy.peek(&mut [0]).is_ok() {
                continue 'refused;
            }
            if full {
                return busy;
            }
        }
    }
}

#[test]
fn who_is_at_its_limit_takes_nothing_from_the_other() {
    for limit in [
        "tool.signet.max_requests = 1",
        "tool.signet.max_instances = 1\ntool.signet.max_concurrent = 1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let apps = [app("one", limit, ""), app("two", "", "")];
        let (_served, one, two) = strangers(folder.path(), "", [&apps[0], &apps[1]]);
        let _busy = fill(one);
        for _ in 0..8 {
            assert_eq!(say(two, "/hello"), "hello");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let apps = [
        app("one", "tool.signet.memory_mb = 8", ""),
        app("two", "", ""),
    ];
    let (_served, one, two) = strangers(folder.path(), "", [&apps[0], &apps[1]]);
    for _ in 0..3 {
        assert_eq!(get(one, "/hoard").status, 500);
        assert_eq!(get(one, "/trap").status, 500);
        assert_eq!(say(one, "/grow?512"), "false");
        assert_eq!(say(two, "/grow?512"), "true");
        assert_eq!(say(two, "/hello"), "hello");
    }
}

#[test]
fn each_line_says_whose_it_is_even_where_components_have_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let apps = [app("one", "", ""), app("two", "", "")];
    let (served, one, two) = strangers(folder.path(), "", [&apps[0], &apps[1]]);
    say(one, "/print?mine");
    say(two, "/print?yours");
    let lines = served.stop();
    let has = |start: &str, end: &str| {
        let mut lines = lines.lines();
        lines.any(|line| line.contains(start) && line.ends_with(end))
    };
    assert!(has("one/guest", " mine"), "{lines}");
    assert!(has("two/guest", " yours"), "{lines}");
    assert!(!has("one/guest", " yours"), "{lines}");
}

#[test]
fn variables_are_each_apps_own() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, value: &str| {
        let more = format!(
            "[variables]\n{name} = {{ default = \"{value}\" }}\n\
             [component.guest.variables]\n{name} = \"{{{{ {name} }}}}\""
        );
        app(value, "", &more)
    };
    let apps = [with("secret", "one"), with("other", "two")];
    let (_served, one, two) = strangers(folder.path(), "", [&apps[0], &apps[1]]);
    assert_eq!(say(one, "/variable?secret"), "Ok(\"one\")");
    assert_eq!(say(two, "/variable?other"), "Ok(\"two\")");
    for (address, name) in [(one, "other"), (two, "secret")] {
        let said = say(address, &format!("/variable?{name}"));
        assert!(said.starts_with("Err("), "{name}: {said}");
    }
}

#[test]
fn a_component_is_no_component_of_the_other_app() {
    let folder = tempfile::tempdir().unwrap();
    let grants = "allowed_outbound_hosts = [\"http://*.spin.internal\"]";
    let hidden = format!(
        "[[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"hidden\"\n\
         [component.hidden]\nsource = \"{}\"",
        fixture("fixture-guest-p2").display()
    );
    let apps = [app("one", grants, &hidden), app("two", grants, "")];
    let (_served, one, two) = strangers(folder.path(), "", [&apps[0], &apps[1]]);
    let path = "/ask?http://hidden.spin.internal/hello";
    assert_eq!(say(one, path), "status 200: hello from 0.2");
    let said = say(two, path);
    assert!(said.starts_with("ErrorCode::DnsError"), "{said}");
}

#[test]
fn two_apps_on_one_address_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "",
        [&app("one", "", ""), &app("two", "", "")],
    );
    let address = "127.0.0.1:39187";
    let mut command = signet();
    let output = command
        .current_dir(folder.path())
        .args(["run", "one.toml", "two.toml"])
        .args(["--listen", address, "--listen", address])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in ["two.toml", "one.toml", address, "an address of its own"] {
        assert!(said.contains(part), "{said}");
    }
}

//! A host that watches its files: what is built anew is served without a request that fails, and what
//! cannot be served leaves what is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Process, fixture, get};

/// What a component of the tests answers to a path that it does not know, and what another version of
/// the same length does.
const VERSIONS: [&str; 2] = ["no such path", "no such PATH"];

/// The test guest in both versions.
fn versions(name: &str) -> [Vec<u8>; 2] {
    let first = std::fs::read(fixture(name)).unwrap();
    let (old, new) = (VERSIONS[0].as_bytes(), VERSIONS[1].as_bytes());
    let at = first.windows(old.len()).position(|bytes| bytes == old);
    let mut second = first.clone();
    second[at.unwrap()..][..new.len()].copy_from_slice(new);
    [first, second]
}

/// How a version comes to its place.
enum By {
    /// As linkers do it: into the file.
    Writing,
    /// As careful ones do it: beside it, then in its place.
    Moving,
}

/// An app whose component's file the test writes, served by a host that watches.
struct Watched {
    host: Process,
    file: PathBuf,
}

impl Watched {
    fn start(version: &[u8], more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("guest.wasm"), version).unwrap();
        describe(folder.path(), more);
        let arguments = ["run", "spin.toml", "--watch", "--listen", "127.0.0.1:0"];
        let host = Process::within(folder, &arguments);
        let file = host.folder().join("guest.wasm");
        Self { host, file }
    }

    fn put(&self, bytes: &[u8], by: &By) {
        match by {
            By::Writing => std::fs::write(&self.file, bytes).unwrap(),
            By::Moving => {
                let beside = self.file.with_extension("new");
                std::fs::write(&beside, bytes).unwrap();
                std::fs::rename(&beside, &self.file).unwrap();
            }
        }
    }

    /// Looks until this version answers. The second thread of the host may be a moment behind the first.
    fn serves(&self, version: &str) {
        let start = Instant::now();
        while get(self.host.address, "/version").body != version {
            assert!(start.elapsed() < Duration::from_secs(60), "{version}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Writes the manifest of the app, with more lines for its component.
fn describe(folder: &Path, more: &str) {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"guest.wasm\"\n{more}"
    );
    std::fs::write(folder.join("spin.toml"), text).unwrap();
}

/// What the 0.3 guest is linked to.
fn probe() -> String {
    let path = fixture("fixture-dependency");
    format!(
        "[component.guest.dependencies]\n\"fixture:test/probe\" = {{ path = \"{}\" }}\n",
        path.display()
    )
}

/// Sends a request and reads its answer: the status line and the body.
fn ask(stream: &mut BufReader<TcpStream>, method: &str) -> std::io::Result<(String, String)> {
    let body = if method == "POST" { "body" } else { "" };
    let length = body.len();
    let request =
        format!("{method} /version HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.get_mut().write_all(request.as_bytes())?;
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body).unwrap()))
}

/// Asks until told to stop, on one connection or on a new one each time; what was not answered as it
/// should is returned.
fn client(address: SocketAddr, alive: bool, stop: &AtomicBool, asked: &AtomicUsize) -> Vec<String> {
    let connect = || BufReader::new(TcpStream::connect(address).unwrap());
    let (mut failed, mut stream) = (Vec::new(), connect());
    for method in ["GET", "POST"].into_iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if !alive {
            stream = connect();
        }
        match ask(&mut stream, method) {
            Ok((status, body))
                if status.starts_with("HTTP/1.1 200 ") && VERSIONS.contains(&body.as_str()) => {}
            answer => {
                failed.push(format!("{method}: {answer:?}"));
                stream = connect();
            }
        }
        asked.fetch_add(1, Ordering::Relaxed);
    }
    failed
}

/// Replaces a component so many times while clients ask for it.
fn swap_under_load(name: &str, more: &str, swaps: usize) {
    let versions = versions(name);
    let mut watched = Watched::start(&versions[0], more);
    let address = watched.host.address;
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failed: Vec<String> = std::thread::scope(|scope| {
        let (stop, asked) = (&stop, &asked);
        let clients: Vec<_> = [true, true, false, false]
            .map(|alive| scope.spawn(move || client(address, alive, stop, asked)))
            .into();
        // A test that fails must not leave clients that ask for ever.
        let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            watched.serves(VERSIONS[0]);
            for swap in 1..=swaps {
                let by = [By::Writing, By::Moving][swap % 2..].first().unwrap();
                if swap == swaps / 2 {
                    let half = &versions[swap % 2][..versions[swap % 2].len() / 2];
                    watched.put(half, by);
                    watched.host.has_said("the new version is not served");
                    assert_eq!(get(address, "/version").body, VERSIONS[(swap + 1) % 2]);
                }
                let before = asked.load(Ordering::Relaxed);
                watched.put(&versions[swap % 2], by);
                watched.serves(VERSIONS[swap % 2]);
                while asked.load(Ordering::Relaxed) < before + 20 {
                    std::thread::yield_now();
                }
            }
        }));
        stop.store(true, Ordering::Relaxed);
        let failed = clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        if let Err(panic) = swapped {
            std::panic::resume_unwind(panic);
        }
        failed
    });
    assert!(failed.is_empty(), "{failed:#?}\n{}", watched.host.log());
    assert!(asked.load(Ordering::Relaxed) >= 20 * swaps);
}

#[test]
fn no_request_fails_over_twenty_swaps() {
    swap_under_load("fixture-guest", &probe(), 20);
}

#[test]
fn no_request_fails_where_each_has_an_instance_of_its_own() {
    swap_under_load("fixture-guest-p2", "", 6);
}

#[test]
fn what_is_under_way_ends_in_the_version_it_began_in() {
    let versions = versions("fixture-guest");
    let watched = Watched::start(&versions[0], &probe());
    let connect = || TcpStream::connect(watched.host.address).unwrap();
    // A response that goes on for as long as somebody reads.
    let (mut response, mut piece) = (connect(), vec![0; 1 << 20]);
    write!(response, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    response.read_exact(&mut piece[..64]).unwrap();
    assert!(piece.starts_with(b"HTTP/1.1 200"));
    // A request that is half sent.
    let mut request = connect();
    write!(
        request,
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\nconnection: close\r\n\r\nhalf"
    )
    .unwrap();
    for version in [1, 0, 1] {
        watched.put(&versions[version], &By::Writing);
        watched.serves(VERSIONS[version]);
        response.read_exact(&mut piece).unwrap();
    }
    write!(request, "half").unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n8"), "{answer}");
    response.read_exact(&mut piece).unwrap();
}

#[test]
fn a_grant_that_changes_is_taken_up_and_what_cannot_be_is_said() {
    let versions = versions("fixture-guest-p2");
    let mut watched = Watched::start(&versions[0], "");
    let folder = watched.host.folder().to_owned();
    let denied = get(watched.host.address, "/fetch?http://127.0.0.1:1/").body;
    assert!(denied.contains("Denied"), "{denied}");
    // A destination that is granted is called, and nobody is there.
    let grants = "allowed_outbound_hosts = [\"http://127.0.0.1:1\"]\n\
                  tool.signet.allow_networks = [\"127.0.0.0/8\"]\n";
    describe(&folder, grants);
    watched.host.has_said("a new version is served");
    let start = Instant::now();
    while get(watched.host.address, "/fetch?http://127.0.0.1:1/").body == denied {
        assert!(start.elapsed() < Duration::from_secs(60), "still {denied}");
        std::thread::sleep(Duration::from_millis(5));
    }
    describe(&folder, "key_value_stores = [\"default\"]\n");
    watched
        .host
        .has_said("the list of databases and stores changed");
    describe(&folder, "no_such_key = 1\n");
    watched
        .host
        .has_said("the manifests were changed and are not taken up");
    watched.serves(VERSIONS[0]);
}

#[test]
fn a_queue_that_changes_is_said_to_take_a_restart() {
    let guest = std::fs::read(fixture("fixture-guest-queue")).unwrap();
    let queue = |policy: &str| {
        format!(
            "key_value_stores = [\"default\"]\n[component.guest.tool.signet.queue.jobs]\n{policy}\n"
        )
    };
    let mut watched = Watched::start(&guest, &queue("attempts = 3"));
    let folder = watched.host.folder().to_owned();
    describe(&folder, &queue("attempts = 4"));
    watched
        .host
        .has_said("a queue or how it is worked on changed");
    let log = watched.host.log();
    assert!(log.contains("start it again"), "{log}");
    assert!(!log.contains("a new version is served"), "{log}");
}

#[test]
fn a_dependency_is_watched_too() {
    let versions = versions("fixture-guest");
    let dependency = std::fs::read(fixture("fixture-dependency")).unwrap();
    let more =
        "[component.guest.dependencies]\n\"fixture:test/probe\" = { path = \"probe.wasm\" }\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("guest.wasm"), &versions[0]).unwrap();
    std::fs::write(folder.path().join("probe.wasm"), &dependency).unwrap();
    describe(folder.path(), more);
    let arguments = ["run", "spin.toml", "--watch", "--listen", "127.0.0.1:0"];
    let mut host = Process::within(folder, &arguments);
    let file = host.folder().join("probe.wasm");
    std::fs::write(&file, b"\0asm of no kind").unwrap();
    host.has_said("the new version is not served");
    assert_eq!(get(host.address, "/version").body, VERSIONS[0]);
    std::fs::write(&file, &dependency).unwrap();
    host.has_said("a new version is served");
    assert_eq!(get(host.address, "/version").body, VERSIONS[0]);
}

#[test]
fn a_change_of_a_source_builds_the_component_and_serves_it() {
    let versions = versions("fixture-guest-p2");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, bytes) in [
        ("one", &versions[0]),
        ("two", &versions[1]),
        ("guest.wasm", &versions[0]),
    ] {
        std::fs::write(at(name), bytes).unwrap();
    }
    std::fs::create_dir(at("src")).unwrap();
    std::fs::write(at("src/which"), "one").unwrap();
    // The source says which version is built; a word that is none fails.
    let build = "build = { command = \"cp $(cat src/*) guest.wasm\", watch = [\"src/**/*\"] }\n";
    describe(folder.path(), build);
    let arguments = ["run", "spin.toml", "--watch", "--listen", "127.0.0.1:0"];
    let mut host = Process::within(folder, &arguments);
    let which = host.folder().join("src/which");
    std::fs::write(&which, "two").unwrap();
    host.has_said("a new version is served");
    let start = Instant::now();
    while get(host.address, "/version").body != VERSIONS[1] {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::write(&which, "three").unwrap();
    host.has_said("is not built");
    assert_eq!(get(host.address, "/version").body, VERSIONS[1]);
    // A source that is new is a change as well.
    std::fs::write(&which, "o").unwrap();
    std::fs::write(which.with_file_name("whichever"), "ne").unwrap();
    let start = Instant::now();
    while get(host.address, "/version").body != VERSIONS[0] {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", host.log());
        std::thread::sleep(Duration::from_millis(5));
    }
}

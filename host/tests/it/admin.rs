//! What whoever runs the host can ask it, and who is let in.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;

use crate::queue::until;
use crate::support::{Host, Process, fixture, get, request, signet};

fn guest() -> Host {
    Host::of(fixture("fixture-guest"))
        .link("fixture:test/probe", &fixture("fixture-dependency"), "")
        .host("admin.listen = \"127.0.0.1:0\"")
}

/// The value of a metric, by the beginning of its line.
fn value(admin: SocketAddr, start: &str) -> i64 {
    let text = get(admin, "/metrics").body;
    let line = text.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("{start} is not in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn health_readiness_and_metrics_are_answered_and_nothing_else() {
    let host = guest().start();
    let admin = host.running().admin().unwrap();
    assert_eq!(get(admin, "/healthz").status, 200);
    assert_eq!(get(admin, "/readyz").status, 200);
    let metrics = get(admin, "/metrics");
    let format = metrics.headers["content-type"].to_str().unwrap();
    assert!(format.starts_with("text/plain; version=0.0.4"), "{format}");
    assert_eq!(get(admin, "/").status, 404);
    assert_eq!(request(admin, "POST", "/metrics", &[], b"").status, 405);
}

#[test]
fn there_is_no_admin_listener_unless_one_is_asked_for() {
    let host = Host::of(fixture("fixture-guest-p2")).start();
    assert_eq!(host.running().admin(), None);
}

#[test]
fn what_happens_is_counted() {
    let host = guest()
        .with("tool.signet.request_timeout_ms = 300")
        .with("tool.signet.max_lines_per_second = 1")
        .with("key_value_stores = [\"default\"]")
        .start();
    let (address, admin) = (host.address(), host.running().admin().unwrap());
    let own = "app=\"test\",component=\"guest\"";
    host.get("/kv?default&a&b");
    host.get("/print-lines?100");
    host.get("/fetch?http://127.0.0.1:1/");
    assert_eq!(get(address, "/trap").status, 500);
    assert_eq!(get(address, "/sleep?60000").status, 504);
    for (name, at_least) in [
        (format!("signet_requests_total{{{own},status=\"2xx\"}}"), 3),
        (format!("signet_requests_total{{{own},status=\"5xx\"}}"), 2),
        (format!("signet_traps_total{{{own}}}"), 1),
        (format!("signet_deadlines_total{{{own}}}"), 1),
        (format!("signet_guest_lines_dropped_total{{{own}}}"), 50),
        (
            format!("signet_outbound_requests_total{{{own},outcome=\"denied\"}}"),
            1,
        ),
        (format!("signet_request_duration_seconds_count{{{own}}}"), 5),
        ("signet_refusals_total{status=\"504\"}".to_owned(), 1),
        ("signet_connections_total".to_owned(), 5),
        (
            "signet_storage_bytes{app=\"test\",kind=\"key-value\",label=\"default\"}".to_owned(),
            1,
        ),
    ] {
        let counted = value(admin, &name);
        assert!(counted >= at_least, "{name} is {counted}");
    }
    assert_eq!(value(admin, "signet_requests_under_way{"), 0);
}

#[test]
fn what_stands_in_the_queues_is_counted_when_somebody_asks() {
    let queue = "[component.guest.tool.signet.queue.jobs]\nschedule_ms = [0]\nattempts = 3";
    let host = Host::of(fixture("fixture-guest-queue"))
        .and(queue)
        .host("admin.listen = \"127.0.0.1:0\"")
        .start();
    let admin = host.running().admin().unwrap();
    let own = "app=\"test\",component=\"guest\",queue=\"jobs\"";
    let is = |name: &str, state: &str, count: i64| {
        let start = format!("signet_queue_{name}{{{own}{state}}} ");
        until(&start, || value(admin, &start) == count);
    };
    is("jobs", ",state=\"waiting\"", 0);
    assert_eq!(host.get("/pause?jobs&slow"), "paused");
    host.get("/enqueue?jobs&slow&a");
    host.get("/enqueue?jobs&slow&b");
    host.get("/enqueue?jobs&lane&dead");
    is("jobs", ",state=\"dead\"", 1);
    is("jobs", ",state=\"waiting\"", 2);
    is("lanes", ",state=\"paused\"", 1);
    is("lanes", ",state=\"open\"", 1);
    is("attempts_total", ",outcome=\"dead\"", 1);
    is("leases_expired_total", "", 0);
    until("nothing is late", || {
        value(admin, &format!("signet_queue_oldest_due_seconds{{{own}}} ")) > 0
    });
}

#[test]
fn instances_and_their_memory_are_shown_for_as_long_as_they_live() {
    let host = guest()
        .with("tool.signet.instance_idle_ms = 50")
        .with("tool.signet.response_timeout_ms = 2000")
        .start();
    let (address, admin) = (host.address(), host.running().admin().unwrap());
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /never-ends HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_ne!(stream.read(&mut [0; 1024]).unwrap(), 0);
    assert_eq!(value(admin, "signet_instances{"), 1);
    assert!(value(admin, "signet_instance_memory_bytes{") >= 64 << 10);
    // The guest goes on for as long as its response may take, and no longer.
    drop(stream);
    for shown in ["signet_instances{", "signet_instance_memory_bytes{"] {
        while value(admin, shown) != 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn with_a_token_only_who_presents_it_learns_more_than_that_the_host_lives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let host = guest()
        .host(&format!("admin.token_file = \"{}\"", file.display()))
        .start();
    let admin = host.running().admin().unwrap();
    let ask = |path: &str, header: &str| {
        let header = [("authorization", header)];
        request(admin, "GET", path, &header, b"").status
    };
    assert_eq!(get(admin, "/healthz").status, 200);
    for path in ["/metrics", "/readyz", "/nowhere"] {
        assert_eq!(get(admin, path).status, 401);
        assert_eq!(ask(path, "Bearer 0123456789abcdeX"), 401);
    }
    assert_eq!(ask("/metrics", "Bearer 0123456789abcdef"), 200);
    assert_eq!(ask("/nowhere", "Bearer 0123456789abcdef"), 404);
}

#[test]
fn an_address_that_cannot_be_served_is_an_input_that_is_wrong() {
    for (arguments, said) in [
        (&["--admin", "0.0.0.0:0"][..], "SIGNET_ADMIN_TOKEN"),
        (&["--admin", "[::]:0"][..], "`token_file`"),
        (&["--listen", "192.0.2.1:0"][..], "no interface"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = signet()
            .arg("run")
            .args(arguments)
            .env_remove("SIGNET_ADMIN_TOKEN")
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn a_host_that_drains_is_not_ready_and_still_says_so() {
    let host = guest().start();
    let (address, admin) = (host.address(), host.running().admin().unwrap());
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /late?1500 HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_ne!(stream.read(&mut [0; 1024]).unwrap(), 0);
    host.running().stop();
    assert_eq!(get(admin, "/readyz").status, 503);
    assert_eq!(get(admin, "/healthz").status, 200);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "{rest}");
    host.stop();
    assert!(TcpStream::connect(admin).is_err());
}

#[test]
fn the_admin_listener_answers_while_guests_take_all_the_host_has() {
    let host = guest()
        .host("server.max_instances = 1")
        .with("tool.signet.request_timeout_ms = 3000")
        .start();
    let (address, admin) = (host.address(), host.running().admin().unwrap());
    let busy: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || get(address, "/loop").status))
        .collect();
    while busy.iter().any(|thread| !thread.is_finished()) {
        assert_eq!(get(admin, "/healthz").status, 200);
        assert_eq!(get(admin, "/metrics").status, 200);
    }
}

#[test]
fn the_service_manager_is_told_when_the_host_serves_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let told = || {
        let mut text = [0; 256];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let mut process = Process::run_with("", "", &[], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert_eq!(told(), "READY=1");
    assert_eq!(get(process.address, "/hello").status, 200);
    process.signal("TERM");
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(process.end(), Some(0));
}

//! Where a guest's requests may lead: no address that is not public, however it is written, unless the
//! operator allowed it.

use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use signet::capability::http::{Addresses, Resolve};

use crate::support::{Host, Process, Receiver, Rude, fixture, get};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

/// Gives one answer after the other; another look-up has none.
#[derive(Debug)]
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().rev().map(parse).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Addresses<'a> {
        let answer = self.0.lock().unwrap().pop().unwrap_or_default();
        let answer: Vec<_> = answer
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect();
        Box::pin(async { Ok(answer) })
    }
}

const PROHIBITED: &str = "ErrorCode::DestinationIpProhibited";
const DENIED: &str = "ErrorCode::HttpRequestDenied";

/// Asks a host of its own for each of these; what the guests got, and the host's log.
fn log_of(granted: &[&str], urls: &[&str]) -> (Vec<String>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    let link = format!(
        "fixture:test/probe={}",
        fixture("fixture-dependency").display()
    );
    command.arg("serve").arg(fixture("fixture-guest")).args([
        "--addr",
        "127.0.0.1:0",
        "--link",
        &link,
    ]);
    for host in granted {
        command.args(["--allow-host", host]);
    }
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let folder = tempfile::tempdir().unwrap();
    let mut child = command
        .current_dir(folder.path())
        .env("SIGNET_CACHE_DIR", cache)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = child.stderr.take().unwrap();
    let mut log = String::new();
    let mut byte = [0];
    let address: SocketAddr = loop {
        assert_eq!(said.read(&mut byte).unwrap(), 1, "{log}");
        log.push(char::from(byte[0]));
        if let Some((_, line)) = log.split_once("http://")
            && let Some(address) = line.strip_suffix('\n')
        {
            break address.trim().parse().unwrap();
        }
    };
    let answers = urls
        .iter()
        .map(|url| get(address, &format!("/fetch?{url}")).body)
        .collect();
    // Told to end, it writes its log first.
    let end = format!("kill -s TERM {}", child.id());
    let ended = Command::new("sh").args(["-c", &end]).status().unwrap();
    assert!(ended.success() && child.wait().unwrap().success());
    let mut rest = Vec::new();
    said.read_to_end(&mut rest).unwrap();
    log.push_str(&String::from_utf8_lossy(&rest));
    (answers, log)
}

#[test]
fn an_address_that_is_not_public_is_refused_in_every_spelling_and_the_log_says_why() {
    let rude = Rude::start();
    let port = rude.address.port();
    let mut wanted = Vec::new();
    for (host, reason) in [
        ("169.254.169.254", "a cloud's metadata service"),
        ("[fd00:ec2::254]", "a cloud's metadata service"),
        ("[::ffff:169.254.169.254]", "a cloud's metadata service"),
        ("127.0.0.1", "not a public address"),
        ("localhost", "not a public address"),
        ("LOCALHOST", "not a public address"),
        ("[::1]", "not a public address"),
        ("[::ffff:127.0.0.1]", "not a public address"),
        ("[64:ff9b::7f00:1]", "not a public address"),
        ("[2002:7f00:1::]", "not a public address"),
        ("0.0.0.0", "not an address that answers"),
        ("[::]", "not an address that answers"),
        ("2130706433", "ends in a number"),
        ("0177.0.0.1", "ends in a number"),
        ("0x7f.0.0.1", "ends in a number"),
        ("0x7f000001", "ends in a number"),
        ("127.1", "ends in a number"),
        ("127.0.0.1.", "ends in a number"),
    ] {
        wanted.push((host, format!("http://{host}:{port}/ok"), reason));
    }
    let urls: Vec<&str> = wanted.iter().map(|(_, url, _)| url.as_str()).collect();
    let (answers, log) = log_of(&["http://*:*"], &urls);
    for ((host, _, reason), answer) in wanted.iter().zip(answers) {
        assert_eq!(answer, PROHIBITED, "{host}");
        assert!(
            log.lines().any(|line| line.contains("was refused")
                && line.contains(&format!("{host} "))
                && line.contains(reason)),
            "{host} {reason} is not in:\n{log}"
        );
    }
    assert_eq!(rude.connections(), 0);
}

#[test]
fn a_destination_that_is_not_granted_is_denied_and_the_log_says_so() {
    let url = "http://elsewhere.test/";
    let (answers, log) = log_of(&["http://example.test"], &[url]);
    assert_eq!(answers, [DENIED]);
    let told = |line: &str| {
        line.contains("elsewhere.test") && line.contains("does not grant the destination")
    };
    assert!(log.lines().any(told), "{log}");
}

#[test]
fn a_name_that_rebinds_is_looked_up_once_for_each_connection_and_never_reaches_the_other_address() {
    let rude = Rude::start();
    // The first connection leads where it was allowed; the second answer is another loopback address.
    let answers = Answers::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1", "10.0.0.1"]]);
    let host = guest()
        .with("allowed_outbound_hosts = [\"http://*:*\"]")
        .with("tool.signet.allow_networks = [\"127.0.0.1/32\"]")
        .resolver(Arc::clone(&answers) as _)
        .threads(1)
        .start();
    let fetch = |path: &str| {
        let port = rude.address.port();
        host.get(&format!("/fetch-body?http://rebind.test:{port}{path}"))
    };
    assert_eq!(fetch("/ok"), "status 200, 2 bytes");
    // The connection that was checked is used again without a look-up.
    assert_eq!(fetch("/ok"), "status 200, 2 bytes");
    assert_eq!((rude.connections(), answers.left()), (1, 2));
    // It ends; the next one is looked up, and refused. So is one with a mixed answer.
    assert_eq!(
        fetch("/short"),
        "status 200, then ErrorCode::HttpResponseIncomplete"
    );
    assert_eq!(fetch("/ok"), PROHIBITED);
    assert_eq!(fetch("/ok"), PROHIBITED);
    assert_eq!((rude.connections(), answers.left()), (1, 0));
}

#[test]
fn a_named_host_may_be_local_and_is_never_the_metadata_service() {
    let rude = Rude::start();
    let url = format!("http://internal.test:{}", rude.address.port());
    let answers = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"], &["fd00:ec2::254"]]);
    let host = guest()
        .with(&format!("allowed_outbound_hosts = [\"{url}\"]"))
        .resolver(answers)
        .threads(1)
        .start();
    assert_eq!(
        host.get(&format!("/fetch?{url}/closes")),
        "ErrorCode::HttpResponseIncomplete"
    );
    assert_eq!(host.get(&format!("/fetch?{url}/ok")), PROHIBITED);
    assert_eq!(host.get(&format!("/fetch?{url}/ok")), PROHIBITED);
}

#[test]
fn an_operators_network_is_reached_by_all_names_that_are_granted_and_a_components_by_its_own() {
    let receiver = Receiver::answers(204);
    let url = receiver.url("/");
    let wild = || guest().with("allowed_outbound_hosts = [\"http://*:*\"]");
    for (host, expected) in [
        (
            wild().host("outbound_http.allow_networks = [\"127.0.0.0/8\"]"),
            "status 204",
        ),
        (
            wild().with("tool.signet.allow_networks = [\"127.0.0.1\"]"),
            "status 204",
        ),
        (
            wild().with("tool.signet.allow_networks = [\"10.0.0.0/8\"]"),
            PROHIBITED,
        ),
        (
            guest().host("outbound_http.allow_networks = [\"127.0.0.0/8\"]"),
            DENIED,
        ),
    ] {
        assert_eq!(host.start().get(&format!("/fetch?{url}")), expected);
    }
}

#[test]
fn no_proxy_variable_is_obeyed() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let receiver = Receiver::answers(204);
    let url = format!("http://127.0.0.1:{}", proxy.local_addr().unwrap().port());
    let set = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .map(|name| (name, Path::new(&url)));
    let granted = receiver.url("");
    let process = Process::start(
        &["--allow-host", &granted, "--allow-host", "http://*:*"],
        &set,
    );
    assert_eq!(
        get(process.address, &format!("/fetch?{granted}/")).body,
        "status 204"
    );
    let refused = get(process.address, "/fetch?http://127.0.0.1:9/").body;
    assert_eq!(refused, PROHIBITED);
    let error = proxy.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_guest_has_no_sockets() {
    let host = guest()
        .with("allowed_outbound_hosts = [\"*://*:*\"]")
        .start();
    let said = host.get("/sockets");
    assert_eq!(
        said,
        "tcp: ErrorCode::AccessDenied, udp: ErrorCode::AccessDenied, \
         names: Err(ErrorCode::PermanentResolverFailure)"
    );
}

#[test]
fn a_guest_of_wasi_0_2_has_no_sockets() {
    let host = Host::of(fixture("fixture-guest-p2"))
        .with("allowed_outbound_hosts = [\"*://*:*\"]")
        .start();
    let said = host.get("/sockets");
    assert_eq!(
        said,
        "tcp: Err(\"access-denied\"), udp: Err(\"access-denied\"), \
         names: Err(\"permanent-resolver-failure\")"
    );
}

#[test]
fn a_guest_of_wasi_0_2_is_told_the_same() {
    let host = Host::of(fixture("fixture-guest-p2"))
        .with("allowed_outbound_hosts = [\"http://*:80\"]")
        .start();
    for (url, expected) in [
        ("http://169.254.169.254/", PROHIBITED),
        ("http://2130706433/", PROHIBITED),
        ("http://[::ffff:127.0.0.1]/", PROHIBITED),
        ("http://169.254.169.254:81/", DENIED),
    ] {
        assert_eq!(host.get(&format!("/fetch?{url}")), expected, "{url}");
    }
}

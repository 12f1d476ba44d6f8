//! An app that is served over TLS: both protocols, the scheme that guests see, and clients that know nothing
//! of handshakes or take their time with them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Host, Process, fixture, signet};

/// A certificate for localhost, in files.
struct Certificate {
    folder: tempfile::TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        let key = folder.path().join("key.pem");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            folder,
            der: made.cert.der().clone(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A host of the test guest with this certificate.
    fn host(&self) -> Host {
        let (cert, key) = (self.file("cert.pem"), self.file("key.pem"));
        Host::of(fixture("fixture-guest"))
            .link("fixture:test/probe", &fixture("fixture-dependency"), "")
            .app(&format!(
                "tls = {{ cert = \"{}\", key = \"{}\" }}",
                cert.display(),
                key.display()
            ))
    }

    /// A connection that offers these protocols.
    async fn connect(
        &self,
        address: SocketAddr,
        protocols: &[&str],
    ) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
        config.alpn_protocols = protocols.collect();
        let stream = tokio::net::TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }

    /// The body of a GET over HTTP/1.
    fn get(&self, address: SocketAddr, path: &str) -> String {
        run(async {
            let stream = TokioIo::new(self.connect(address, &["http/1.1"]).await.unwrap());
            let shake = hyper::client::conn::http1::handshake(stream);
            let (mut sender, connection) = shake.await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::get(path).header("host", host(address));
            let request = request.body(Full::<Bytes>::default()).unwrap();
            body(sender.send_request(request).await.unwrap()).await
        })
    }
}

fn host(address: SocketAddr) -> String {
    format!("localhost:{}", address.port())
}

async fn body(response: http::Response<hyper::body::Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

#[test]
fn both_protocols_are_spoken_and_guests_see_https() {
    let certificate = Certificate::new();
    let served = certificate.host().start();
    let address = served.address();
    let path = "/header?spin-full-url";
    let full = format!("https://{}{path}", host(address));
    assert_eq!(certificate.get(address, path), full);
    let uri = format!("https://{}/uri", host(address));
    assert_eq!(certificate.get(address, "/uri"), uri);
    run(async {
        let stream = certificate.connect(address, &["h2", "http/1.1"]).await;
        let stream = stream.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let shake =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = shake.await.unwrap();
        tokio::spawn(connection);
        // What the client takes the scheme for is the client's business.
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{}{path}", host(address));
            let request = http::Request::get(url).body(Full::<Bytes>::default());
            let response = sender.send_request(request.unwrap()).await.unwrap();
            assert_eq!(body(response).await, full);
        }
    });
}

#[test]
fn a_client_without_tls_is_told_and_one_that_speaks_nothing_known_is_left() {
    let certificate = Certificate::new();
    let served = certificate.host().start();
    for plain in [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(served.address()).unwrap();
        stream.write_all(plain.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("this address speaks https"), "{answer}");
    }
    let mut stream = TcpStream::connect(served.address()).unwrap();
    stream.write_all(&[0x16; 100]).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(certificate.get(served.address(), "/hello"), "hello");
}

/// The first bytes of a handshake that says that more will come.
const BEGUN: [u8; 6] = [0x16, 0x03, 0x01, 0x01, 0x00, 0x01];

#[test]
fn a_handshake_that_comes_to_nothing_is_left_in_time_and_holds_nobody_up() {
    let certificate = Certificate::new();
    let served = certificate
        .host()
        .host("server.header_timeout_ms = 500")
        .threads(1)
        .start();
    let mut silent = TcpStream::connect(served.address()).unwrap();
    let mut trickling = TcpStream::connect(served.address()).unwrap();
    trickling.write_all(&BEGUN).unwrap();
    assert_eq!(certificate.get(served.address(), "/hello"), "hello");
    // One byte and another do not prolong it.
    while trickling.write_all(&[0]).is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

#[test]
fn who_does_not_shake_hands_has_a_place_among_the_connections() {
    let certificate = Certificate::new();
    let served = certificate
        .host()
        .host("server.max_connections = 2")
        .host("server.header_timeout_ms = 3600000")
        .threads(1)
        .start();
    let silent: Vec<_> = (0..2)
        .map(|_| TcpStream::connect(served.address()).unwrap())
        .collect();
    let third = run(certificate.connect(served.address(), &["h2"]));
    assert!(third.is_err());
    drop(silent);
    // Their places come back.
    let again = || run(certificate.connect(served.address(), &["h2"])).is_ok();
    while !again() {
        std::thread::yield_now();
    }
}

#[test]
fn a_host_that_stops_answers_what_is_under_way_and_waits_for_no_handshake() {
    let certificate = Certificate::new();
    let served = certificate
        .host()
        .host("server.header_timeout_ms = 3600000")
        .host("server.idle_timeout_ms = 3600000")
        .host("server.shutdown_timeout_ms = 3600000")
        .threads(1)
        .start();
    let address = served.address();
    let _silent = TcpStream::connect(address).unwrap();
    let mut begun = TcpStream::connect(address).unwrap();
    begun.write_all(&BEGUN).unwrap();
    run(async {
        let mut streams = Vec::new();
        for path in ["/sleep?500", "/hello"] {
            let mut stream = certificate.connect(address, &[]).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            streams.push(stream);
        }
        // The second has its answer, and with it the first is under way.
        let mut answer = [0; 12];
        streams[1].read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        served.running().stop();
        let mut answer = String::new();
        // To the end, and the end is said: one that is cut is an error.
        streams[0].read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("slept"), "{answer}");
        streams[1].read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
    });
    served.stop();
}

#[test]
fn a_client_that_takes_nothing_is_cut() {
    let certificate = Certificate::new();
    let served = certificate
        .host()
        .host("server.write_timeout_ms = 300")
        .with("tool.signet.response_timeout_ms = 3600000")
        .with("tool.signet.max_response_body_bytes = 1000000000000")
        .start();
    run(async {
        let mut stream = certificate.connect(served.address(), &[]).await.unwrap();
        let request = b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        // What was on its way by then has an end.
        let ended = stream.read_to_end(&mut Vec::new()).await;
        assert!(ended.is_err(), "the body looks complete");
    });
}

/// What `signet serve` says that cannot use these files, which is the input's fault.
fn refused(cert: &Path, key: &Path) -> String {
    let mut command = signet();
    command.arg("serve").arg(fixture("fixture-guest-p2"));
    command.args(["--addr", "127.0.0.1:0"]);
    command
        .arg("--tls-cert")
        .arg(cert)
        .arg("--tls-key")
        .arg(key);
    let folder = tempfile::tempdir().unwrap();
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_certificate_that_cannot_be_served_is_refused_with_its_cure() {
    let (one, other) = (Certificate::new(), Certificate::new());
    let (cert, key) = (one.file("cert.pem"), one.file("key.pem"));
    for (cert, key, part) in [
        (one.file("none.pem"), key.clone(), "correct the path"),
        (cert.clone(), one.file("none.pem"), "correct the path"),
        (key.clone(), key.clone(), "has no certificate in it"),
        (cert.clone(), cert.clone(), "has no private key in it"),
        (
            cert,
            other.file("key.pem"),
            "give the key that the certificate was made for",
        ),
    ] {
        let said = refused(&cert, &key);
        assert!(said.contains(part), "{said}");
    }
    let mut command = signet();
    command.args(["run", "--tls-cert", "cert.pem"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_key_that_everybody_may_read_is_a_warning() {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.file("cert.pem"), certificate.file("key.pem"));
    let arguments = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut process = Process::start(&arguments, &[]);
        assert_eq!(certificate.get(process.address, "/hello"), "hello");
        process.signal("TERM");
        assert_eq!(process.end(), Some(0));
        let log = process.log();
        assert_eq!(log.contains("may read the private key"), warned, "{log}");
    }
}

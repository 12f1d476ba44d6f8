//! The host as a process: signals, and what it takes from the system around it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use crate::support::{Process, get};

#[test]
fn a_signal_drains_and_ends_the_host_with_exit_code_0() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&["--threads", "1"], &[]);
        let mut stream = TcpStream::connect(process.address).unwrap();
        stream
            .write_all(b"GET /sleep?500 HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        // With one thread, an answer to a later request shows that the first one was taken.
        get(process.address, "/hello");
        process.signal(signal);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("slept"),
            "{answer}"
        );
        assert_eq!(process.end(), Some(0));
        assert!(TcpStream::connect(process.address).is_err());
    }
}

#[test]
#[cfg(not(feature = "failpoints"))]
fn a_usual_build_has_no_trace_of_where_one_for_torture_falls() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_signet")).unwrap();
    let has = |word: &str| {
        program
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
    };
    assert!(has("SIGNET_CACHE_DIR"), "its words are not found at all");
    for word in [
        "SIGNET_FAILPOINT",
        "SIGNET_CLOCK_AHEAD_MS",
        "settle-committed",
    ] {
        assert!(!has(word), "{word}");
    }
}

/// A server on TLS that answers 204 and speaks HTTP/2 only.
fn tls_server() -> (SocketAddr, String, tokio::sync::oneshot::Sender<()>) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = certified.cert.pem();
    let key = tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer::from(
        certified.signing_key.serialize_der(),
    );
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let serve = async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate ends the handshake.
                let Ok(stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let io = hyper_util::rt::TokioIo::new(stream);
                let service = hyper::service::service_fn(async |_| {
                    let response = http::Response::builder().status(204);
                    response.body(http_body_util::Empty::<bytes::Bytes>::new())
                });
                let executor = hyper_util::rt::TokioExecutor::new();
                tokio::spawn(
                    hyper::server::conn::http2::Builder::new(executor)
                        .serve_connection(io, service),
                );
            }
        };
        runtime.block_on(async {
            tokio::select! { () = serve => {}, _ = ended => {} }
        });
    });
    (address, pem, end)
}

#[test]
fn https_is_reached_over_http_2_with_the_platforms_roots_and_refused_without() {
    let (address, pem, _end) = tls_server();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, pem).unwrap();
    let url = format!("https://localhost:{}/", address.port());
    let granted = ["--allow-host", url.as_str()];
    let fetch = |environment: &[(&str, &Path)]| {
        let process = Process::start(&granted, environment);
        get(process.address, &format!("/fetch?{url}")).body
    };
    assert_eq!(fetch(&[("SSL_CERT_FILE", &roots)]), "status 204");
    assert_eq!(fetch(&[]), "ErrorCode::TlsCertificateError");
}

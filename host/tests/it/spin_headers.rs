//! What a guest made for Spin reads of its request's route, and that no client can say it in the host's place.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::support::{Host, Served, fixture, request};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

/// All values of a header as the guest sees them.
fn seen(host: &Served, path: &str, name: &str, sent: &[(&str, &str)]) -> String {
    let answer = request(host.address(), "GET", &format!("{path}?{name}"), sent, b"");
    assert_eq!(answer.status, 200, "{path}");
    answer.body
}

#[test]
fn a_guest_reads_its_route_base_and_parameters() {
    let host = guest()
        .and("[application.trigger.http]\nbase = \"/base\"")
        .and("[[trigger.http]]\nroute = \"/users/:id/...\"\ncomponent = \"guest\"")
        .start();
    let path = "/base/users/a%20b/more/header";
    let full = format!("http://{}{path}?spin-full-url", host.address());
    for (name, expected) in [
        ("spin-path-info", "/more/header"),
        ("spin-full-url", &full),
        ("spin-matched-route", "/base/users/:id/..."),
        ("spin-base-path", "/base"),
        ("spin-raw-component-route", "/users/:id/..."),
        ("spin-component-route", "/users/:id"),
        ("spin-path-match-id", "a%20b"),
    ] {
        assert_eq!(seen(&host, path, name, &[]), expected, "{name}");
    }
    let client = seen(&host, path, "spin-client-addr", &[]);
    assert!(client.starts_with("127.0.0.1:"), "{client}");
    assert_eq!(
        seen(&host, "/base/header", "spin-path-info", &[]),
        "/header"
    );
    assert_eq!(seen(&host, "/base/header", "spin-path-match-id", &[]), "");
}

/// What a client may wish that the guest believed.
const FORGED: [(&str, &str); 9] = [
    ("spin-path-info", "forged"),
    ("spin-full-url", "forged"),
    ("spin-matched-route", "forged"),
    ("spin-base-path", "forged"),
    ("spin-raw-component-route", "forged"),
    ("spin-component-route", "forged"),
    ("spin-client-addr", "forged"),
    ("spin-path-match-id", "forged"),
    ("spin_client_addr", "forged"),
];

#[test]
fn a_client_cannot_forge_what_the_host_tells() {
    let host = guest().start();
    for (name, _) in FORGED {
        let said = seen(&host, "/header", name, &FORGED);
        assert!(!said.contains("forged"), "{name}: {said}");
    }
    let mine = [("spin-mine", "mine")];
    assert_eq!(seen(&host, "/header", "spin-mine", &mine), "mine");
}

#[test]
fn a_client_cannot_forge_it_over_http_2_either() {
    let host = guest().start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(host.address()).await;
        let stream = TokioIo::new(stream.unwrap());
        let shake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
        let (mut sender, connection) = shake.await.unwrap();
        tokio::spawn(connection);
        for (asked, _) in FORGED {
            let url = format!("http://{}/header?{asked}", host.address());
            let mut request = http::Request::get(url);
            for (name, value) in FORGED {
                request = request.header(name, value).header(name, value);
            }
            let request = request.body(Full::<Bytes>::default()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200);
            let said = response.into_body().collect().await.unwrap().to_bytes();
            let said = String::from_utf8_lossy(&said);
            assert!(!said.contains("forged"), "{asked}: {said}");
        }
    });
}

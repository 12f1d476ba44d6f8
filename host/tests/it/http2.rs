//! Clients that speak HTTP/2, well and badly.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;

use crate::support::{Host, fixture};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// A client, and how its connection ends.
async fn connect(
    address: SocketAddr,
) -> (
    SendRequest<Bytes>,
    tokio::task::JoinHandle<Result<(), h2::Error>>,
) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // One stream that is not read must not use up the room of the others: that would be the client's doing.
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(16 << 10)
        .initial_connection_window_size(1 << 20)
        .handshake(stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    // After the first answer, the client knows the host's settings.
    let mut first = client.clone().ready().await.unwrap();
    let (answer, _) = first.send_request(ask(address, "/hello"), true).unwrap();
    assert_eq!(body(answer).await.unwrap(), (200, "hello".to_owned()));
    (client, connection)
}

fn ask(address: SocketAddr, path: &str) -> http::Request<()> {
    let request = http::Request::get(format!("http://{address}{path}"));
    request.body(()).unwrap()
}

async fn body(response: h2::client::ResponseFuture) -> Result<(u16, String), h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let mut text = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        text.extend_from_slice(&piece);
    }
    Ok((
        head.status.as_u16(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[test]
fn a_connection_has_no_more_requests_at_once_than_its_limit() {
    let most = |limit: &str| -> usize {
        let host = guest().host(limit).threads(1).start();
        run(async {
            let (client, _connection) = connect(host.address()).await;
            let mut asked = Vec::new();
            for _ in 0..12 {
                let mut client = client.clone().ready().await.unwrap();
                let request = ask(host.address(), "/together?50");
                asked.push(tokio::spawn(body(
                    client.send_request(request, true).unwrap().0,
                )));
            }
            let mut most = 0;
            for answer in asked {
                most = most.max(answer.await.unwrap().unwrap().1.parse().unwrap());
            }
            most
        })
    };
    assert!(most("server.max_h2_streams = 2") <= 2);
    assert!(most("server.max_h2_streams = 12") > 2);
}

#[test]
fn streams_that_are_opened_and_reset_at_once_end_their_connection_alone() {
    let host = guest().start();
    let address = host.address();
    run(async {
        let (client, connection) = connect(address).await;
        let mut resets = 0;
        while resets < 100_000
            && let Ok(mut client) = client.clone().ready().await
            && let Ok((response, mut stream)) =
                client.send_request(ask(address, "/sleep?60000"), false)
        {
            stream.send_reset(h2::Reason::CANCEL);
            drop(response);
            resets += 1;
            tokio::task::yield_now().await;
        }
        assert!(resets < 100_000, "the host never had enough");
        assert!(connection.await.unwrap().is_err());
        let (mut client, _connection) = connect(address).await;
        let (answer, _) = client.send_request(ask(address, "/hello"), true).unwrap();
        assert_eq!(body(answer).await.unwrap(), (200, "hello".to_owned()));
    });
}

#[test]
fn a_stream_whose_client_takes_nothing_is_reset_and_its_neighbours_are_not() {
    let host = guest()
        .host("server.write_timeout_ms = 300")
        .with("tool.signet.response_timeout_ms = 3600000")
        .start();
    run(async {
        let (client, _connection) = connect(host.address()).await;
        let mut one = client.clone().ready().await.unwrap();
        let (answer, _) = one
            .send_request(ask(host.address(), "/endless"), true)
            .unwrap();
        let mut mute = answer.await.unwrap().into_body();
        // What was sent is taken, and no room for more is given.
        let ended = loop {
            match mute.data().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("the body looks complete"),
            }
        };
        assert!(ended.is_reset(), "{ended}");
        let mut two = client.clone().ready().await.unwrap();
        let (answer, _) = two
            .send_request(ask(host.address(), "/hello"), true)
            .unwrap();
        assert_eq!(body(answer).await.unwrap(), (200, "hello".to_owned()));
    });
}

#[test]
fn a_head_over_its_bounds_is_refused() {
    let host = guest().host("server.max_header_bytes = 10000").start();
    run(async {
        let (client, _connection) = connect(host.address()).await;
        let mut request = ask(host.address(), "/hello");
        let large = "x".repeat(12_000).parse().unwrap();
        request.headers_mut().insert("x-large", large);
        let mut one = client.clone().ready().await.unwrap();
        let (answer, _) = one.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 431);
        let mut two = client.clone().ready().await.unwrap();
        let (answer, _) = two
            .send_request(ask(host.address(), "/hello"), true)
            .unwrap();
        assert_eq!(body(answer).await.unwrap(), (200, "hello".to_owned()));
    });
}

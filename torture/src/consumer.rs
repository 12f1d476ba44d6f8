//! A consumer: a server with a mood. Comes in: handshakes, deliveries, and how to behave; goes out: entries in the
//! ledger, with the signature checked before anything else, and whatever answer its mood wants. Keeps its port while
//! nobody listens on it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::apps::TIMEOUT_MS;
use crate::ledger::{Answer, Arrival, Ledger};
use crate::mood::Mood;
use crate::signature;

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// How many bytes the longest answer has: more than a host keeps of it.
const HUGE: usize = 64 << 20;

/// A consumer, for one registration.
pub(crate) struct Consumer {
    /// Its place among all.
    lane: usize,
    /// Where it listens.
    address: SocketAddr,
    mood: watch::Sender<Mood>,
    /// The key of the registration, once that is known.
    key: Mutex<String>,
    ledger: Arc<Ledger>,
}

impl Consumer {
    /// Starts it, in a good mood, on a port of its own.
    pub(crate) fn start(lane: usize, ledger: Arc<Ledger>) -> Result<Arc<Self>> {
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = socket
            .local_addr()?
            .as_socket()
            .context("an IPv4 address")?;
        let consumer = Arc::new(Self {
            lane,
            address,
            mood: watch::Sender::new(Mood::Good),
            key: Mutex::default(),
            ledger,
        });
        tokio::spawn(Arc::clone(&consumer).keep(socket));
        Ok(consumer)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it behaves from now on. What it holds in silence is let go.
    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// The key of its registration is this.
    pub(crate) fn learn(&self, key: &str) {
        key.clone_into(&mut self.key.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The key that it has.
    pub(crate) fn key(&self) -> String {
        self.key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Listens, unless it is gone; a port that nobody listens on is kept, and refuses.
    async fn keep(self: Arc<Self>, first: Socket) {
        let mut mood = self.mood.subscribe();
        let mut socket = Some(first);
        loop {
            let here = match socket.take() {
                Some(socket) => socket,
                None => match bound(self.address) {
                    Ok(socket) => socket,
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        continue;
                    }
                },
            };
            if mood.wait_for(|mood| *mood != Mood::Gone).await.is_err() {
                return;
            }
            let Ok(listener) = listening(here) else {
                continue;
            };
            let gone = async { drop(mood.wait_for(|mood| *mood == Mood::Gone).await) };
            let mut gone = pin!(gone);
            loop {
                tokio::select! {
                    () = &mut gone => break,
                    taken = listener.accept() => {
                        if let Ok((stream, _)) = taken {
                            tokio::spawn(Arc::clone(&self).serve(stream));
                        }
                    }
                }
            }
        }
    }

    /// Serves a connection until it ends, or there is nobody any more.
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut mood = self.mood.subscribe();
        // Whoever is reset learns it by a reset.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        let service = service_fn(|request| Arc::clone(&self).answer(request));
        let connection = hyper::server::conn::http1::Builder::new();
        let connection = connection.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            _ = connection => {}
            _ = mood.wait_for(|mood| *mood == Mood::Gone) => {}
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Reset)?.to_bytes();
        if head.uri.query() == Some("handshake=true") {
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            self.learn(json["keyData"].as_str().unwrap_or_default());
            return Ok(short(StatusCode::OK));
        }
        if head.uri.path() != "/hook" {
            let what = format!("lane {} was asked for {}", self.lane, head.uri);
            self.ledger.wrong(what);
        }
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = head
            .headers
            .get("webhook-id")
            .and_then(|id| id.to_str().ok());
        let id = id.unwrap_or_default().to_owned();
        let content = || match crate::poster::is_whole(&json) {
            true => Ok(()),
            false => Err("body is not what was posted".to_owned()),
        };
        let checked = signature::check(&self.key(), &head.headers, &body);
        let place = self.ledger.arrived(Arrival {
            lane: self.lane,
            number: json["data"]["number"].as_u64(),
            id: id.clone(),
            at: self.ledger.now(),
            answer: None,
            wrong: checked.and_then(|()| content()).err(),
        });
        let said = |answer| self.ledger.answered(place, &id, answer);
        let mood = self.mood.borrow().now();
        match mood {
            Mood::Good | Mood::Flapping => {}
            Mood::Slow => tokio::time::sleep(Duration::from_millis(fastrand::u64(20..300))).await,
            Mood::Wrong => {
                said(Answer::Bad);
                let statuses = [400, 404, 408, 429, 500, 502, 503];
                let status = statuses[fastrand::usize(..statuses.len())];
                return Ok(short(StatusCode::from_u16(status).unwrap_or_default()));
            }
            Mood::Huge => {
                said(Answer::Unclear);
                return Ok(Response::new(huge()));
            }
            Mood::Silent => {
                if fastrand::u8(..8) == 0 {
                    // For longer than any attempt, whatever the others do by then.
                    tokio::time::sleep(Duration::from_millis(2 * TIMEOUT_MS)).await;
                }
                let mut mood = self.mood.subscribe();
                let _ = mood.wait_for(|mood| *mood != Mood::Silent).await;
                said(Answer::Bad);
                return Err(Reset);
            }
            Mood::Reset | Mood::Gone => {
                said(Answer::Bad);
                return Err(Reset);
            }
            Mood::Redirect => {
                said(Answer::Bad);
                let mut response = short(StatusCode::TEMPORARY_REDIRECT);
                let elsewhere = format!("http://{}/elsewhere", self.address);
                if let Ok(elsewhere) = elsewhere.parse() {
                    response.headers_mut().insert("location", elsewhere);
                }
                return Ok(response);
            }
        }
        said(Answer::Good);
        let statuses = [200, 200, 201, 202, 204];
        let status = statuses[fastrand::usize(..statuses.len())];
        Ok(short(StatusCode::from_u16(status).unwrap_or_default()))
    }
}

/// The connection ends here.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection is reset")
    }
}

impl std::error::Error for Reset {}

fn short(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(StreamBody::new(stream::empty().boxed()));
    *response.status_mut() = status;
    response
}

fn huge() -> Body {
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    let chunks = stream::iter(0..HUGE / chunk.len()).map(move |_| Ok(Frame::data(chunk.clone())));
    StreamBody::new(chunks.boxed())
}

/// A socket that has a port, and nobody listens on it.
fn bound(address: SocketAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listening(socket: Socket) -> Result<TcpListener> {
    socket.listen(128)?;
    Ok(TcpListener::from_std(socket.into())?)
}

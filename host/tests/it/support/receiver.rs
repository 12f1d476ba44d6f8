//! A receiver of webhooks that answers what it is told to and remembers what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

/// One request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) uri: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// How a receiver answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// With this status.
    Answers(u16),
    /// Never on this path; with 200 on all others.
    SilentOn(&'static str),
    /// Not before it is told another manner.
    WhenTold,
}

/// A receiver on a free port of 127.0.0.1; it ends with the test.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    manner: watch::Sender<Manner>,
    _end: tokio::sync::oneshot::Sender<()>,
}

impl Receiver {
    pub(crate) fn answers(status: u16) -> Self {
        Self::start(Manner::Answers(status))
    }

    /// From now on answers otherwise.
    pub(crate) fn now(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn start(manner: Manner) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let manner = watch::Sender::new(manner);
        let (end, ended) = tokio::sync::oneshot::channel();
        let (log, how) = (Arc::clone(&received), manner.subscribe());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! { () = accept(listener, log, how) => {}, _ = ended => {} }
            });
        });
        Self {
            address,
            received,
            manner,
            _end: end,
        }
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    log: Arc<Mutex<Vec<Received>>>,
    how: watch::Receiver<Manner>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (log, how) = (Arc::clone(&log), how.clone());
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let (log, mut how) = (Arc::clone(&log), how.clone());
            async move {
                let (parts, body) = request.into_parts();
                let path = parts.uri.path().to_owned();
                let body = body.collect().await.unwrap().to_bytes().to_vec();
                log.lock().unwrap().push(Received {
                    uri: parts.uri.to_string(),
                    headers: parts.headers,
                    body,
                });
                let told = how.wait_for(|manner| !matches!(manner, Manner::WhenTold));
                // Whoever could tell is gone with the test.
                let manner = told.await.map_or(Manner::Answers(200), |manner| *manner);
                let path = path.as_str();
                match manner {
                    Manner::Answers(status) => {
                        let mut response = http::Response::new(Full::new(Bytes::new()));
                        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                        Ok::<_, Infallible>(response)
                    }
                    Manner::SilentOn(silent) if path == silent => std::future::pending().await,
                    Manner::SilentOn(_) | Manner::WhenTold => {
                        Ok(http::Response::new(Full::new(Bytes::new())))
                    }
                }
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

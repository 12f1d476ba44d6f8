//! The reference: the same answers from native code, the simplest honest way of writing it with hyper. Comes in:
//! an address and what to do; goes out: answers, from one current-thread runtime for each CPU, each with a
//! listener of its own. It knows nothing of WebAssembly, and it is not tuned beyond what anyone would do.

mod fire;
pub(crate) mod receiver;
pub(crate) mod verify;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// What to serve, and where.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// What to do with a request.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// The key of `verify` and `fire`.
    #[arg(long, default_value = "secret", value_name = "S")]
    secret: String,
    /// Whom `fire` calls.
    #[arg(long, value_name = "ADDR", required_if_eq("mode", "fire"))]
    sink: Option<SocketAddr>,
    /// How often `fire` calls it.
    #[arg(long, default_value_t = 1, value_name = "N")]
    consumers: usize,
    /// `fire` makes a connection for each call.
    #[arg(long)]
    unpooled: bool,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// Say hello.
    #[default]
    Hello,
    /// Answer 200 where `X-Signature` is the tag of the body, else 401.
    Verify,
    /// Sign a payload for each consumer and send it there.
    Fire,
    /// Take everything; what begins with `/close` ends its connection, and `/served` says how much was taken.
    Sink,
    /// Take signed events, keep how long each was under way and say it at `POST /taken`; what begins with `/silent` is
    /// never answered.
    Receiver,
}

/// Where a sink says how many requests it has taken.
pub(crate) const SERVED: &str = "/served";

/// Serves until the process is stopped.
pub(crate) fn serve(arguments: &Arguments) -> Result<()> {
    let count = std::thread::available_parallelism()?.get();
    let shared = Shared::default();
    let mut threads = Vec::new();
    for _ in 0..count {
        let listener = listener(arguments.listen)?;
        let (arguments, shared) = (arguments.clone(), shared.clone());
        threads.push(std::thread::spawn(move || {
            thread(listener, arguments, shared)
        }));
    }
    for thread in threads {
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("a thread that serves has ended"))??;
    }
    Ok(())
}

/// A listener that shares its address with those of the other threads.
fn listener(address: SocketAddr) -> Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

fn thread(listener: std::net::TcpListener, arguments: Arguments, shared: Shared) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    let worker = Rc::new(Worker {
        fire: fire::Fire::new(&arguments),
        arguments,
        shared,
    });
    local.block_on(&runtime, async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let worker = Rc::clone(&worker);
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| worker.answer(request));
                let connection = http1::Builder::new();
                // A client that goes away is no failure of ours.
                let _ = connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

/// What all threads know.
#[derive(Debug, Clone, Default)]
struct Shared {
    served: Arc<AtomicU64>,
    receiver: Arc<receiver::Receiver>,
}

/// What a thread serves with.
struct Worker {
    arguments: Arguments,
    fire: fire::Fire,
    shared: Shared,
}

impl Worker {
    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(match self.arguments.mode {
            Mode::Hello => Response::new(Full::new(Bytes::from_static(b"Hello, world!\n"))),
            Mode::Verify => verify::answer(request, self.arguments.secret.as_bytes()).await,
            Mode::Fire => self.fire.answer().await,
            Mode::Sink => self.sink(request).await,
            Mode::Receiver => self.shared.receiver.answer(request).await,
        })
    }

    async fn sink(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if path == SERVED {
            let served = self.shared.served.load(Ordering::Relaxed).to_string();
            return Response::new(Full::new(Bytes::from(served)));
        }
        let close = path.starts_with("/close");
        if request.into_body().collect().await.is_err() {
            return status(StatusCode::BAD_REQUEST);
        }
        self.shared.served.fetch_add(1, Ordering::Relaxed);
        let mut response = status(StatusCode::OK);
        if close {
            let value = http::HeaderValue::from_static("close");
            response
                .headers_mut()
                .insert(http::header::CONNECTION, value);
        }
        response
    }
}

/// A response without a body.
fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

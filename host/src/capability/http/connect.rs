//! Connections for the client's pool. Comes in: a destination that was granted; goes out: a connection to
//! an address that `net` checked, with TLS where the scheme says so, within one deadline. Never obeys a
//! proxy variable, never dials what the allow-list does not reach.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::task::AtomicWaker;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::allow::{AllowedHosts, Verdict};
use super::{destination, port};
use crate::net::{DialError, Network, Reach, Resolve, dial};

/// A connection was not there in time.
#[derive(Debug, thiserror::Error)]
#[error("{host} did not accept a connection within {} ms", timeout.as_millis())]
pub(super) struct TooSlow {
    host: String,
    timeout: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Connects, TLS included, within a time.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<Dialer>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(dialer: Dialer, tls: rustls::ClientConfig, timeout: Duration) -> Self {
        let inner = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dialer);
        Self { inner, timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Line>;
    type Error = BoxError;
    type Future = Connecting<Self::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeout = self.timeout;
        let host = uri.host().unwrap_or_default().to_owned();
        // A connection may outlive the request that asked for it, so its deadline is its own.
        let connecting = tokio::time::timeout(timeout, self.inner.call(uri));
        Box::pin(async move {
            connecting
                .await
                .unwrap_or_else(|_| Err(TooSlow { host, timeout }.into()))
        })
    }
}

/// Connects to destinations that are granted, as far as the grant reaches.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) allowed: Arc<AllowedHosts>,
    pub(super) networks: Arc<[Network]>,
    pub(super) resolver: Arc<dyn Resolve>,
}

impl Service<Uri> for Dialer {
    type Response = Line;
    type Error = DialError;
    type Future = Connecting<Line, DialError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Whether the request may be sent at all was decided before it came here.
        let reach = Reach {
            named: destination(&self.allowed, &uri) == Some(Verdict::Named),
            networks: Arc::clone(&self.networks),
        };
        let resolver = Arc::clone(&self.resolver);
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let port = port(&uri).unwrap_or_default();
            let stream = dial(host, port, &reach, &*resolver).await?;
            Ok(Line {
                stream: TokioIo::new(stream),
                cut: Cut::default(),
            })
        })
    }
}

/// Ends a connection from outside, wherever it is.
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<(AtomicBool, AtomicWaker)>);

impl Cut {
    /// Makes the connection fail the next time it is looked at, which is at once.
    pub(super) fn now(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.wake();
    }

    /// An error once it was cut; before, the task of the connection is remembered.
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.0.1.register(cx.waker());
        if self.0.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

/// A TCP connection that can be cut.
pub(super) struct Line {
    stream: TokioIo<TcpStream>,
    cut: Cut,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.cut.clone())
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

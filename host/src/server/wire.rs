//! What a client's bytes go over: a TCP stream, or TLS on one. Comes in: an accepted stream; goes out: the
//! same, once its handshake is done. Never waits for a handshake longer than for a head.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::server::TlsStream;

use super::tls::Tls;

/// How long a handshake may go on when the host stops.
const LAST_CALL: Duration = Duration::from_secs(1);

/// The way to a client.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why there is no way to a client.
#[derive(Debug)]
pub(super) enum Failure {
    /// It speaks HTTP where TLS is spoken, and can be told.
    Plain(TcpStream),
    /// It is gone, speaks something else or took too long.
    Gone(io::Error),
}

impl Wire {
    /// Without TLS.
    pub(super) fn plain(stream: TcpStream) -> Self {
        no_delay(&stream);
        Self::Plain(stream)
    }

    /// Shakes hands, until `end` at the latest; when the host stops, soon.
    pub(super) async fn open(
        stream: TcpStream,
        tls: &Tls,
        end: Instant,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Self, Failure> {
        no_delay(&stream);
        let late = || Failure::Gone(io::ErrorKind::TimedOut.into());
        let told = async {
            // A dropped sender means that nobody is left to say stop: stop.
            let _ = stop.wait_for(|stop| *stop).await;
            sleep_until(Instant::now() + LAST_CALL).await;
        };
        tokio::select! {
            shaken = timeout_at(end, shake(stream, tls)) => shaken.unwrap_or_else(|_| Err(late())),
            () = told => Err(late()),
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// A small response must not wait for the client's delayed acknowledgement.
fn no_delay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

async fn shake(stream: TcpStream, tls: &Tls) -> Result<Wire, Failure> {
    let mut first = [0];
    stream.peek(&mut first).await.map_err(Failure::Gone)?;
    // A record of TLS begins with a small number, a request with its method.
    if first[0].is_ascii_uppercase() {
        return Err(Failure::Plain(stream));
    }
    let shaken = tls.0.accept(stream).await.map_err(Failure::Gone)?;
    Ok(Wire::Tls(Box::new(shaken)))
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

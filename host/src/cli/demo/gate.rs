//! The way to the demo's consumer, which can be shut: then nobody is reached behind it, as if the consumer were down.
//! Comes in: connections; goes out: their bytes, to the consumer and back. Never looks at them.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A gate on an address of its own. It ends with the runtime.
pub(super) struct Gate {
    open: watch::Sender<bool>,
}

impl Gate {
    /// Lets through to `consumer` whatever comes to the listener, until it is shut.
    pub(super) fn new(listener: TcpListener, consumer: SocketAddr) -> Self {
        let (open, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, consumer, state.clone()));
            }
        });
        Self { open }
    }

    /// Opens the gate, or shuts it; what is on its way through is cut off then.
    pub(super) fn set(&self, open: bool) {
        self.open.send_replace(open);
    }
}

async fn pass(mut stream: TcpStream, consumer: SocketAddr, mut open: watch::Receiver<bool>) {
    if !*open.borrow_and_update() {
        return;
    }
    let Ok(mut behind) = TcpStream::connect(consumer).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut stream, &mut behind) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

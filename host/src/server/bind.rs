//! Listeners, one for each thread on the same address, so that the kernel spreads connections over the
//! threads. Comes in: an address; goes out: bound listeners. Never shares a port with another process.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted.
pub(super) const BACKLOG: i32 = 1024;

/// An address that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error(
    "{address} cannot be listened on: {source}; choose another address with --listen or stop the process that has it"
)]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// `count` listeners on `address`. Port 0 means one free port for all of them.
pub fn listeners(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, BindError> {
    let failed = |source| BindError { address, source };
    // Two sockets may share a port only if both ask for it, and then two hosts could share one without
    // knowing. So the port is first taken alone.
    let alone = listener(address, false).map_err(failed)?;
    let address = alone.local_addr().map_err(failed)?;
    if count <= 1 {
        return Ok(vec![alone]);
    }
    drop(alone);
    (0..count)
        .map(|_| listener(address, true).map_err(failed))
        .collect()
}

fn listener(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for the connections of the last run to time out.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_and_named() {
        let any = "127.0.0.1:0".parse().unwrap();
        let first = listeners(any, 2).unwrap();
        let address = first.first().unwrap().local_addr().unwrap();
        let error = listeners(address, 2).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn all_listeners_have_one_port() {
        let bound = listeners("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        let ports: Vec<_> = bound
            .iter()
            .map(|l| l.local_addr().unwrap().port())
            .collect();
        assert!(ports.windows(2).all(|pair| pair[0] == pair[1]), "{ports:?}");
    }
}

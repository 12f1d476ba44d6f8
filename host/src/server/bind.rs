//! Listeners, one for each thread on the same address, so that the kernel spreads connections over the
//! threads. Comes in: an address; goes out: bound listeners. Never shares a port with another process.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted.
pub(super) const BACKLOG: i32 = 1024;

/// An address that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be listened on: {source}; {}", self.cure())]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

impl BindError {
    /// Whether the address is wrong on this machine, whoever asks and whatever else runs.
    pub fn is_wrong_address(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrNotAvailable
    }

    fn cure(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => {
                "choose another address with --listen or stop the process that has it"
            }
            io::ErrorKind::PermissionDenied => {
                "a port below 1024 is the system's: choose a higher one, or give the process \
                 CAP_NET_BIND_SERVICE"
            }
            io::ErrorKind::AddrNotAvailable => {
                "no interface of this machine has this address: 0.0.0.0 or [::] stands for all that it has"
            }
            _ => "choose another address with --listen",
        }
    }
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
    fn an_address_of_another_machine_is_refused_and_the_cure_named() {
        // Kept for documentation (RFC 5737): no machine has it.
        let error = listeners("192.0.2.1:0".parse().unwrap(), 1).unwrap_err();
        assert!(error.is_wrong_address());
        assert!(error.to_string().contains("no interface"), "{error}");
    }

    #[test]
    fn a_port_of_the_systems_is_named_as_such() {
        let error = BindError {
            address: "127.0.0.1:80".parse().unwrap(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert!(
            error.to_string().contains("CAP_NET_BIND_SERVICE"),
            "{error}"
        );
        assert!(!error.is_wrong_address());
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

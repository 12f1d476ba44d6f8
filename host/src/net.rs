//! The way out: resolve a name once, check every address it has, dial one that was checked. Comes in: host,
//! port, reach; goes out: a TCP stream. Never resolves a name twice for one connection, so that it cannot
//! change between check and dial, and never dials some addresses of a name that also has others.

mod address;
mod network;
mod resolve;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;

pub use address::{Class, class};
pub use network::{Network, NetworkError};
pub use resolve::{Addresses, Resolve, System};

/// How far a connection may go beyond the public internet.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The operator named this very host: its addresses may be local ones, and if it is an address, it may
    /// be any.
    pub named: bool,
    /// Networks that any name may lead into.
    pub networks: Arc<[Network]>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// An address in a spelling that hides which.
    #[error(
        "{host} ends in a number and is no address in its plain form: write it as four numbers, such as 127.0.0.1"
    )]
    Disguised {
        /// The host asked for.
        host: String,
    },
    /// The name has no address.
    #[error("{host} does not resolve: {source}")]
    Resolve {
        /// The name asked for.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The address is not public, and nobody allowed it.
    #[error("{host} is at {address}, which is {}", cure(*class))]
    Prohibited {
        /// The name asked for.
        host: String,
        /// The address it resolved to.
        address: IpAddr,
        /// What the address is for.
        class: Class,
    },
    /// The connection was refused or failed.
    #[error("{host} cannot be reached: {source}")]
    Connect {
        /// The name asked for.
        host: String,
        /// What the system said.
        source: io::Error,
    },
}

fn cure(class: Class) -> &'static str {
    match class {
        Class::Public | Class::Local => {
            "not a public address: name the host itself in allowed_outbound_hosts, or its network in allow_networks"
        }
        Class::Guarded => {
            "link-local or a cloud's metadata service: only that address or network itself, in allowed_outbound_hosts or allow_networks, permits it"
        }
        Class::Nowhere => {
            "not an address that answers requests: only its network in allow_networks permits it"
        }
    }
}

/// Opens a TCP connection to `host`:`port`; an IPv6 address may stand in brackets. Takes as long as the
/// resolver and the system do: whoever asks sets the deadline.
pub async fn dial(
    host: &str,
    port: u16,
    reach: &Reach,
    resolver: &dyn Resolve,
) -> Result<TcpStream, DialError> {
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let bare = bracketed.unwrap_or(host);
    let literal = bare.parse::<IpAddr>().ok();
    let addresses = match literal {
        Some(address) => vec![SocketAddr::new(address, port)],
        // The resolver would take these for addresses; nobody else can see which.
        None if ends_in_a_number(bare) => {
            return Err(DialError::Disguised {
                host: host.to_owned(),
            });
        }
        None => resolve(bare, port, resolver).await?,
    };
    // One address that is not allowed condemns the name: a mixed answer is what rebinding looks like.
    for address in &addresses {
        let address = address.ip();
        let class = class(address);
        let allowed = match class {
            Class::Public => true,
            Class::Local => reach.named,
            Class::Guarded | Class::Nowhere => reach.named && literal.is_some(),
        };
        if !allowed && !reach.networks.iter().any(|network| network.names(address)) {
            return Err(DialError::Prohibited {
                host: host.to_owned(),
                address,
                class,
            });
        }
    }
    connect_first(host, &addresses).await
}

/// Whether the last label of a name is a number in decimal, octal or hexadecimal: such a host is an IPv4
/// address or nothing (WHATWG URL, "ends in a number").
pub fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.chars().all(|c| c.is_ascii_digit()))
}

async fn resolve(
    host: &str,
    port: u16,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, DialError> {
    let failed = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let found = resolver.resolve(host, port).await.map_err(failed)?;
    if found.is_empty() {
        return Err(failed(io::Error::new(
            io::ErrorKind::NotFound,
            "no address",
        )));
    }
    Ok(found)
}

async fn connect_first(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, DialError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests must not wait for the peer's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(DialError::Connect {
        host: host.to_owned(),
        source: last,
    })
}

#[cfg(test)]
#[path = "net/tests/dial.rs"]
mod tests;

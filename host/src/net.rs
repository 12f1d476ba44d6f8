//! The way out: resolve a name once, refuse what is not a public address unless the operator named
//! it, dial the address that was checked. Comes in: host, port, reach; goes out: a TCP stream. Never
//! resolves the same name twice for one connection, so a name cannot change between check and dial.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

/// How far a connection may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only: the destination was allowed by a wildcard.
    PublicOnly,
    /// Any address: the operator named this very host or network.
    Anywhere,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("{host} does not resolve: {source}")]
    Resolve {
        /// The name asked for.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The address is not public, and the operator did not name the host.
    #[error(
        "{host} is at {address}, which is not a public address: name the host itself in allowed_outbound_hosts to permit it"
    )]
    Prohibited {
        /// The name asked for.
        host: String,
        /// The address it resolved to.
        address: IpAddr,
    },
    /// Nobody answered in time.
    #[error("{host} did not accept a connection within {} ms", timeout.as_millis())]
    Timeout {
        /// The name asked for.
        host: String,
        /// How long was waited.
        timeout: Duration,
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

/// Opens a TCP connection to `host`:`port` within `timeout`, name look-up included.
pub async fn dial(
    host: &str,
    port: u16,
    reach: Reach,
    timeout: Duration,
) -> Result<TcpStream, DialError> {
    let attempt = async {
        let addresses = resolve(host, port).await?;
        // One address that is not public condemns the name: a mixed answer is what rebinding looks
        // like.
        if reach == Reach::PublicOnly
            && let Some(bad) = addresses.iter().find(|a| !is_public(a.ip()))
        {
            return Err(DialError::Prohibited {
                host: host.to_owned(),
                address: bad.ip(),
            });
        }
        connect_first(host, &addresses).await
    };
    tokio::time::timeout(timeout, attempt)
        .await
        .unwrap_or_else(|_| {
            Err(DialError::Timeout {
                host: host.to_owned(),
                timeout,
            })
        })
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let failed = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let found: Vec<_> = tokio::net::lookup_host((bare, port))
        .await
        .map_err(failed)?
        .collect();
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

/// Whether an address belongs to the public internet (IANA's special-purpose registries, RFC 6890
/// and its updates). Addresses that carry an IPv4 address inside are judged by that one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(a: Ipv4Addr) -> bool {
    let [b0, b1, b2, _] = a.octets();
    !(b0 == 0
        || a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_broadcast()
        || a.is_documentation()
        || a.is_multicast()
        || b0 >= 240
        || (b0 == 100 && (64..128).contains(&b1)) // shared address space, RFC 6598
        || (b0 == 192 && b1 == 0 && b2 == 0) // protocol assignments
        || (b0 == 192 && b1 == 88 && b2 == 99) // 6to4 relays
        || (b0 == 198 && (b1 == 18 || b1 == 19))) // benchmarking
}

fn is_public_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    let embedded = |hi: u16, lo: u16| {
        let [a, b] = hi.to_be_bytes();
        let [c, d] = lo.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    if let Some(v4) = a.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    match s {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] => is_public_v4(embedded(hi, lo)),
        [0x2002, hi, lo, ..] => is_public_v4(embedded(hi, lo)),
        // Only 2000::/3 is global unicast; out of it: Teredo and protocol assignments, documentation.
        [first, second, ..] => {
            (first & 0xe000) == 0x2000
                && !(first == 0x2001 && second < 0x200)
                && !(first == 0x2001 && second == 0xdb8)
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for text in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(public(text), "{text}");
        }
    }

    #[tokio::test]
    async fn a_wildcard_does_not_reach_loopback() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let second = Duration::from_secs(1);
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let refused = dial(host, port, Reach::PublicOnly, second)
                .await
                .unwrap_err();
            assert!(matches!(refused, DialError::Prohibited { .. }), "{refused}");
        }
        assert!(
            dial("localhost", port, Reach::Anywhere, second)
                .await
                .is_ok()
        );
    }
}

//! What an address is for: one on the public internet, one of the operator's own machines, one that must be
//! named itself, or one that nobody dials. Comes in: an address; goes out: its class. Pure. Follows IANA's
//! registries of special-purpose addresses (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::network::Network;

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The public internet.
    Public,
    /// This machine, or a network of its operator: loopback, private, shared and unique-local addresses.
    Local,
    /// The link, where clouds keep the machine's credentials, and the places elsewhere where they do.
    Guarded,
    /// Nothing that answers a request: unspecified, multicast, documentation, benchmarks, reserved.
    Nowhere,
}

/// Link-local networks, and where clouds answer questions about the machine: 169.254.169.254 is in the
/// first; then Amazon's, Google's, Alibaba's and Azure's other places.
const GUARDED: [Network; 6] = [
    Network::v4(Ipv4Addr::new(169, 254, 0, 0), 16),
    Network::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    Network::v6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    Network::v6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0), 32),
    Network::v4(Ipv4Addr::new(100, 100, 100, 200), 32),
    Network::v4(Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Of IPv4, what is the operator's own. 100.64.0.0/10 is shared with the provider (RFC 6598).
const LOCAL_V4: [Network; 5] = [
    Network::v4(Ipv4Addr::new(127, 0, 0, 0), 8),
    Network::v4(Ipv4Addr::new(10, 0, 0, 0), 8),
    Network::v4(Ipv4Addr::new(172, 16, 0, 0), 12),
    Network::v4(Ipv4Addr::new(192, 168, 0, 0), 16),
    Network::v4(Ipv4Addr::new(100, 64, 0, 0), 10),
];

/// Of IPv4, what leads nowhere.
const NOWHERE_V4: [Network; 8] = [
    Network::v4(Ipv4Addr::new(0, 0, 0, 0), 8),
    Network::v4(Ipv4Addr::new(192, 0, 0, 0), 24), // protocol assignments
    Network::v4(Ipv4Addr::new(192, 0, 2, 0), 24), // documentation, and the next two
    Network::v4(Ipv4Addr::new(198, 51, 100, 0), 24),
    Network::v4(Ipv4Addr::new(203, 0, 113, 0), 24),
    Network::v4(Ipv4Addr::new(192, 88, 99, 0), 24), // relays of 6to4
    Network::v4(Ipv4Addr::new(198, 18, 0, 0), 15),  // benchmarks
    Network::v4(Ipv4Addr::new(224, 0, 0, 0), 3),    // multicast, reserved, broadcast
];

/// Of IPv6, what is the operator's own: loopback, unique-local, and site-local, which was that before.
const LOCAL_V6: [Network; 3] = [
    Network::v6(Ipv6Addr::LOCALHOST, 128),
    Network::v6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    Network::v6(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
];

/// Of what is global unicast by its first bits, what is not: Teredo and the other protocol assignments,
/// documentation.
const NOWHERE_V6: [Network; 3] = [
    Network::v6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Network::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Network::v6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: Network = Network::v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The class of an address. One that carries an IPv4 address inside is judged by that one.
pub fn class(address: IpAddr) -> Class {
    let address = match address {
        IpAddr::V6(v6) => carried(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let within = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
    if within(&GUARDED) {
        return Class::Guarded;
    }
    if within(&LOCAL_V4) || within(&LOCAL_V6) {
        return Class::Local;
    }
    let public = match address {
        IpAddr::V4(_) => !within(&NOWHERE_V4),
        IpAddr::V6(_) => GLOBAL_UNICAST.contains(address) && !within(&NOWHERE_V6),
    };
    if public {
        Class::Public
    } else {
        Class::Nowhere
    }
}

/// The IPv4 address that answers in place of this one: mapped (RFC 4291), through NAT64 (RFC 6052) or
/// 6to4 (RFC 3056). The prefix that RFC 8215 leaves to each network's own NAT64 is not public whatever
/// it carries; what Teredo and the compatible form carry is no longer delivered by anyone.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

/// The guarded network that an address is in.
pub(super) fn guarded_network(address: IpAddr) -> Option<Network> {
    GUARDED
        .into_iter()
        .find(|network| network.contains(address))
}

#[cfg(test)]
#[path = "tests/address.rs"]
mod tests;

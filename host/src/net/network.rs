//! A network: an address and how many of its bits all others share with it. Comes in: `10.0.0.0/8`; goes
//! out: which addresses it holds, and which of them it may be said to name. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::address::{Class, class, guarded_network};

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No address before the slash.
    #[error("has no address: write an IP address, or a network such as `10.0.0.0/8`")]
    Address,
    /// A prefix that is not a number, or longer than the address.
    #[error("has a prefix that does not fit its address: write `10.0.0.0/8`")]
    Prefix,
}

impl Network {
    /// The network of the first `prefix` bits of `base`; none if the address has fewer.
    pub fn new(base: IpAddr, prefix: u8) -> Option<Self> {
        (u32::from(prefix) <= bits(base).1).then_some(Self { base, prefix })
    }

    pub(super) const fn v4(base: Ipv4Addr, prefix: u8) -> Self {
        Self {
            base: IpAddr::V4(base),
            prefix,
        }
    }

    pub(super) const fn v6(base: Ipv6Addr, prefix: u8) -> Self {
        Self {
            base: IpAddr::V6(base),
            prefix,
        }
    }

    /// Whether it holds all addresses of its kind, and so names none.
    pub fn is_everything(self) -> bool {
        self.prefix == 0
    }

    /// Whether `address` is in it. An IPv4 address in IPv6 form is that IPv4 address.
    pub fn contains(self, address: IpAddr) -> bool {
        let ((base, length), (address, other)) = (bits(self.base), bits(address.to_canonical()));
        let host_bits = length.saturating_sub(u32::from(self.prefix));
        // A shift by all 128 bits leaves nothing, which is what prefix 0 means.
        let network = |number: u128| number.checked_shr(host_bits).unwrap_or(0);
        length == other && network(base) == network(address)
    }

    /// Whether to name this network is to name `address`. A network of everything names nothing; what is
    /// guarded is named by itself, or by a network that lies wholly within the guarded one.
    pub fn names(self, address: IpAddr) -> bool {
        if self.is_everything() || !self.contains(address) {
            return false;
        }
        let single = u32::from(self.prefix) == bits(self.base).1;
        let within = |guarded: Network| guarded.prefix <= self.prefix;
        single
            || class(address) != Class::Guarded
            || guarded_network(address.to_canonical()).is_some_and(within)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// An address, or an address and a prefix.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = base.parse().map_err(|_| NetworkError::Address)?;
        let base = written.to_canonical();
        let prefix = match prefix {
            Some(prefix) if base == written => prefix.parse().map_err(|_| NetworkError::Prefix)?,
            // The bits of a mapped address are counted in another form than they are compared.
            Some(_) => return Err(NetworkError::Prefix),
            None if base.is_ipv4() => 32,
            None => 128,
        };
        Self::new(base, prefix).ok_or(NetworkError::Prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// The address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

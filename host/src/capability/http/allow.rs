//! Which destinations a component may reach: the grammar of `allowed_outbound_hosts`, which is Spin's,
//! and the verdict on one destination. Comes in: entries `scheme://host[:port]`, then schemes, hosts
//! and ports; goes out: denied, or allowed and how far. Pure: never resolves a name, so whoever dials
//! a host that only a wildcard allows must still look at its address.

mod grammar;

use core::net::{IpAddr, Ipv6Addr};

use crate::net::Network;
pub use grammar::{AllowError, Problem};

/// What one component may reach. Nothing, unless an entry says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    text: String,
    /// Lower case; none means any.
    scheme: Option<String>,
    host: Host,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// All names that end in this, which starts with a dot.
    Below(String),
    Name(String),
    Address(IpAddr),
    Network(Network),
    /// The app itself: `self`.
    Own,
    /// A component of the app, `NAME.spin.internal`, or any of them.
    Inside(Option<String>),
}

/// Where a request leads that does not leave its app: Spin's service chaining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// Whoever answers the path in the app: `self`, or `self.alt`, which is for libraries that take no
    /// name without a dot.
    App,
    /// The component of this name, in lower case: `NAME.spin.internal`.
    Component(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    Any,
    /// From the first up to, and without, the second.
    Range(u32, u32),
}

/// What the entries say about one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No entry allows it.
    Denied,
    /// A wildcard allows it: the address must still be a public one.
    Public,
    /// This very host or network was named: its address may be private.
    Named,
}

impl AllowedHosts {
    /// Reads all entries, or says what is wrong with each that cannot be read.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<AllowError>> {
        let (mut read, mut errors) = (Vec::new(), Vec::new());
        for text in entries {
            match Entry::parse(text) {
                Ok(entry) => read.push(entry),
                Err(problem) => errors.push(AllowError {
                    entry: text.to_owned(),
                    problem,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Self(read))
        } else {
            Err(errors)
        }
    }

    /// The verdict on a destination. Of two entries that allow it, the one that reaches further counts.
    /// `host` is a name or an address, IPv6 with or without brackets.
    pub fn check(&self, scheme: &str, host: &str, port: u16) -> Verdict {
        let host = Destination::new(host);
        self.0
            .iter()
            .map(|entry| entry.verdict(scheme, &host, port))
            .max()
            .unwrap_or(Verdict::Denied)
    }

    /// The components of the app that entries name.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match &entry.host {
            Host::Inside(name) => name.as_deref(),
            _ => None,
        })
    }
}

impl Within {
    /// What the name leads to, if it leads back into the app.
    pub fn of(host: &str) -> Option<Self> {
        match Destination::new(host) {
            Destination::Within(within) => Some(within),
            Destination::Name(_) | Destination::Address(_) => None,
        }
    }
}

impl Entry {
    fn verdict(&self, scheme: &str, host: &Destination, port: u16) -> Verdict {
        let scheme_is = |wanted: &str| {
            let scheme = self.scheme.as_ref();
            scheme.is_none_or(|have| have.eq_ignore_ascii_case(wanted))
        };
        let fits = match host {
            // The app has one door, however it is knocked at.
            Destination::Within(Within::App) => scheme_is("http") || scheme_is("https"),
            _ => scheme_is(scheme) && self.ports.contain(port),
        };
        if fits {
            self.host.verdict(host)
        } else {
            Verdict::Denied
        }
    }
}

impl Host {
    fn verdict(&self, destination: &Destination) -> Verdict {
        let when = |fits: bool, verdict| if fits { verdict } else { Verdict::Denied };
        match (self, destination) {
            // A wildcard is for what is outside, and for the app as the outside sees it.
            (Self::Any | Self::Own, Destination::Within(Within::App)) => Verdict::Named,
            (Self::Inside(have), Destination::Within(Within::Component(name))) => when(
                have.as_ref().is_none_or(|have| have == name),
                Verdict::Named,
            ),
            (_, Destination::Within(_)) => Verdict::Denied,
            (Self::Any, _) => Verdict::Public,
            (Self::Below(suffix), Destination::Name(name)) => {
                when(name.ends_with(suffix), Verdict::Public)
            }
            (Self::Name(have), Destination::Name(name)) => when(have == name, Verdict::Named),
            (Self::Address(have), Destination::Address(address)) => {
                when(have == address, Verdict::Named)
            }
            (Self::Network(network), Destination::Address(address)) => {
                // A network so wide that it names no address in particular is a wildcard for it.
                let verdict = if network.names(*address) {
                    Verdict::Named
                } else {
                    Verdict::Public
                };
                when(network.contains(*address), verdict)
            }
            (Self::Below(_) | Self::Name(_), Destination::Address(_))
            | (Self::Address(_) | Self::Network(_), Destination::Name(_))
            | (Self::Own | Self::Inside(_), _) => Verdict::Denied,
        }
    }
}

impl Ports {
    fn contain(self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(first, end) => (first..end).contains(&u32::from(port)),
        }
    }
}

/// A host as a request names it, in the form in which entries are kept.
enum Destination {
    Within(Within),
    Name(String),
    Address(IpAddr),
}

/// The domain of the app's components.
const INSIDE: &str = "spin.internal";

impl Destination {
    fn new(host: &str) -> Self {
        let lower = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match lower.as_str() {
            "self" | "self.alt" => return Self::Within(Within::App),
            name => {
                if let Some(component) = component(name) {
                    return Self::Within(Within::Component(component.to_owned()));
                }
            }
        }
        address(&lower).map_or(Self::Name(lower), Self::Address)
    }
}

/// The component that a name in lower case stands for, if it is one of the app's names: an empty one for
/// the domain itself.
fn component(name: &str) -> Option<&str> {
    let component = name.strip_suffix(INSIDE)?;
    match component.strip_suffix('.') {
        None if component.is_empty() => Some(component),
        component => component,
    }
}

/// An address, IPv6 with or without brackets. An IPv4 address in IPv6 form is that IPv4 address: it is
/// the same machine that answers.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok()?.into(),
        None => text.parse::<IpAddr>().ok()?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests;

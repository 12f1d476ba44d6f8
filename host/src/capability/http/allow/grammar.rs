//! How entries of `allowed_outbound_hosts` are written: text into an [`Entry`], or what is wrong with
//! the text. Spin's grammar, with one addition: an IPv6 address needs no port. Pure.

use super::{Entry, Host, Ports, address, component};
use crate::net::{Network, ends_in_a_number};

/// An entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allowed host `{entry}` {problem}")]
pub struct AllowError {
    /// The entry.
    pub entry: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No `://`.
    #[error("has no scheme: write scheme://host[:port], such as `https://example.com`")]
    NoScheme,
    /// A scheme that is neither letters nor a star.
    #[error("has a scheme that is not letters: write `http`, `https` or `*`")]
    Scheme,
    /// Something follows the host and the port.
    #[error("has a path or a query: an entry names a host, and all its paths are allowed")]
    Path,
    /// A user stands before the host.
    #[error("has a user name: an entry names a host only")]
    User,
    /// No host.
    #[error("has no host: write `*` for any")]
    NoHost,
    /// A star anywhere but as the first label.
    #[error(
        "has a star within its host: write `*` for any host or `*.example.com` for those below one"
    )]
    Star,
    /// A list in braces.
    #[error("has a list in braces: write one entry for each")]
    List,
    /// Not a name and not an address.
    #[error(
        "has a host that is neither a name nor an address: write names in ASCII, IPv6 in brackets"
    )]
    Host,
    /// A number that is no address in its plain form.
    #[error(
        "has a host that ends in a number and is no address: write it as four numbers, such as `127.0.0.1`"
    )]
    Number,
    /// The domain of the app's components, and no component's name.
    #[error(
        "names no component: write `http://NAME.spin.internal`, or `http://*.spin.internal` for any"
    )]
    Component,
    /// A prefix that is longer than the address, or not a number.
    #[error("has a network prefix that does not fit its address: write `10.0.0.0/8`")]
    Prefix,
    /// Not a port.
    #[error("has a port that is not a number from 1 to 65535, a range such as `8080..8090` or `*`")]
    Port,
    /// No port, and none is known for the scheme.
    #[error(
        "has no port, and its scheme has no port of its own: write `:PORT` or `:*` behind the host"
    )]
    NoPort,
}

impl Entry {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(Problem::NoScheme)?;
        let scheme = match scheme {
            "*" => None,
            list if list.starts_with('{') => return Err(Problem::List),
            name if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()) => {
                Some(name.to_ascii_lowercase())
            }
            _ => return Err(Problem::Scheme),
        };
        if rest.contains('@') {
            return Err(Problem::User);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest)?;
        let host = Host::parse(host)?;
        let ports = match port {
            Some(port) => Ports::parse(port)?,
            None => Ports::of_scheme(scheme.as_deref()).ok_or(Problem::NoPort)?,
        };
        Ok(Self {
            text: text.to_owned(),
            scheme,
            host,
            ports,
        })
    }
}

/// `host[:port]` into its two; a host is also `address/prefix`, and an IPv6 address has colons.
fn split_port(text: &str) -> Result<(&str, Option<&str>), Problem> {
    let (address, behind) = if let Some(bracketed) = text.strip_prefix('[') {
        let length = bracketed.find(']').ok_or(Problem::Host)?;
        text.split_at(length + 2)
    } else if let Some(slash) = text.find('/') {
        text.split_at(slash)
    } else {
        ("", text)
    };
    let Some((before, port)) = behind.split_once(':') else {
        return Ok((text, None));
    };
    if port.contains('/') {
        return Err(Problem::Path);
    }
    // More than one colon outside brackets: an IPv6 address, and no saying where it ends.
    if port.contains(':') {
        return Err(Problem::Host);
    }
    let host = text.get(..address.len() + before.len()).unwrap_or(text);
    Ok((host, Some(port)))
}

impl Host {
    fn parse(text: &str) -> Result<Self, Problem> {
        let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match lower.as_str() {
            "" => return Err(Problem::NoHost),
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Own),
            list if list.starts_with('{') => return Err(Problem::List),
            _ => {}
        }
        if let Some((address, prefix)) = lower.split_once('/') {
            return Self::network(address, prefix);
        }
        if let Some(address) = address(&lower) {
            return Ok(Self::Address(address));
        }
        let (below, name) = match lower.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, lower.as_str()),
        };
        if name.contains('*') {
            return Err(Problem::Star);
        }
        if name.contains(['?', '#', '\\']) {
            return Err(Problem::Path);
        }
        let label = |label: &str| !label.is_empty() && label.chars().all(is_name_character);
        if !name.split('.').all(label) {
            return Err(Problem::Host);
        }
        if ends_in_a_number(name) {
            return Err(Problem::Number);
        }
        if let Some(component) = component(name) {
            return match (below, component) {
                (true, "") => Ok(Self::Inside(None)),
                (false, name) if !name.is_empty() && !name.contains('.') => {
                    Ok(Self::Inside(Some(name.to_owned())))
                }
                _ => Err(Problem::Component),
            };
        }
        Ok(match below {
            true => Self::Below(format!(".{name}")),
            false => Self::Name(name.to_owned()),
        })
    }

    fn network(text: &str, prefix: &str) -> Result<Self, Problem> {
        let base = address(text).ok_or(Problem::Path)?;
        let prefix: u8 = prefix.parse().map_err(|_| Problem::Prefix)?;
        let network = Network::new(base, prefix).ok_or(Problem::Prefix)?;
        // A network of everything names nothing: it is a wildcard for addresses.
        Ok(Self::Network(network))
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

impl Ports {
    fn parse(text: &str) -> Result<Self, Problem> {
        let number = |text: &str| match text.parse::<u16>() {
            Ok(port) if port > 0 && text.starts_with(|c: char| c.is_ascii_digit()) => {
                Ok(u32::from(port))
            }
            _ => Err(Problem::Port),
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.starts_with('{') {
            return Err(Problem::List);
        }
        let (first, end) = match text.split_once("..") {
            Some((first, end)) => (number(first)?, number(end)?),
            None => (number(text)?, number(text)? + 1),
        };
        // Spin's ranges are without their end; one that is empty allows nothing, which nobody means.
        if first < end {
            Ok(Self::Range(first, end))
        } else {
            Err(Problem::Port)
        }
    }

    /// The port that is meant when none is written.
    fn of_scheme(scheme: Option<&str>) -> Option<Self> {
        let port = match scheme? {
            "http" => 80,
            "https" => 443,
            "mqtt" => 1883,
            "mysql" => 3306,
            "postgres" => 5432,
            "redis" => 6379,
            _ => return None,
        };
        Some(Self::Range(port, port + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::AllowedHosts;
    use super::*;

    #[test]
    fn what_cannot_be_read_is_refused_with_its_reason() {
        use Problem as P;
        for (entry, problem) in [
            ("example.com", P::NoScheme),
            ("example.com:80", P::NoScheme),
            ("*", P::NoScheme),
            ("", P::NoScheme),
            ("insecure:allow-all", P::NoScheme),
            ("ht tp://example.com", P::Scheme),
            ("://example.com", P::Scheme),
            ("h2c://example.com", P::Scheme),
            ("{http,https}://example.com", P::List),
            ("http://{a,b}", P::List),
            ("http://example.com:{80,81}", P::List),
            ("http://example.com/a", P::Path),
            ("http://example.com:80/a/b", P::Path),
            ("http://*.example.com/a", P::Path),
            ("http://example.com?a", P::Path),
            ("http://user@example.com", P::User),
            ("http://user:password@example.com", P::User),
            ("http://", P::NoHost),
            ("http://:80", P::NoHost),
            ("http://a.*.com", P::Star),
            ("http://*example.com", P::Star),
            ("http://*.*.com", P::Star),
            ("http://ex ample.com", P::Host),
            ("http://.example.com", P::Host),
            ("http://exämple.com", P::Host),
            ("http://[::1", P::Host),
            ("http://[example.com]", P::Host),
            ("http://::1:80", P::Host),
            ("http://2130706433", P::Number),
            ("http://127.1:80", P::Number),
            ("http://0x7f.0.0.0x1", P::Number),
            ("http://0177.0.0.1", P::Number),
            ("http://*.0.0.1", P::Number),
            ("http://spin.internal", P::Component),
            ("http://a.b.spin.internal", P::Component),
            ("http://*.a.spin.internal", P::Component),
            ("http://10.0.0.0/33", P::Prefix),
            ("http://10.0.0.0/a", P::Prefix),
            ("http://[::]/129", P::Prefix),
            ("http://example.com:x", P::Port),
            ("http://example.com:", P::Port),
            ("http://example.com:0", P::Port),
            ("http://example.com:+80", P::Port),
            ("http://example.com:65536", P::Port),
            ("http://example.com:8080-8090", P::Port),
            ("http://example.com:90..80", P::Port),
            ("*://example.com", P::NoPort),
            ("tcp://example.com", P::NoPort),
        ] {
            let errors = AllowedHosts::parse([entry]).unwrap_err();
            assert_eq!(
                errors,
                [AllowError {
                    entry: entry.to_owned(),
                    problem
                }],
                "{entry}"
            );
        }
    }

    #[test]
    fn every_entry_that_cannot_be_read_is_reported() {
        let errors = AllowedHosts::parse(["a", "http://b", "http://c:x"]).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0]
                .to_string()
                .starts_with("allowed host `a` has no scheme"),
            "{}",
            errors[0]
        );
    }
}

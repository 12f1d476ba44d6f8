//! Where a consumer is. In comes a URL as text; out goes a [`Target`], which knows the parts of a
//! request and its own origin, or every mistake in the text. It never resolves a name: what may be
//! called is the host's grant.

use http::Uri;
use http::uri::Scheme;

/// The longest URL, in characters.
pub const URL_LIMIT: usize = 1024;

/// The query parameter that marks a handshake.
const HANDSHAKE: &str = "handshake";

/// The URL of a consumer: `http` or `https`, absolute, without user information or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    secure: bool,
    authority: String,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().count() > URL_LIMIT {
            return Err("url is longer than 1024 characters");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("url has a character that must be percent-encoded");
        }
        if text.contains('#') {
            return Err("url has a fragment: leave out `#` and what follows");
        }
        let not_absolute = "url is not an absolute http or https URL, such as http://host/path";
        let uri: Uri = text.parse().map_err(|_| not_absolute)?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(not_absolute),
        };
        let authority = uri.authority().ok_or(not_absolute)?;
        if authority.as_str().contains('@') {
            return Err("url has user information: leave out what is before the `@`");
        }
        if authority.host().is_empty() {
            return Err("url has no host");
        }
        let port = match authority.port_u16() {
            Some(0) => return Err("url has no valid port"),
            Some(port) => port,
            None if authority.as_str() == authority.host() => Self::default_port(secure),
            None => return Err("url has no valid port"),
        };
        let named = |pair: &str| pair.split('=').next() == Some(HANDSHAKE);
        if uri.query().is_some_and(|query| query.split('&').any(named)) {
            return Err("url has the parameter handshake, which is the producer's to add");
        }
        Ok(Self {
            secure,
            authority: authority.to_string(),
            host: authority.host().to_ascii_lowercase(),
            port,
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_string(),
            text: text.to_string(),
        })
    }

    const fn default_port(secure: bool) -> u16 {
        if secure { 443 } else { 80 }
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, with a port if one was given.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path with its query and the mark of a handshake.
    #[must_use]
    pub fn handshake_path(&self) -> String {
        let joint = match self.path.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{HANDSHAKE}=true", self.path)
    }

    /// Whether the origin is in `list`, origins with spaces between. `localhost` and `127.0.0.1` are
    /// two origins, since two programs may listen there.
    #[must_use]
    pub fn origin_is_in(&self, list: &str) -> bool {
        let same = |other: Self| {
            (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
        };
        list.split_ascii_whitespace()
            .any(|origin| Self::parse(origin).is_ok_and(same))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_urls_are_targets() {
        for text in [
            "",
            "/target",
            "localhost:3002",
            "//host/x",
            "ftp://host/",
            "http://",
            "http:///x",
            "http://host:0/",
            "http://host:99999/",
            "http://host:/",
            "http://user@host/",
            "http://u:p@host/",
            "http://host/#x",
            "http://host/a b",
            "http://host/\u{e9}",
            "http://host/\n",
            "http://host/?handshake=true",
            "http://host/?a=b&handshake",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
        let long = format!("http://host/{}", "a".repeat(URL_LIMIT));
        assert!(Target::parse(&long).is_err());
    }

    #[test]
    fn a_target_has_the_parts_of_a_request() {
        let target = Target::parse("http://localhost:3002/target?a=b").unwrap();
        assert!(!target.is_secure());
        assert_eq!(target.authority(), "localhost:3002");
        assert_eq!(target.path(), "/target?a=b");
        assert_eq!(Target::parse("https://[::1]:8443").unwrap().path(), "/");
    }

    #[test]
    fn the_mark_of_a_handshake_joins_any_query() {
        for (url, path) in [
            ("http://h", "/?handshake=true"),
            ("http://h/t", "/t?handshake=true"),
            ("http://h/t?", "/t?handshake=true"),
            ("http://h/t?a=b", "/t?a=b&handshake=true"),
            ("http://h/t?a=b&", "/t?a=b&handshake=true"),
        ] {
            assert_eq!(Target::parse(url).unwrap().handshake_path(), path);
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let list = "http://localhost:3002 https://Example.org";
        for (url, listed) in [
            ("http://localhost:3002/target", true),
            ("http://LOCALHOST:3002/", true),
            ("https://example.org:443/x", true),
            ("http://127.0.0.1:3002/target", false),
            ("http://localhost:3003/target", false),
            ("https://localhost:3002/target", false),
            ("http://localhost.evil.org:3002/", false),
        ] {
            assert_eq!(
                Target::parse(url).unwrap().origin_is_in(list),
                listed,
                "{url}"
            );
        }
        assert!(!Target::parse("http://h/").unwrap().origin_is_in(""));
    }
}

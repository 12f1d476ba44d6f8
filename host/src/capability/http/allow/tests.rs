//! Which destinations which entries allow.

use proptest::prelude::*;

use super::*;

fn allowed(entries: &[&str]) -> AllowedHosts {
    AllowedHosts::parse(entries.iter().copied()).unwrap()
}

fn verdict(entry: &str, scheme: &str, host: &str, port: u16) -> Verdict {
    allowed(&[entry]).check(scheme, host, port)
}

#[test]
fn nothing_is_allowed_by_default() {
    assert_eq!(
        allowed(&[]).check("https", "example.com", 443),
        Verdict::Denied
    );
    assert_eq!(
        AllowedHosts::default().check("http", "127.0.0.1", 80),
        Verdict::Denied
    );
}

#[test]
fn a_named_host_is_allowed_on_its_port_and_scheme_alone() {
    for entry in [
        "https://example.com",
        "https://example.com/",
        "https://example.com:443",
        "HTTPS://Example.COM.",
    ] {
        assert_eq!(
            verdict(entry, "https", "example.com", 443),
            Verdict::Named,
            "{entry}"
        );
        assert_eq!(
            verdict(entry, "https", "example.com", 8443),
            Verdict::Denied,
            "{entry}"
        );
        assert_eq!(
            verdict(entry, "http", "example.com", 443),
            Verdict::Denied,
            "{entry}"
        );
    }
    assert_eq!(
        verdict("http://localhost:3002", "http", "localhost", 3002),
        Verdict::Named
    );
    assert_eq!(
        verdict("*://example.com:*", "http", "example.com", 1),
        Verdict::Named
    );
}

#[test]
fn hosts_compare_without_case_and_without_the_dot_at_their_end() {
    for host in ["EXAMPLE.com", "example.com.", "Example.Com."] {
        assert_eq!(
            verdict("http://example.com", "HTTP", host, 80),
            Verdict::Named,
            "{host}"
        );
    }
}

#[test]
fn lookalikes_are_denied() {
    for host in [
        "example.com.evil.com",
        "evilexample.com",
        "example.com..",
        "xexample.com",
        "example.comx",
        "example.co",
        "evil.com/example.com",
        "evil.com#.example.com",
        "example.com:80",
        "example.com@evil.com",
        "",
    ] {
        assert_eq!(
            verdict("http://example.com", "http", host, 80),
            Verdict::Denied,
            "{host}"
        );
    }
    for host in ["example.com.evil.com", "evilexample.com", "example.com"] {
        assert_eq!(
            verdict("http://*.example.com", "http", host, 80),
            Verdict::Denied,
            "{host}"
        );
    }
}

#[test]
fn wildcards_allow_public_addresses_only() {
    assert_eq!(verdict("*://*:*", "http", "anything", 9), Verdict::Public);
    assert_eq!(
        verdict("http://*:*", "http", "127.0.0.1", 9),
        Verdict::Public
    );
    assert_eq!(verdict("https://*", "https", "[::1]", 443), Verdict::Public);
    assert_eq!(
        verdict("https://*", "https", "example.com", 8443),
        Verdict::Denied
    );
    for host in ["a.example.com", "a.b.EXAMPLE.com."] {
        assert_eq!(
            verdict("http://*.example.com", "http", host, 80),
            Verdict::Public,
            "{host}"
        );
    }
    assert_eq!(
        verdict("http://0.0.0.0/0:*", "http", "10.1.2.3", 80),
        Verdict::Public
    );
    assert_eq!(
        verdict("http://[::]/0:*", "http", "fd00::1", 80),
        Verdict::Public
    );
}

#[test]
fn the_entry_that_reaches_further_counts() {
    let both = allowed(&["http://*:*", "http://localhost:3002"]);
    assert_eq!(both.check("http", "localhost", 3002), Verdict::Named);
    assert_eq!(both.check("http", "localhost", 3003), Verdict::Public);
}

#[test]
fn addresses_are_the_same_in_every_spelling() {
    assert_eq!(
        verdict("http://127.0.0.1:3002", "http", "127.0.0.1", 3002),
        Verdict::Named
    );
    for entry in ["http://[::1]:8001", "http://[0:0:0:0:0:0:0:1]:8001/"] {
        for host in ["[::1]", "::1", "[0::1]"] {
            assert_eq!(
                verdict(entry, "http", host, 8001),
                Verdict::Named,
                "{entry} {host}"
            );
        }
    }
    assert_eq!(verdict("http://[::1]", "http", "[::1]", 80), Verdict::Named);
    assert_eq!(
        verdict("http://127.0.0.1", "http", "[::ffff:127.0.0.1]", 80),
        Verdict::Named
    );
    // These are names to us, and nobody dials them.
    for host in ["127.1", "2130706433", "0x7f.0.0.1"] {
        assert_eq!(
            verdict("http://127.0.0.1", "http", host, 80),
            Verdict::Denied,
            "{host}"
        );
    }
}

#[test]
fn networks_hold_addresses_and_no_names() {
    assert_eq!(
        verdict("http://10.0.0.0/8", "http", "10.200.0.1", 80),
        Verdict::Named
    );
    assert_eq!(
        verdict("http://10.0.0.0/8", "http", "11.0.0.1", 80),
        Verdict::Denied
    );
    assert_eq!(
        verdict("*://127.0.0.1/24:63551", "tcp", "127.0.0.9", 63551),
        Verdict::Named
    );
    assert_eq!(
        verdict("*://ff00::/8:80", "http", "[ff12::1]", 80),
        Verdict::Named
    );
    assert_eq!(
        verdict("*://[fd00::]/8:80", "http", "fd12::1", 80),
        Verdict::Named
    );
    assert_eq!(
        verdict("*://[fd00::]/8:80", "http", "fe00::1", 80),
        Verdict::Denied
    );
    assert_eq!(
        verdict("http://192.168.1.1/32", "http", "192.168.1.1", 80),
        Verdict::Named
    );
    assert_eq!(
        verdict("http://192.168.1.1/32", "http", "192.168.1.2", 80),
        Verdict::Denied
    );
    assert_eq!(
        verdict("http://10.0.0.0/8", "http", "10.example.com", 80),
        Verdict::Denied
    );
    assert_eq!(
        verdict("http://[::]/0", "http", "10.0.0.1", 80),
        Verdict::Denied
    );
}

#[test]
fn port_ranges_are_without_their_end() {
    let entry = "http://example.com:8080..8090";
    for (port, expected) in [
        (8079, Verdict::Denied),
        (8080, Verdict::Named),
        (8089, Verdict::Named),
        (8090, Verdict::Denied),
    ] {
        assert_eq!(
            verdict(entry, "http", "example.com", port),
            expected,
            "{port}"
        );
    }
    assert_eq!(
        verdict("http://example.com:65535", "http", "example.com", 65535),
        Verdict::Named
    );
}

#[test]
fn a_component_of_the_app_is_reached_by_its_name_and_by_no_wildcard_of_the_outside() {
    for (entry, scheme, host, port, expected) in [
        (
            "http://a.spin.internal",
            "http",
            "a.spin.internal",
            80,
            Verdict::Named,
        ),
        (
            "http://A.Spin.Internal",
            "http",
            "a.SPIN.internal.",
            80,
            Verdict::Named,
        ),
        (
            "http://*.spin.internal",
            "http",
            "a.spin.internal",
            80,
            Verdict::Named,
        ),
        (
            "http://a.spin.internal",
            "http",
            "b.spin.internal",
            80,
            Verdict::Denied,
        ),
        (
            "http://a.spin.internal",
            "https",
            "a.spin.internal",
            443,
            Verdict::Denied,
        ),
        (
            "http://a.spin.internal",
            "http",
            "a.spin.internal",
            8080,
            Verdict::Denied,
        ),
        (
            "http://a.spin.internal:*",
            "http",
            "a.spin.internal",
            8080,
            Verdict::Named,
        ),
        (
            "https://a.spin.internal",
            "https",
            "a.spin.internal",
            443,
            Verdict::Named,
        ),
        ("*://*:*", "http", "a.spin.internal", 80, Verdict::Denied),
        (
            "http://*.internal",
            "http",
            "a.spin.internal",
            80,
            Verdict::Denied,
        ),
        (
            "http://self",
            "http",
            "a.spin.internal",
            80,
            Verdict::Denied,
        ),
        (
            "http://a.spin.internal",
            "http",
            "self",
            80,
            Verdict::Denied,
        ),
        (
            "http://aspin.internal",
            "http",
            "aspin.internal",
            80,
            Verdict::Named,
        ),
    ] {
        assert_eq!(
            verdict(entry, scheme, host, port),
            expected,
            "{entry}: {host}:{port}"
        );
    }
    let hosts = allowed(&[
        "http://a.spin.internal",
        "http://*.spin.internal",
        "http://self",
    ]);
    assert_eq!(hosts.components().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn the_app_itself_is_one_door_whatever_the_scheme_and_the_port() {
    for entry in ["http://self", "https://self.alt", "*://*:*"] {
        for (scheme, host, port) in [("http", "self", 80), ("https", "SELF.alt", 3000)] {
            assert_eq!(
                verdict(entry, scheme, host, port),
                Verdict::Named,
                "{entry}"
            );
        }
    }
    assert_eq!(verdict("redis://self", "http", "self", 80), Verdict::Denied);
    assert_eq!(
        verdict("http://example.com", "http", "self", 80),
        Verdict::Denied
    );
}

#[test]
fn a_name_that_leads_back_into_the_app_is_known_as_such() {
    let component = |name: &str| Some(Within::Component(name.to_owned()));
    for (host, expected) in [
        ("self", Some(Within::App)),
        ("self.alt", Some(Within::App)),
        ("A.spin.internal", component("a")),
        ("a.b.spin.internal.", component("a.b")),
        ("spin.internal", component("")),
        ("aspin.internal", None),
        ("myself", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(Within::of(host), expected, "{host}");
    }
}

#[test]
fn a_wide_network_does_not_name_the_metadata_service() {
    let metadata = "169.254.169.254";
    for (entry, expected) in [
        ("http://169.254.169.254", Verdict::Named),
        ("http://169.254.0.0/16", Verdict::Named),
        ("http://128.0.0.0/1", Verdict::Public),
    ] {
        assert_eq!(verdict(entry, "http", metadata, 80), expected, "{entry}");
    }
}

/// A host of an entry, and whether a name is it, by a model that knows no more than the words.
#[derive(Debug, Clone)]
enum Model {
    Any,
    Below(String),
    Name(String),
}

impl Model {
    fn entry(&self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Below(domain) => format!("*.{domain}"),
            Self::Name(name) => name.clone(),
        }
    }

    fn verdict(&self, host: &str) -> Verdict {
        let labels = |name: &str| -> Vec<String> {
            let name = name.strip_suffix('.').unwrap_or(name);
            name.split('.').map(str::to_ascii_lowercase).collect()
        };
        let host = labels(host);
        match self {
            Self::Any => Verdict::Public,
            Self::Below(domain) => {
                let domain = labels(domain);
                if host.len() > domain.len() && host.ends_with(&domain) {
                    Verdict::Public
                } else {
                    Verdict::Denied
                }
            }
            Self::Name(name) if labels(name) == host => Verdict::Named,
            Self::Name(_) => Verdict::Denied,
        }
    }
}

/// Names of few letters, so that they meet.
fn name() -> impl Strategy<Value = String> {
    "[ab]{1,2}(\\.[abAB]{1,2}){0,3}\\.?"
}

fn model() -> impl Strategy<Value = Model> {
    prop_oneof![
        Just(Model::Any),
        name().prop_map(Model::Below),
        name().prop_map(Model::Name),
    ]
}

proptest! {
    #![proptest_config(crate::cases::cases(256))]

    #[test]
    fn no_text_makes_reading_or_asking_panic(
        entry in "[a-z*]{0,4}(://)?[a-z0-9.*:/\\[\\]{}@_-]{0,16}(:[0-9.*]{0,6})?|.{0,16}",
        scheme in ".{0,6}",
        host in ".{0,16}|[0-9a-f.:\\[\\]]{0,16}",
        port in any::<u16>(),
    ) {
        match AllowedHosts::parse([entry.as_str()]) {
            Ok(allowed) => { allowed.check(&scheme, &host, port); }
            Err(errors) => {
                prop_assert_eq!(errors.len(), 1);
                prop_assert_eq!(&errors[0].entry, &entry);
            }
        }
    }

    #[test]
    fn the_verdict_is_that_of_the_model(
        entries in prop::collection::vec((prop::sample::select(vec!["http", "https", "*"]), model(), 1_u16..4, 0_u16..3), 0..4),
        scheme in prop::sample::select(vec!["http", "HTTPS"]),
        host in name(),
        port in 1_u16..6,
    ) {
        let texts: Vec<String> = entries
            .iter()
            .map(|(scheme, model, first, more)| {
                let ports = if *more == 0 { first.to_string() } else { format!("{}..{}", first, first + more) };
                format!("{}://{}:{}", scheme, model.entry(), ports)
            })
            .collect();
        let expected = entries
            .iter()
            .filter(|(want, _, first, more)| {
                let end = first + (*more).max(1);
                (*want == "*" || want.eq_ignore_ascii_case(scheme)) && (*first..end).contains(&port)
            })
            .map(|(_, model, _, _)| model.verdict(&host))
            .max()
            .unwrap_or(Verdict::Denied);
        let allowed = AllowedHosts::parse(texts.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(allowed.check(scheme, &host, port), expected, "{:?}", texts);
    }
}

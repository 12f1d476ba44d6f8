//! Which destinations which entries allow.

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
    // These are names to us; what they resolve to is looked at when they are dialled.
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
fn service_chaining_is_read_and_denied() {
    let entries = [
        "http://self",
        "https://self.alt",
        "http://other.spin.internal",
        "http://*.spin.internal",
    ];
    let hosts = allowed(&entries);
    assert_eq!(hosts.without_effect().collect::<Vec<_>>(), entries);
    for host in ["self", "other.spin.internal"] {
        assert_eq!(hosts.check("http", host, 80), Verdict::Denied, "{host}");
    }
    assert_eq!(
        verdict("*://*:*", "http", "other.SPIN.internal.", 80),
        Verdict::Denied
    );
}

//! Who is dialled, and who is not, whatever the resolver says.

use std::net::TcpListener;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

/// Gives one answer after the other, and the last for ever.
#[derive(Debug)]
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    fn new<const N: usize>(answers: [&[&str]; N]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Self(Mutex::new(answers.iter().rev().map(parse).collect()))
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Addresses<'a> {
        let answer = self.0.lock().unwrap().pop().expect("one look-up too many");
        let answer = answer.into_iter().map(|ip| SocketAddr::new(ip, port));
        let answer = answer.collect();
        Box::pin(async { Ok(answer) })
    }
}

fn reach(named: bool, networks: &[&str]) -> Reach {
    let networks = networks.iter().map(|text| text.parse().unwrap()).collect();
    Reach { named, networks }
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Whether a name with these addresses is dialled; nothing but 127.0.0.1 listens.
async fn reached(addresses: &[&str], reach: &Reach, port: u16) -> bool {
    match dial("name.test", port, reach, &Answers::new([addresses])).await {
        Ok(_) => true,
        Err(DialError::Prohibited { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_wildcard_does_not_reach_what_is_not_public() {
    let (_listener, port) = listener();
    let none = Answers::new([]);
    for host in [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "169.254.169.254",
    ] {
        let refused = dial(host, port, &reach(false, &[]), &none)
            .await
            .unwrap_err();
        assert!(matches!(refused, DialError::Prohibited { .. }), "{refused}");
    }
    assert!(!reached(&["127.0.0.1"], &reach(false, &[]), port).await);
    assert!(
        dial("127.0.0.1", port, &reach(true, &[]), &none)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_checked_address_is_dialled() {
    let (_listener, port) = listener();
    // A second look-up in one dial would be one too many, and would see another address.
    let answers = Answers::new([&["127.0.0.1"], &["192.168.0.1"]]);
    let reach = reach(false, &["127.0.0.0/8"]);
    let stream = dial("rebind.test", port, &reach, &answers).await.unwrap();
    assert_eq!(
        stream.peer_addr().unwrap().ip(),
        IpAddr::from([127, 0, 0, 1])
    );
    let refused = dial("rebind.test", port, &reach, &answers)
        .await
        .unwrap_err();
    assert!(matches!(refused, DialError::Prohibited { .. }), "{refused}");
    assert!(answers.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_address_that_is_not_allowed_condemns_the_name() {
    let (_listener, port) = listener();
    let loopback = reach(false, &["127.0.0.1"]);
    assert!(reached(&["127.0.0.1"], &loopback, port).await);
    for mixed in [
        ["127.0.0.1", "10.0.0.1"],
        ["127.0.0.1", "::1"],
        ["1.1.1.1", "127.0.0.2"],
    ] {
        assert!(!reached(&mixed, &loopback, port).await, "{mixed:?}");
    }
}

#[tokio::test]
async fn a_named_host_is_not_let_to_the_metadata_service() {
    let (_listener, port) = listener();
    let named = reach(true, &[]);
    assert!(reached(&["127.0.0.1"], &named, port).await);
    for address in [
        "169.254.169.254",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
    ] {
        assert!(!reached(&[address], &named, port).await, "{address}");
    }
    // Nor is it by a network that holds it without being of its kind.
    assert!(!reached(&["169.254.169.254"], &reach(true, &["128.0.0.0/1"]), port).await);
}

#[tokio::test]
async fn an_address_in_disguise_is_refused_before_it_is_looked_up() {
    for host in [
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "127.0.0.1.",
        "a.0x",
        "1.2.3.4.5",
    ] {
        let refused = dial(host, 80, &reach(true, &[]), &Answers::new([]))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, DialError::Disguised { .. }),
            "{host}: {refused}"
        );
    }
    for host in ["1.example", "example.x1", "0x7g", "a-1", "1a"] {
        assert!(!ends_in_a_number(host), "{host}");
    }
}

proptest! {
    #![proptest_config(crate::cases::cases(256))]

    #[test]
    fn what_the_standard_takes_for_an_address_ends_in_a_number(
        parts in prop::collection::vec(prop_oneof![
            any::<u32>().prop_map(|n| n.to_string()),
            any::<u32>().prop_map(|n| format!("0{n:o}")),
            any::<u32>().prop_map(|n| format!("0x{n:x}")),
            any::<u32>().prop_map(|n| format!("0X{n:X}")),
        ], 1..=4),
        dot in "\\.?",
    ) {
        let host = parts.join(".") + &dot;
        prop_assert!(ends_in_a_number(&host), "{}", host);
    }
}

//! Which addresses are public, and which are whose.

use proptest::prelude::*;

use super::*;

fn classes(expected: Class, texts: &[&str]) {
    for text in texts {
        assert_eq!(class(text.parse().unwrap()), expected, "{text}");
    }
}

#[test]
fn each_special_address_has_its_class() {
    classes(
        Class::Local,
        &[
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ],
    );
    classes(
        Class::Guarded,
        &[
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fe80::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
        ],
    );
    classes(
        Class::Nowhere,
        &[
            "0.0.0.0",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "::",
            "::127.0.0.1",
            "::8.8.8.8",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
            "64:ff9b:1::808:808",
            "::ffff:0:8.8.8.8",
        ],
    );
}

#[test]
fn the_internet_is_public() {
    classes(
        Class::Public,
        &[
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "::ffff:1.1.1.1",
            "2002:101:101::1",
        ],
    );
}

/// What the standard library and the registry say of IPv4, written apart from the tables above.
fn special_v4(a: Ipv4Addr) -> bool {
    let [b0, b1, b2, _] = a.octets();
    a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_documentation()
        || a.is_multicast()
        || matches!(
            (b0, b1, b2),
            (0 | 240..=255, _, _)
                | (100, 64..=127, _)
                | (192, 0, 0)
                | (192, 88, 99)
                | (198, 18 | 19, _)
        )
        || a == Ipv4Addr::new(168, 63, 129, 16)
}

/// Any IPv4 address; half of them near the special ones, which are few among all.
fn v4() -> impl Strategy<Value = Ipv4Addr> {
    let near = prop::sample::select(vec![
        0x0000_0000_u32,
        0x0a00_0000,
        0x6440_0000,
        0x7f00_0000,
        0xa9fe_a9fe,
        0xac10_0000,
        0xc000_0000,
        0xc000_0200,
        0xc058_6300,
        0xc0a8_0000,
        0xc612_0000,
        0xc633_6400,
        0xcb00_7100,
        0xe000_0000,
        0xffff_ffff,
    ]);
    prop_oneof![
        any::<u32>().prop_map(Ipv4Addr::from),
        (near, any::<u16>()).prop_map(|(base, low)| Ipv4Addr::from(base.wrapping_add(low.into()))),
    ]
}

proptest! {
    #![proptest_config(crate::cases::cases(256))]

    #[test]
    fn an_ipv4_address_is_public_unless_a_registry_says_otherwise(a in v4()) {
        prop_assert_eq!(class(a.into()) == Class::Public, !special_v4(a), "{}", a);
    }

    #[test]
    fn an_address_is_what_it_carries(a in v4(), rest in any::<[u16; 5]>()) {
        let [b0, b1, b2, b3] = a.octets();
        let (high, low) = (u16::from_be_bytes([b0, b1]), u16::from_be_bytes([b2, b3]));
        let [r0, r1, r2, r3, r4] = rest;
        for carrier in [
            a.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, r0, r1, r2, r3, r4),
        ] {
            prop_assert_eq!(class(carrier.into()), class(a.into()), "{}", carrier);
        }
    }

    #[test]
    fn what_nobody_delivers_is_not_public_whatever_it_carries(a in v4(), rest in any::<[u16; 4]>()) {
        let [b0, b1, b2, b3] = a.octets();
        let (high, low) = (u16::from_be_bytes([b0, b1]), u16::from_be_bytes([b2, b3]));
        let [r0, r1, r2, r3] = rest;
        for carrier in [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, r0, r1, r2, high, low),
            Ipv6Addr::new(0x2001, 0, r0, r1, r2, r3, high, low),
        ] {
            prop_assert_ne!(class(carrier.into()), Class::Public, "{}", carrier);
        }
    }

    #[test]
    fn only_global_unicast_is_public_among_ipv6(a in any::<u128>()) {
        let a = Ipv6Addr::from(a);
        if class(a.into()) == Class::Public {
            prop_assert_eq!(a.segments()[0] & 0xe000, 0x2000, "{}", a);
        }
        // The bits above what is special, with anything below.
        for (first, second) in [(0xfc00, 0), (0xfe80, 0), (0xff00, 0), (0x2001, 0xdb8), (0x2001, 0x1ff), (0x3fff, 0xfff)] {
            let [_, _, r @ ..] = a.segments();
            let special = Ipv6Addr::new(first, second, r[0], r[1], r[2], r[3], r[4], r[5]);
            prop_assert_ne!(class(special.into()), Class::Public, "{}", special);
        }
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_bits(base in any::<u32>(), other in any::<u32>(), prefix in 0_u8..=32) {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let network: Network = format!("{}/{prefix}", Ipv4Addr::from(base)).parse().unwrap();
        for address in [other, (base & mask) | (other & !mask)] {
            let expected = base & mask == address & mask;
            prop_assert_eq!(network.contains(Ipv4Addr::from(address).into()), expected);
            prop_assert_eq!(network.contains(Ipv4Addr::from(address).to_ipv6_mapped().into()), expected);
        }
    }

    #[test]
    fn no_text_makes_reading_a_network_panic(text in "[0-9a-f.:/]{0,24}|.{0,12}") {
        if let Ok(network) = text.parse::<Network>() {
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
        }
    }
}

#[test]
fn what_is_guarded_is_named_by_itself_or_from_within() {
    let metadata: IpAddr = "169.254.169.254".parse().unwrap();
    let carried: IpAddr = "64:ff9b::a9fe:a9fe".parse().unwrap();
    let names = |network: &str, address| network.parse::<Network>().unwrap().names(address);
    for network in ["169.254.169.254", "169.254.169.0/24", "169.254.0.0/16"] {
        assert!(names(network, metadata), "{network}");
    }
    for network in ["0.0.0.0/0", "128.0.0.0/1", "169.0.0.0/8", "10.0.0.0/8"] {
        assert!(!names(network, metadata), "{network}");
    }
    assert!(!names("64:ff9b::/96", carried));
    assert!(names("64:ff9b::a9fe:a9fe", carried));
    assert!(names("10.0.0.0/8", "10.1.2.3".parse().unwrap()));
    assert!(!names("0.0.0.0/0", "10.1.2.3".parse().unwrap()));
}

//! Which addresses may be connected to.

use ipnet::IpNet;
use revolve_domain::{ports::TargetRefused, webhooks::WebhookUrl};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The networks of IPv4 that are not public (IANA IPv4 Special-Purpose Address Registry, multicast and the reserved rest).
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The networks within the global unicast addresses of IPv6 (2000::/3) that are not public: protocol assignments with Teredo, documentation
/// and 6to4, which leads to an address of IPv4.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is public. One of IPv6 that stands for one of IPv4 (mapped, or by NAT64: RFC 4291 §2.5.5.2, RFC 6052 §2.1) is as that one.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match (v6.to_ipv4_mapped(), v6.segments()) {
            (Some(v4), _) => is_public_v4(v4),
            (None, [0x64, 0xff9b, 0, 0, 0, 0, high, low]) => {
                is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
            }
            (None, [first, ..]) => {
                let bits = v6.to_bits();
                first >> 13 == 1
                    && NOT_PUBLIC_V6.iter().all(|(network, length)| {
                        (bits ^ network.to_bits()) >> (Ipv6Addr::BITS - length) != 0
                    })
            }
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    NOT_PUBLIC_V4.iter().all(|(network, length)| {
        (address.to_bits() ^ network.to_bits()) >> (Ipv4Addr::BITS - length) != 0
    })
}

/// Whether all of these addresses may be connected to for this URL.
pub(super) fn check(
    url: &WebhookUrl,
    addresses: impl IntoIterator<Item = IpAddr>,
    allowed: &[IpNet],
) -> Result<(), TargetRefused> {
    for address in addresses {
        let canonical = address.to_canonical();
        let is_allowed = allowed.iter().any(|network| network.contains(&canonical));
        if !is_allowed && !is_public(address) {
            return Err(TargetRefused::Private(address));
        }
        if !is_allowed && !url.is_encrypted() {
            return Err(TargetRefused::Unencrypted);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            // As routers of the last century would have read it.
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn one_address_that_is_not_allowed_refuses_all() {
        let url = |text| WebhookUrl::parse(text).unwrap();
        let (https, http) = (url("https://example.org"), url("http://example.org"));
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let allowed: Vec<IpNet> = vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let (public, inside, mapped) = (ip("8.8.8.8"), ip("10.1.2.3"), ip("::ffff:10.1.2.3"));
        let outside = ip("10.2.0.1");
        for (url, addresses, expected) in [
            (&https, vec![public], Ok(())),
            (&https, vec![public, inside, ip("fd00::1")], Ok(())),
            (&https, vec![mapped], Ok(())),
            (&http, vec![inside], Ok(())),
            (
                &https,
                vec![public, outside],
                Err(TargetRefused::Private(outside)),
            ),
            (&http, vec![inside, public], Err(TargetRefused::Unencrypted)),
        ] {
            assert_eq!(
                check(url, addresses.clone(), &allowed),
                expected,
                "{addresses:?}"
            );
        }
        assert_eq!(
            check(&https, [inside], &[]),
            Err(TargetRefused::Private(inside))
        );
    }
}

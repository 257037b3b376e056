//! Which hosts are on the public internet, by their names and addresses alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Host;

/// Names that are never public: of this machine (RFC 6761 §6.3), of a local network (RFC 6762 §3, RFC 8375, ICANN's `.internal`).
const LOCAL: [&str; 4] = ["localhost", "local", "home.arpa", "internal"];

/// Whether it is a name with a dot, or an address that is routed globally. The URL standard has made one form of all spellings of an address.
pub(super) fn is_public<S: AsRef<str>>(host: Option<&Host<S>>) -> bool {
    match host {
        Some(Host::Domain(name)) => {
            let name = name.as_ref().trim_end_matches('.');
            let is_local = |local: &str| {
                name.strip_suffix(local)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            name.contains('.') && !LOCAL.into_iter().any(is_local)
        }
        Some(Host::Ipv4(address)) => is_public_v4(*address),
        Some(Host::Ipv6(address)) => is_public_v6(*address),
        None => false,
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    // IANA's registry of special addresses: this network, shared by carriers, protocol assignments, benchmarks, multicast and beyond.
    let special = a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 224;
    !(special || address.is_private() || address.is_loopback() || address.is_link_local())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let IpAddr::V4(mapped) = address.to_canonical() {
        return is_public_v4(mapped);
    }
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Addresses with an IPv4 address in them: translated (RFC 6052), 6to4 (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_public_v4(v4(high, low))
        }
        // What is global unicast so far (RFC 4291 §2.4): not loopback, unspecified, local, site-local, multicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

//! The keys of buckets: who or what is counted.

use crate::model::{ApiKeyId, ClientInfo, DeviceId, EmailAddress, SessionId, UserId};
use std::net::{IpAddr, Ipv6Addr};

/// A part of the key of a bucket.
pub(super) trait BucketKey {
    /// Its bytes, different for any two of its type.
    fn key_bytes(&self) -> Vec<u8>;
}

impl BucketKey for EmailAddress {
    fn key_bytes(&self) -> Vec<u8> {
        self.key().into()
    }
}

impl BucketKey for AddressRange {
    fn key_bytes(&self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        }
    }
}

macro_rules! id_key {
    ($($id:ty),+) => {$(
        impl BucketKey for $id {
            fn key_bytes(&self) -> Vec<u8> {
                self.as_uuid().as_bytes().to_vec()
            }
        }
    )+};
}

id_key!(UserId, SessionId, DeviceId, ApiKeyId);

impl<T: BucketKey> BucketKey for Option<T> {
    fn key_bytes(&self) -> Vec<u8> {
        self.as_ref().map_or_else(Vec::new, T::key_bytes)
    }
}

/// An address, or the range of addresses that one customer of a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange(IpAddr);

impl AddressRange {
    /// The range of an address: an IPv4 address alone, or all IPv6 addresses with the same first `ipv6_prefix` bits (at most
    /// 128). An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) is an IPv4 address.
    pub fn of(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(128_u32.saturating_sub(u32::from(ipv6_prefix)))
                    .unwrap_or(0);
                Self(Ipv6Addr::from_bits(v6.to_bits() & mask).into())
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }

    /// The range that a request came from, if its address is known.
    pub fn of_client(client: &ClientInfo, ipv6_prefix: u8) -> Option<Self> {
        client.address.map(|address| Self::of(address, ipv6_prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Bucket, *};
    use std::collections::HashSet;

    fn range(address: &str, prefix: u8) -> AddressRange {
        AddressRange::of(address.parse().unwrap(), prefix)
    }

    #[test]
    fn an_ipv6_customer_is_one_range() {
        assert_eq!(
            range("2001:db8:1:2::1", 64),
            range("2001:db8:1:2:ffff::9", 64)
        );
        assert_ne!(range("2001:db8:1:2::1", 64), range("2001:db8:1:3::1", 64));
        assert_eq!(range("2001:db8:1:2::1", 56), range("2001:db8:1:3::1", 56));
        assert_ne!(range("2001:db8::1", 128), range("2001:db8::2", 128));
        assert_eq!(range("2001:db8::1", 0), range("2a00::1", 0));
    }

    #[test]
    fn an_ipv4_address_stands_for_itself_in_either_form() {
        assert_eq!(range("::ffff:192.0.2.1", 64), range("192.0.2.1", 64));
        assert_ne!(range("192.0.2.1", 64), range("192.0.2.2", 64));
    }

    #[test]
    fn buckets_differ_by_kind_and_by_key() {
        let email = EmailAddress::parse("ann@example.org").unwrap();
        let (user, session) = (
            UserId::from_random([1; 16]),
            SessionId::from_random([2; 16]),
        );
        let buckets = [
            Bucket::PasswordAccount(email.clone()),
            Bucket::SignUpAccount(email),
            Bucket::PasswordAddress(range("192.0.2.1", 64)),
            Bucket::PasswordAddress(range("192.0.2.2", 64)),
            Bucket::SignUpAddress(range("192.0.2.1", 64)),
            Bucket::RefreshAddress(range("192.0.2.1", 64)),
            Bucket::PasswordDevice(user, DeviceId::from_random([2; 16])),
            Bucket::PasswordSession(user, session),
            Bucket::RefreshSession(session, None),
            Bucket::RefreshSession(session, Some(DeviceId::from_random([1; 16]))),
        ];
        let names: HashSet<_> = buckets
            .iter()
            .map(|bucket| (bucket.kind(), bucket.key()))
            .collect();
        assert_eq!(names.len(), buckets.len());
    }
}

//! What is counted, and for whom.

use crate::model::{ClientInfo, DeviceId, EmailAddress, SessionId, UserId};
use std::net::{IpAddr, Ipv6Addr};

/// Which limit. The name is what events, metrics and the configuration use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LimitName {
    /// Wrong passwords for one account by strangers, whoever they are.
    PasswordPerAccount,
    /// Wrong passwords by strangers from one address, for whichever account.
    PasswordPerAddress,
    /// Wrong passwords for one account on a device, or in a session, that is the account's own.
    PasswordPerDevice,
    /// Sign-ups with one e-mail address.
    SignUpPerAccount,
    /// Sign-ups from one address.
    SignUpPerAddress,
    /// Refreshes of one session.
    RefreshPerSession,
    /// Refreshes from one address.
    RefreshPerAddress,
}

impl LimitName {
    /// Every limit.
    pub const ALL: [Self; 7] = [
        Self::PasswordPerAccount,
        Self::PasswordPerAddress,
        Self::PasswordPerDevice,
        Self::SignUpPerAccount,
        Self::SignUpPerAddress,
        Self::RefreshPerSession,
        Self::RefreshPerAddress,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordPerAccount => "password_per_account",
            Self::PasswordPerAddress => "password_per_address",
            Self::PasswordPerDevice => "password_per_device",
            Self::SignUpPerAccount => "sign_up_per_account",
            Self::SignUpPerAddress => "sign_up_per_address",
            Self::RefreshPerSession => "refresh_per_session",
            Self::RefreshPerAddress => "refresh_per_address",
        }
    }
}

/// One counter. Whoever it is about never leaves a store's adapter in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bucket {
    /// Strangers' wrong passwords for the account with this e-mail address, whether or not there is one.
    PasswordAccount(EmailAddress),
    /// Strangers' wrong passwords from an address.
    PasswordAddress(AddressRange),
    /// Wrong passwords on a device that the user has signed in on.
    PasswordDevice(UserId, DeviceId),
    /// Wrong current passwords from within a session.
    PasswordSession(UserId, SessionId),
    /// Sign-ups with an e-mail address.
    SignUpAccount(EmailAddress),
    /// Sign-ups from an address.
    SignUpAddress(AddressRange),
    /// Refreshes of a session by those who show this device's credential, or none: so that a thief of a token alone does not
    /// use up what the session's own device has.
    RefreshSession(SessionId, Option<DeviceId>),
    /// Refreshes from an address.
    RefreshAddress(AddressRange),
}

impl Bucket {
    /// Which limit it is held to.
    pub const fn limit(&self) -> LimitName {
        match self {
            Self::PasswordAccount(_) => LimitName::PasswordPerAccount,
            Self::PasswordAddress(_) => LimitName::PasswordPerAddress,
            Self::PasswordDevice(..) | Self::PasswordSession(..) => LimitName::PasswordPerDevice,
            Self::SignUpAccount(_) => LimitName::SignUpPerAccount,
            Self::SignUpAddress(_) => LimitName::SignUpPerAddress,
            Self::RefreshSession(..) => LimitName::RefreshPerSession,
            Self::RefreshAddress(_) => LimitName::RefreshPerAddress,
        }
    }

    /// The kind, in one word; no two kinds have the same.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PasswordAccount(_) => "password-account",
            Self::PasswordAddress(_) => "password-address",
            Self::PasswordDevice(..) => "password-device",
            Self::PasswordSession(..) => "password-session",
            Self::SignUpAccount(_) => "sign-up-account",
            Self::SignUpAddress(_) => "sign-up-address",
            Self::RefreshSession(..) => "refresh-session",
            Self::RefreshAddress(_) => "refresh-address",
        }
    }

    /// Whom it is about, as bytes: different for any two buckets of one kind. For adapters to make a keyed digest of; it names
    /// people and must not be stored.
    pub fn whose(&self) -> Vec<u8> {
        let two = |user: &UserId, other: &[u8; 16]| {
            [user.as_uuid().as_bytes().as_slice(), other].concat()
        };
        match self {
            Self::PasswordAccount(email) | Self::SignUpAccount(email) => email.as_str().into(),
            Self::PasswordAddress(range)
            | Self::SignUpAddress(range)
            | Self::RefreshAddress(range) => range.bytes(),
            Self::PasswordDevice(user, device) => two(user, device.as_uuid().as_bytes()),
            Self::PasswordSession(user, session) => two(user, session.as_uuid().as_bytes()),
            Self::RefreshSession(session, device) => {
                let device = device
                    .as_ref()
                    .map_or(&[][..], |device| device.as_uuid().as_bytes());
                [session.as_uuid().as_bytes(), device].concat()
            }
        }
    }
}

/// An address, or the range of addresses that one customer of a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange(IpAddr);

impl AddressRange {
    /// The range of an address: IPv4 addresses stand for themselves, IPv6 ones for all with the same first `ipv6_prefix` bits
    /// (at most 128). An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) is an IPv4 address.
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

    fn bytes(self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn buckets_differ_by_kind_and_by_whose_they_are() {
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
            .map(|bucket| (bucket.kind(), bucket.whose()))
            .collect();
        assert_eq!(names.len(), buckets.len());
    }
}

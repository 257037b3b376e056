//! The keys of programs that operators run.

use super::{ApiKeyId, Fingerprint, Label, Timestamp};
use crc::{CRC_32_ISO_HDLC, Crc};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};
use uuid::Uuid;

/// What a program may do with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiKeyScope {
    /// Find accounts, and see them and their sessions.
    UsersRead,
    /// Make, change, disable and delete accounts, and open them to those who have lost their way in.
    UsersWrite,
    /// End sessions.
    SessionsWrite,
    /// Read the journal.
    EventsRead,
    /// See the mails that are still to be sent.
    DeliveriesRead,
    /// Send them anew.
    DeliveriesWrite,
    /// See and change webhooks.
    WebhooksWrite,
    /// Ask whether tokens count.
    TokensIntrospect,
}

/// No scope has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no such scope: users:read, users:write, sessions:write, events:read, deliveries:read, deliveries:write, webhooks:write, \
     tokens:introspect"
)]
pub struct UnknownScope;

impl ApiKeyScope {
    /// Every scope.
    pub const ALL: [Self; 8] = [
        Self::UsersRead,
        Self::UsersWrite,
        Self::SessionsWrite,
        Self::EventsRead,
        Self::DeliveriesRead,
        Self::DeliveriesWrite,
        Self::WebhooksWrite,
        Self::TokensIntrospect,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::SessionsWrite => "sessions:write",
            Self::EventsRead => "events:read",
            Self::DeliveriesRead => "deliveries:read",
            Self::DeliveriesWrite => "deliveries:write",
            Self::WebhooksWrite => "webhooks:write",
            Self::TokensIntrospect => "tokens:introspect",
        }
    }
}

impl FromStr for ApiKeyScope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.as_str() == name).ok_or(UnknownScope)
    }
}

impl fmt::Display for ApiKeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key as operators see it; its secret was shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which the journal names.
    pub id: ApiKeyId,
    /// What operators call it.
    pub name: Label,
    /// What it may do.
    pub scopes: BTreeSet<ApiKeyScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not count any more.
    pub expires_at: Timestamp,
    /// Since when it does not count, if it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The hour in which it was last used, if it ever was.
    pub used_at: Option<Timestamp>,
}

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyStanding {
    /// It does.
    Valid,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl ApiKeyStanding {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl ApiKey {
    /// The longest time that a key may count.
    pub const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

    /// Whether it counts at this time.
    pub fn standing(&self, now: Timestamp) -> ApiKeyStanding {
        if self.revoked_at.is_some() {
            ApiKeyStanding::Revoked
        } else if now >= self.expires_at {
            ApiKeyStanding::Expired
        } else {
            ApiKeyStanding::Valid
        }
    }
}

/// What every key begins with, so that a scanner knows one.
const PREFIX: &str = "rvk_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
// Digits of 128, 256 and 32 bits.
const ID: usize = 22;
const SECRET: usize = 43;
const CHECK: usize = 6;
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A key that a program shows: `rvk_`, and in base62 (`0-9A-Za-z`) 22 digits of its id, 43 of a secret of 256 bits, and 6 of the CRC-32
/// (ISO HDLC, as zip has it) of all that comes before, by which a scanner tells a key from what only looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Of its secret: all that a store keeps of it.
    pub fingerprint: Fingerprint,
}

impl ShownApiKey {
    /// A new key: what is shown, and what is kept.
    pub fn make(id: ApiKeyId, secret: [[u8; 16]; 2]) -> (SecretString, Self) {
        let secret = Zeroizing::new(base62(&secret.concat(), SECRET));
        let mut text = format!("{PREFIX}{}{}", base62(id.as_uuid().as_bytes(), ID), *secret);
        text.push_str(&checksum(&text));
        let fingerprint = Fingerprint::of_api_key(&secret);
        (text.into(), Self { id, fingerprint })
    }

    /// The key in this text; `None` if it is none, which its checksum says before any store is asked.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        let digits = text.strip_prefix(PREFIX)?;
        let is_sound = digits.len() == ID + SECRET + CHECK
            && digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
        if !is_sound {
            return None;
        }
        let (checked, check) = text.split_at(text.len() - CHECK);
        if checksum(checked) != check {
            return None;
        }
        let (id, secret) = checked[PREFIX.len()..].split_at(ID);
        Some(Self {
            id: ApiKeyId::from_uuid(Uuid::from_u128(number(id)?)),
            fingerprint: Fingerprint::of_api_key(secret),
        })
    }
}

fn checksum(text: &str) -> String {
    base62(&CRC.checksum(text.as_bytes()).to_be_bytes(), CHECK)
}

/// A number, its most significant byte first, in so many digits.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut text = vec!['0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest = 0;
        for byte in number.iter_mut() {
            let part = rest * 256 + u16::from(*byte);
            // Less than 62 * 256.
            *byte = u8::try_from(part / 62).unwrap_or(u8::MAX);
            rest = part % 62;
        }
        *digit = DIGITS[usize::from(rest)].into();
    }
    text.into_iter().collect()
}

/// The number with these digits; `None` if it has more than 128 bits.
fn number(digits: &str) -> Option<u128> {
    digits.bytes().try_fold(0_u128, |number, digit| {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        number.checked_mul(62)?.checked_add(value as u128)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ApiKeyId {
        ApiKeyId::from_random([7; 16])
    }

    #[test]
    fn a_key_is_shown_in_a_form_that_scanners_know() {
        assert_eq!(CRC.checksum(b"123456789"), 0xcbf4_3926);
        let (text, kept) = ShownApiKey::make(id(), [[0xff; 16], [0xff; 16]]);
        let shown = text.expose_secret();
        assert_eq!(shown.len(), 75);
        assert!(shown.starts_with("rvk_"), "{shown}");
        assert!(shown[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(ShownApiKey::parse(&text), Some(kept));
        assert_eq!(kept.id, id());
        let (other, of_other) = ShownApiKey::make(id(), [[0xff; 16], [0xfe; 16]]);
        assert_ne!(other.expose_secret(), shown);
        assert!(!kept.fingerprint.matches(&of_other.fingerprint));
    }

    #[test]
    fn what_is_no_key_is_found_out_by_its_checksum() {
        let (text, _) = ShownApiKey::make(id(), [[1; 16], [2; 16]]);
        let text = text.expose_secret();
        for at in 4..text.len() {
            let mut changed = text.to_owned().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ShownApiKey::parse(&changed.into()), None, "digit {at}");
        }
        for bad in [
            "",
            "rvk_",
            &text[4..],
            &text[..74],
            "rvk_é",
            &format!("{text}0"),
        ] {
            assert_eq!(ShownApiKey::parse(&bad.into()), None, "{bad}");
        }
        // An id of more than 128 bits, with a checksum that fits.
        let mut large = format!("rvk_{}{}", "z".repeat(22), "0".repeat(43));
        large.push_str(&checksum(&large));
        assert_eq!(ShownApiKey::parse(&large.into()), None);
    }

    #[test]
    fn numbers_have_fixed_digits() {
        assert_eq!(base62(&[0; 4], 6), "000000");
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        assert_eq!(base62(&[0xff; 4], 6), "4gfFC3");
        for id in [0, 1, u128::MAX] {
            assert_eq!(number(&base62(&id.to_be_bytes(), ID)), Some(id));
        }
    }

    #[test]
    fn scopes_have_names() {
        for scope in ApiKeyScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert!(UnknownScope.to_string().contains(scope.as_str()), "{scope}");
        }
        assert_eq!("users".parse::<ApiKeyScope>(), Err(UnknownScope));
    }

    #[test]
    fn a_key_counts_until_it_expires_or_is_revoked() {
        let at = Timestamp::from_seconds;
        let key = ApiKey {
            id: id(),
            name: Label::parse("help desk").unwrap(),
            scopes: BTreeSet::from([ApiKeyScope::UsersRead]),
            created_at: at(0),
            expires_at: at(10),
            revoked_at: None,
            used_at: None,
        };
        assert_eq!(key.standing(at(9)), ApiKeyStanding::Valid);
        assert_eq!(key.standing(at(10)), ApiKeyStanding::Expired);
        let revoked = ApiKey {
            revoked_at: Some(at(1)),
            ..key
        };
        assert_eq!(revoked.standing(at(9)), ApiKeyStanding::Revoked);
    }
}

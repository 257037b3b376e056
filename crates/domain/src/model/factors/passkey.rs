//! Passkeys: what is kept of a public key credential (WebAuthn Level 3 §4).

use crate::model::{Label, PasskeyId, Timestamp, UserId};
use std::fmt;
use uuid::Uuid;

/// The id of a public key credential, as its authenticator chose it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    /// The greatest number of bytes (WebAuthn Level 3 §6.5.1).
    pub const MAX: usize = 1023;

    /// `None` if it is empty or too long.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let is_valid = !bytes.is_empty() && bytes.len() <= Self::MAX;
        is_valid.then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({} bytes)", self.0.len())
    }
}

/// The public key of a credential and what else the library needs to verify with it, in the library's own form. No secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialKey(Vec<u8>);

impl CredentialKey {
    /// The greatest number of bytes.
    pub const MAX: usize = 4096;

    /// `None` if it is too long.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= Self::MAX).then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialKey({} bytes)", self.0.len())
    }
}

/// A way to reach an authenticator (`AuthenticatorTransport`, WebAuthn Level 3 §5.8.4). Its name is that of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Transport {
    Ble = 1,
    Hybrid = 2,
    Internal = 4,
    Nfc = 8,
    SmartCard = 16,
    Usb = 32,
}

impl Transport {
    /// Every transport, by name.
    const ALL: [Self; 6] = [
        Self::Ble,
        Self::Hybrid,
        Self::Internal,
        Self::Nfc,
        Self::SmartCard,
        Self::Usb,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ble => "ble",
            Self::Hybrid => "hybrid",
            Self::Internal => "internal",
            Self::Nfc => "nfc",
            Self::SmartCard => "smart-card",
            Self::Usb => "usb",
        }
    }
}

/// The transports of a credential, hints for the browser.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Transports(u8);

impl Transports {
    /// Those of these names that are known; others say nothing to us.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let known = names.into_iter().filter_map(|name| {
            Transport::ALL
                .into_iter()
                .find(|transport| transport.as_str() == name)
        });
        Self(known.fold(0, |all, transport| all | transport as u8))
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn stored(names: &str) -> Self {
        Self::named(names.split(' '))
    }

    /// Their names, each once, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Transport::ALL
            .into_iter()
            .filter(move |transport| (self.0 & *transport as u8) != 0)
            .map(Transport::as_str)
    }
}

/// The names with spaces between, as stores keep them; empty if there is none.
impl fmt::Display for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transports({self})")
    }
}

/// A registered credential, as the library has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyCredential {
    /// Its id. No two accounts have the same.
    pub id: CredentialId,
    /// What verifies its signatures. Never changes.
    pub key: CredentialKey,
    /// The algorithm of its signatures (COSE): -7 is ES256, -8 EdDSA, -257 RS256.
    pub algorithm: i32,
    /// The model of its authenticator; nil where that does not say.
    pub aaguid: Uuid,
    /// The signature counter (§6.1.1) that was shown last; 0 where the authenticator has none.
    pub counter: u32,
    /// Whether it may be copied to other authenticators (`BE`, §6.1.3). Never changes.
    pub backup_eligible: bool,
    /// Whether it was copied when it was shown last (`BS`, §6.1.3).
    pub backed_up: bool,
    /// How its authenticator can be reached.
    pub transports: Transports,
}

impl PasskeyCredential {
    /// What names it in the options of a ceremony.
    pub fn descriptor(&self) -> CredentialDescriptor {
        CredentialDescriptor {
            id: self.id.clone(),
            transports: self.transports,
        }
    }
}

/// What names a credential (`PublicKeyCredentialDescriptor`, §5.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialDescriptor {
    /// Its id.
    pub id: CredentialId,
    /// How its authenticator can be reached.
    pub transports: Transports,
}

/// A passkey of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id in the API, which is ours and says nothing.
    pub id: PasskeyId,
    /// The account.
    pub user: UserId,
    /// What the user calls it: at most [`Self::NAME_MAX`] characters.
    pub name: Label,
    /// The credential.
    pub credential: PasskeyCredential,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
}

impl Passkey {
    /// How many an account may have.
    pub const MOST: usize = 20;

    /// The greatest number of characters of a name.
    pub const NAME_MAX: usize = 64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_read_as_they_are_written() {
        for (names, written) in [
            (&["usb", "nfc", "usb"][..], "nfc usb"),
            (&["internal", "hybrid"], "hybrid internal"),
            (&["smart-card", "ble", "carrier-pigeon"], "ble smart-card"),
            (&[], ""),
        ] {
            let transports = Transports::named(names.iter().copied());
            assert_eq!(transports.to_string(), written);
            assert_eq!(Transports::stored(written), transports);
        }
    }

    #[test]
    fn ids_and_keys_are_bounded() {
        assert!(CredentialId::from_bytes(vec![]).is_none());
        assert!(CredentialId::from_bytes(vec![1; 1023]).is_some());
        assert!(CredentialId::from_bytes(vec![1; 1024]).is_none());
        assert!(CredentialKey::from_bytes(vec![1; 4096]).is_some());
        assert!(CredentialKey::from_bytes(vec![1; 4097]).is_none());
    }
}

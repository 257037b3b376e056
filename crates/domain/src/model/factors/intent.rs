//! What a sign-up wants that waits for a proof of its mailbox.

use super::{CredentialId, CredentialKey, Passkey, PasskeyCredential, Transports};
use crate::model::{Label, PasskeyId, PasswordHash, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// What a sign-up whose mailbox has to be proved signs in with, once it is an account.
#[derive(Clone, Debug)]
pub enum SignUpIntent {
    /// A password.
    Password(PasswordHash),
    /// A passkey in place of one.
    Passkey(Box<Passkey>),
}

/// The stored form of a passkey that is intended; bytes are in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct StoredPasskey {
    id: PasskeyId,
    user: UserId,
    name: String,
    credential: String,
    key: String,
    algorithm: i32,
    aaguid: uuid::Uuid,
    counter: u32,
    backup_eligible: bool,
    backed_up: bool,
    transports: String,
    created_at: Timestamp,
}

impl SignUpIntent {
    /// What the text of a passkey begins with; that of no hash does.
    const PASSKEY: &'static str = "$passkey$";

    /// The hash of the account: that of the password, or the mark of an account that has none.
    pub fn hash(&self) -> PasswordHash {
        match self {
            Self::Password(hash) => hash.clone(),
            Self::Passkey(_) => PasswordHash::no_password(),
        }
    }

    /// The text that stores keep, in the place where the hash of a sign-up was before.
    pub fn stored(&self) -> String {
        match self {
            Self::Password(hash) => hash.expose().to_owned(),
            Self::Passkey(passkey) => {
                let stored = StoredPasskey::of(passkey);
                let json = serde_json::to_string(&stored).unwrap_or_default();
                format!("{}{json}", Self::PASSKEY)
            }
        }
    }

    /// Reads [`Self::stored`]; `None` if it is a passkey that can't be read.
    pub fn from_stored(text: String) -> Option<Self> {
        let Some(json) = text.strip_prefix(Self::PASSKEY) else {
            return Some(Self::Password(PasswordHash::from_phc(text)));
        };
        let stored: StoredPasskey = serde_json::from_str(json).ok()?;
        stored.passkey().map(Box::new).map(Self::Passkey)
    }
}

impl StoredPasskey {
    fn of(passkey: &Passkey) -> Self {
        let credential = &passkey.credential;
        Self {
            id: passkey.id,
            user: passkey.user,
            name: passkey.name.as_str().to_owned(),
            credential: hex(credential.id.as_bytes()),
            key: hex(credential.key.as_bytes()),
            algorithm: credential.algorithm,
            aaguid: credential.aaguid,
            counter: credential.counter,
            backup_eligible: credential.backup_eligible,
            backed_up: credential.backed_up,
            transports: credential.transports.to_string(),
            created_at: passkey.created_at,
        }
    }

    fn passkey(self) -> Option<Passkey> {
        Some(Passkey {
            id: self.id,
            user: self.user,
            name: Label::stored(&self.name).ok()?,
            credential: PasskeyCredential {
                id: CredentialId::from_bytes(bytes(&self.credential)?)?,
                key: CredentialKey::from_bytes(bytes(&self.key)?)?,
                algorithm: self.algorithm,
                aaguid: self.aaguid,
                counter: self.counter,
                backup_eligible: self.backup_eligible,
                backed_up: self.backed_up,
                transports: Transports::stored(&self.transports),
            },
            created_at: self.created_at,
            used_at: None,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    hex.len()
        .is_multiple_of(2)
        .then(|| digits.map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_as_it_is_stored() {
        let passkey = Passkey {
            id: PasskeyId::from_random([1; 16]),
            user: UserId::from_random([2; 16]),
            name: Label::parse("Ann's key").unwrap(),
            credential: PasskeyCredential {
                id: CredentialId::from_bytes(vec![0, 1, 0xfe, 0xff]).unwrap(),
                key: CredentialKey::from_bytes(vec![7; 300]).unwrap(),
                algorithm: -7,
                aaguid: uuid::Uuid::nil(),
                counter: 3,
                backup_eligible: true,
                backed_up: false,
                transports: Transports::named(["usb", "nfc"]),
            },
            created_at: Timestamp::from_seconds(60),
            used_at: None,
        };
        let intent = SignUpIntent::Passkey(Box::new(passkey.clone()));
        let read = SignUpIntent::from_stored(intent.stored());
        assert!(matches!(read, Some(SignUpIntent::Passkey(read)) if *read == passkey));
        let read = SignUpIntent::from_stored("$argon2id$x".to_owned());
        assert!(
            matches!(read, Some(SignUpIntent::Password(hash)) if hash.expose() == "$argon2id$x")
        );
        assert!(SignUpIntent::from_stored("$passkey${".to_owned()).is_none());
    }
}

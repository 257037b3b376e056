//! A digest of the password and a salt, or an HMAC of the password: `$digest$a=sha256,e=utf8,s=prefix$salt$hash`, where `a` is the digest,
//! `e` the encoding of the password and `s` where the salt goes: before the password, after it, or `hmac`, as the key.
//!
//! Many systems store such hashes with their parts in columns of their own. A digest takes no time to speak of, so whoever has the hashes
//! tries passwords by the billion: they are only for the time until their owners sign in.

use super::phc::{BASE64, Phc};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DigestName {
    Md4,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Runs code with the type of a digest.
macro_rules! with_digest {
    ($name:expr, $digest:ident => $code:expr) => {
        with_digest!($name, $digest => $code; Md4, Md5, Sha1, Sha224, Sha256, Sha384, Sha512)
    };
    ($name:expr, $digest:ident => $code:expr; $($algorithm:ident),+) => {
        match $name {
            $(DigestName::$algorithm => {
                type $digest = $algorithm;
                $code
            })+
        }
    };
}

impl DigestName {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Md4,
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The usual name in small letters, without a hyphen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md4 => "md4",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.name() == name)
    }

    /// The length of its output in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Md4 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn of(self, parts: [&[u8]; 2]) -> Vec<u8> {
        with_digest!(self, D => {
            let digest = D::new().chain_update(parts[0]).chain_update(parts[1]);
            digest.finalize().to_vec()
        })
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        with_digest!(self, D => {
            let mac = Hmac::<D>::new_from_slice(key).expect("HMAC takes any key");
            mac.chain_update(message).finalize().into_bytes().to_vec()
        })
    }
}

/// How a password becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordEncoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// The lower byte of each unit of UTF-16, as Node does for `latin1`, `ascii` and `binary`.
    Latin1,
}

impl PasswordEncoding {
    const ALL: [Self; 3] = [Self::Utf8, Self::Utf16Le, Self::Latin1];

    const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Utf16Le => "utf16le",
            Self::Latin1 => "latin1",
        }
    }

    fn encode(self, password: &str) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() * 2));
        match self {
            Self::Utf8 => bytes.extend_from_slice(password.as_bytes()),
            Self::Utf16Le => bytes.extend(password.encode_utf16().flat_map(u16::to_le_bytes)),
            Self::Latin1 => bytes.extend(password.encode_utf16().map(|unit| unit.to_le_bytes()[0])),
        }
        bytes
    }
}

/// Where the salt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaltUse {
    /// Before the password.
    Prefix,
    /// After the password.
    Suffix,
    /// It is the key of an HMAC.
    Key,
}

impl SaltUse {
    const ALL: [Self; 3] = [Self::Prefix, Self::Suffix, Self::Key];

    const fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Key => "hmac",
        }
    }
}

pub(crate) struct DigestHash {
    digest: DigestName,
    encoding: PasswordEncoding,
    salt_use: SaltUse,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

impl DigestHash {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let phc = Phc::parse(text).filter(|phc| phc.version.is_none())?;
        let [digest, encoding, salt_use] = phc.texts(["a", "e", "s"])?;
        let digest = DigestName::named(digest)?;
        let mut encodings = PasswordEncoding::ALL.into_iter();
        let mut uses = SaltUse::ALL.into_iter();
        Some(Self {
            digest,
            encoding: encodings.find(|one| one.name() == encoding)?,
            salt_use: uses.find(|one| one.name() == salt_use)?,
            salt: phc.salt,
            expected: phc.hash,
        })
        .filter(|hash| hash.expected.len() == digest.bytes())
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        let password = self.encoding.encode(password);
        let output = match self.salt_use {
            SaltUse::Prefix => self.digest.of([&self.salt, &password]),
            SaltUse::Suffix => self.digest.of([&password, &self.salt]),
            SaltUse::Key => self.digest.hmac(&self.salt, &password),
        };
        output.ct_eq(&self.expected).into()
    }
}

/// The text that [`DigestHash::parse`] reads.
pub(super) fn text(
    digest: DigestName,
    encoding: PasswordEncoding,
    salt_use: SaltUse,
    salt: &[u8],
    hash: &[u8],
) -> String {
    format!(
        "$digest$a={},e={},s={}${}${}",
        digest.name(),
        encoding.name(),
        salt_use.name(),
        BASE64.encode(salt),
        BASE64.encode(hash)
    )
}

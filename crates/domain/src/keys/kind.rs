//! The use and the algorithm of a key. A key has one use and one algorithm for all of its life (RFC 8725 §3.1).

use std::{fmt, str::FromStr};

/// The algorithms of ID tokens (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519 under its older name, which RFC 9864 deprecates.
    EdDsa,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::Rs256,
        Self::Ps256,
        Self::Es256,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The name in a token's header and in a JWK.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The other name of the same algorithm, if it has two: tokens of a key may carry either (RFC 9864 §2.2).
    pub const fn alias(self) -> Option<Self> {
        match self {
            Self::EdDsa => Some(Self::Ed25519),
            Self::Ed25519 => Some(Self::EdDsa),
            Self::Rs256 | Self::Ps256 | Self::Es256 => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name);
        found.ok_or_else(|| format!("{name:?} is not one of RS256, PS256, ES256, EdDSA, Ed25519"))
    }
}

/// Which tokens a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUse {
    /// ID tokens, which any service can verify.
    Id,
    /// Refresh tokens, which only this service verifies.
    Refresh,
}

impl KeyUse {
    /// Every use.
    pub const ALL: [Self; 2] = [Self::Id, Self::Refresh];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Refresh => "refresh",
        }
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key's use and algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// A key pair for ID tokens.
    Id(Algorithm),
    /// A secret for refresh tokens: HMAC with SHA-256 (`HS256`).
    Refresh,
}

impl KeyKind {
    /// Which tokens it signs.
    pub const fn usage(self) -> KeyUse {
        match self {
            Self::Id(_) => KeyUse::Id,
            Self::Refresh => KeyUse::Refresh,
        }
    }

    /// The algorithm's name.
    pub const fn algorithm_name(self) -> &'static str {
        match self {
            Self::Id(algorithm) => algorithm.name(),
            Self::Refresh => "HS256",
        }
    }

    /// The kind of the two names that a store keeps.
    ///
    /// # Errors
    /// [`NotAKeyName`] if there is no such use, or it has no such algorithm.
    pub fn from_names(usage: &str, algorithm: &str) -> Result<Self, NotAKeyName> {
        match (usage, algorithm) {
            ("id", name) => name.parse().map(Self::Id).map_err(|_| NotAKeyName),
            ("refresh", "HS256") => Ok(Self::Refresh),
            _ => Err(NotAKeyName),
        }
    }
}

/// Not a name of a key's use or algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key is called so")]
pub struct NotAKeyName;

/// The `kid`: up to 64 characters of base64url. It says nothing about the secret part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = NotAKeyName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plausible = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if plausible {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAKeyName)
        }
    }
}

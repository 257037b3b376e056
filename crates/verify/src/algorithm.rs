//! The signature algorithms, and the type of key that each needs.

use std::fmt;

/// How a key signs (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). There is no `none` and no secret-key algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
    /// RSASSA-PSS with SHA-256, keys of 2048 to 8192 bits.
    Ps256,
    /// ECDSA on P-256 with SHA-256, signatures of 64 bytes.
    Es256,
    /// Ed25519 under its older name, which RFC 9864 deprecates. Keys of other curves are refused.
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

    /// The name in a token's header and in a JWK; other spellings are refused.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Whether a token of a key for this algorithm may have this `alg`.
    ///
    /// The name must be the key's (RFC 8725 §3.1), except that a key for Ed25519 takes both names of that algorithm. With
    /// that curve they denote the same operation (RFC 9864 §2.2), so the key still has exactly one algorithm. An issuer
    /// that keeps its key and changes the name signs nobody out, in either direction.
    pub(crate) fn is_named(self, alg: &str) -> bool {
        match self {
            Self::EdDsa | Self::Ed25519 => matches!(alg, "EdDSA" | "Ed25519"),
            Self::Rs256 | Self::Ps256 | Self::Es256 => alg == self.name(),
        }
    }

    /// The key type that a JWK must have.
    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Self::Rs256 | Self::Ps256 => "RSA",
            Self::Es256 => "EC",
            Self::EdDsa | Self::Ed25519 => "OKP",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

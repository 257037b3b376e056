//! A secret for refresh tokens: HMAC with SHA-256.

use josekit::jws::{HS256, JwsSigner, alg::hmac::HmacJwsSigner};
use revolve_domain::ports::SignError;
use subtle::ConstantTimeEq;

/// A secret, ready to sign and to verify.
pub(super) struct RefreshKey {
    pub(super) id: String,
    pub(super) signer: HmacJwsSigner,
}

impl RefreshKey {
    /// The number of bytes of a secret that we make (RFC 7518 §3.2).
    pub(super) const LENGTH: usize = 32;

    /// What the initial secret is derived from the master key for.
    pub(super) const PURPOSE: &str = "refresh token";

    pub(super) fn new(id: &str, secret: &[u8]) -> Result<Self, SignError> {
        let signer = HS256.signer_from_bytes(secret).map_err(|error| SignError(error.into()))?;
        Ok(Self { id: id.to_owned(), signer })
    }

    /// Whether it made the signature. The library's own verifier compares MACs with `!=`, which can stop early.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.signer.sign(message).is_ok_and(|expected| expected.ct_eq(signature).into())
    }
}

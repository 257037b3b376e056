//! The compact serialization of a signed object (RFC 7515 §3.1), parsed without trusting any of it.

use crate::{error::VerifyError, json, jwk_set::VerifyingKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use std::borrow::Cow;

/// The longest token that is accepted, in bytes. The service's own have some 800, and a little less than this with all that an account may have.
pub const LONGEST_TOKEN: usize = 32 * 1024;

/// A signed object whose signature has not been checked.
pub(crate) struct Jws<'t> {
    signed: &'t [u8],
    payload: &'t str,
    signature: Vec<u8>,
    algorithm: String,
    key_id: String,
}

/// The header's members that are read. Others are ignored, above all those that carry a key.
#[derive(Deserialize)]
struct Header<'t> {
    #[serde(borrow)]
    alg: Cow<'t, str>,
    #[serde(borrow)]
    kid: Cow<'t, str>,
    #[serde(borrow)]
    typ: Cow<'t, str>,
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    b64: Present,
}

/// Whether a member exists, with any value, `null` included.
#[derive(Default)]
struct Present(bool);

impl<'t> Deserialize<'t> for Present {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl<'t> Jws<'t> {
    /// Parses a text of at most `longest` bytes, if its header has this `typ`.
    pub(crate) fn parse(text: &'t str, typ: &str, longest: usize) -> Result<Self, VerifyError> {
        let bytes = text.as_bytes();
        if bytes.len() > longest {
            return Err(VerifyError::Malformed("it is too long"));
        }
        // Without an early end the compiler vectorizes it.
        let in_alphabet = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !bytes
            .iter()
            .fold(true, |good, byte| good & in_alphabet(byte))
        {
            return Err(VerifyError::Malformed(
                "it has characters that are not base64url",
            ));
        }
        let three_parts = || {
            let (signed, signature) = text.rsplit_once('.')?;
            let (header, payload) = signed.split_once('.')?;
            (!payload.contains('.')).then_some((signed, header, payload, signature))
        };
        let Some((signed, header, payload, signature)) = three_parts() else {
            return Err(VerifyError::Malformed("it has not three parts"));
        };
        let header = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| VerifyError::Malformed("its header is not canonical base64url"))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| VerifyError::Malformed("its signature is not canonical base64url"))?;
        let Header {
            alg,
            kid,
            typ: found,
            crit,
            b64,
        } = json::parse(&header).map_err(VerifyError::Header)?;
        if crit.0 || b64.0 {
            return Err(VerifyError::Critical);
        }
        if found != typ {
            return Err(VerifyError::Type);
        }
        Ok(Self {
            signed: signed.as_bytes(),
            payload,
            signature,
            algorithm: alg.into_owned(),
            key_id: kid.into_owned(),
        })
    }

    /// The `kid` of the header.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The payload, if the key is for the header's algorithm and has signed it.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<Vec<u8>, VerifyError> {
        if !key.algorithm().is_named(&self.algorithm) {
            return Err(VerifyError::Algorithm);
        }
        key.verify(self.signed, &self.signature)?;
        URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| VerifyError::Malformed("its payload is not canonical base64url"))
    }
}

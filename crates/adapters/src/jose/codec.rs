//! Signing and verifying both kinds of token.

use super::{
    claims::{WireId, WireRefresh},
    id_key::IdKey,
    secrets::{DerivedKey, MasterKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::jws::{HS256, JwsSigner, alg::hmac::HmacJwsSigner};
use revolve_domain::{
    model::Timestamp,
    ports::{IdClaims, KeySet, RefreshClaims, SignError, TokenCodec, TokenRejected, VerifiedId},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use subtle::ConstantTimeEq;

/// Who issues tokens, and for whom.
#[derive(Clone, Debug)]
pub struct CodecConfig {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim of ID tokens.
    pub audience: String,
}

/// Both kinds of token, each with its key and its one header.
pub struct JoseTokens {
    config: CodecConfig,
    id_key: IdKey,
    id_header: String,
    refresh_signer: HmacJwsSigner,
    refresh_header: String,
}

/// Longer strings are not looked at: ours have some 800 bytes.
const LONGEST: usize = 8192;

impl JoseTokens {
    /// Builds signers, verifiers and headers.
    ///
    /// # Errors
    /// When the library refuses the derived key, which it does not for 32 bytes.
    pub fn new(config: CodecConfig, id_key: IdKey, master: &MasterKey) -> Result<Self, SignError> {
        let DerivedKey { id, secret } = master.derive("refresh token");
        let refresh_signer = HS256.signer_from_bytes(secret.expose_secret()).map_err(|error| SignError(error.into()))?;
        let id_header = header(id_key.algorithm().name(), id_key.id(), "JWT");
        let refresh_header = header("HS256", &id, "refresh+jwt");
        Ok(Self { config, id_key, id_header, refresh_signer, refresh_header })
    }

    /// Signs a statement of the service itself with the key of the ID tokens; `typ` keeps it from being taken for one
    /// (RFC 8725 §3.11).
    ///
    /// # Errors
    /// When the claims are no JSON or signing fails.
    pub fn sign_statement(&self, typ: &str, claims: &impl Serialize) -> Result<SecretString, SignError> {
        sign(&header(self.id_key.algorithm().name(), self.id_key.id(), typ), claims, &*self.id_key.signer)
    }
}

impl TokenCodec for JoseTokens {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        sign(&self.id_header, &WireId::new(claims, &self.config.issuer, &self.config.audience), &*self.id_key.signer)
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        sign(&self.refresh_header, &WireRefresh::new(claims, &self.config.issuer), &self.refresh_signer)
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        let (message, payload, signature) = split(token.expose_secret(), &self.id_header)?;
        self.id_key.verifier.verify(message, &signature).map_err(|_| TokenRejected::Invalid)?;
        let claims: WireId<'_> = parse(payload)?;
        if claims.iss != self.config.issuer || claims.aud != self.config.audience || claims.user.uid != claims.sub {
            return Err(TokenRejected::Invalid);
        }
        if now >= Timestamp::from_seconds(claims.exp) {
            return Err(TokenRejected::Expired);
        }
        Ok(VerifiedId { user: claims.sub, session: claims.sid })
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        let (message, payload, signature) = split(token.expose_secret(), &self.refresh_header)?;
        // The library's own verifier compares MACs with `!=`, which can stop early.
        let expected = self.refresh_signer.sign(message).map_err(|_| TokenRejected::Invalid)?;
        if !bool::from(expected.ct_eq(&signature)) {
            return Err(TokenRejected::Invalid);
        }
        let claims: WireRefresh<'_> = parse(payload)?;
        if claims.iss != self.config.issuer {
            return Err(TokenRejected::Invalid);
        }
        claims.into_claims().ok_or(TokenRejected::Invalid)
    }
}

impl KeySet for JoseTokens {
    fn to_json(&self) -> String {
        serde_json::json!({ "keys": [self.id_key.public()] }).to_string()
    }
}

fn header(algorithm: &str, key_id: &str, kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!({ "alg": algorithm, "kid": key_id, "typ": kind }).to_string())
}

fn sign(header: &str, claims: &impl Serialize, signer: &dyn JwsSigner) -> Result<SecretString, SignError> {
    let payload = serde_json::to_vec(claims).map_err(|error| SignError(error.into()))?;
    let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 360);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = signer.sign(token.as_bytes()).map_err(|error| SignError(error.into()))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token.into())
}

/// A token's signed part, its payload and its signature, if its header is the one expected. The signature must be in
/// canonical base64url.
fn split<'t>(token: &'t str, header: &str) -> Result<(&'t [u8], &'t str, Vec<u8>), TokenRejected> {
    if token.len() > LONGEST {
        return Err(TokenRejected::Invalid);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenRejected::Invalid)?;
    let payload = message.strip_prefix(header).and_then(|rest| rest.strip_prefix('.')).ok_or(TokenRejected::Invalid)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenRejected::Invalid)?;
    Ok((message.as_bytes(), payload, signature))
}

/// Parses a payload whose signature was good.
fn parse<T: DeserializeOwned>(payload: &str) -> Result<T, TokenRejected> {
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenRejected::Invalid)?;
    serde_json::from_slice(&json).map_err(|_| TokenRejected::Invalid)
}

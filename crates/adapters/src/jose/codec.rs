//! Signing and verifying each kind of token with the keys of the ring.

use super::{
    claims::{WireId, WireReauthentication, WireRefresh, WireRevocations, WireSetUp},
    id_key::IdKey,
    packed::{self, WirePacked},
    refresh_key::{MacKey, RefreshKey},
    ring::{
        Built, ID, KeyGroup, REAUTHENTICATION, REFRESH, Ring, RingBuilder, SET_UP, header,
        is_plausible,
    },
    secrets::{DerivedKey, MasterKey},
    vault::{OpenedKey, Seal},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    keys::{KeyKind, StoredKey},
    model::Timestamp,
    ports::{
        IdClaims, KeyFault, KeyRing, KeySet, ReauthenticationClaims, RefreshClaims,
        RevocationSigner, SignError, TokenCodec, TokenRejected, VerifiedId,
    },
    revocations::{PackedStatement, RevocationStatement},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, PoisonError, RwLock};

/// Who issues tokens, and for whom.
#[derive(Clone, Debug)]
pub struct CodecConfig {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim of ID tokens.
    pub audience: String,
}

/// The keys that no store keeps.
#[derive(Default)]
pub struct FileKeys {
    /// The key that signs ID tokens in place of the stored one.
    pub signing: Option<IdKey>,
    /// Keys that verify ID tokens.
    pub others: Vec<IdKey>,
}

/// Tokens of every kind, with a ring of keys that is swapped whole.
pub struct JoseTokens {
    config: CodecConfig,
    seal: Seal,
    signing: Option<Arc<IdKey>>,
    others: Vec<Arc<IdKey>>,
    ring: RwLock<Arc<Ring>>,
}

/// Longer strings are refused. Our tokens have some 800 bytes; one with all that an account may have, and that twice as long in JSON, fits.
const LONGEST: usize = 32 * 1024;

impl JoseTokens {
    /// One key for ID tokens, and for refresh tokens the secret that is derived from the master key: for programs that keep
    /// their keys elsewhere.
    ///
    /// # Errors
    /// When the library refuses a derived key, which it does not for 32 bytes.
    pub fn new(config: CodecConfig, id_key: IdKey, master: &MasterKey) -> Result<Self, SignError> {
        let wrong = |fault: KeyFault| SignError(fault.into());
        let tokens = Self::stored(
            config,
            FileKeys {
                signing: Some(id_key),
                others: Vec::new(),
            },
            master,
        )
        .map_err(wrong)?;
        let DerivedKey { id, secret } = master.derive(RefreshKey::PURPOSE);
        let mut ring = tokens.files().map_err(wrong)?;
        let key = RefreshKey::new(&id, secret.expose_secret())
            .map_err(|error| SignError(error.into()))?;
        ring.refresh(&key, true);
        tokens.swap(ring.build());
        Ok(tokens)
    }

    /// The keys of files, and those of a store, which have to be [loaded](KeyRing::load) before they sign.
    ///
    /// # Errors
    /// [`KeyFault`] if a key has two algorithms.
    pub fn stored(
        config: CodecConfig,
        files: FileKeys,
        master: &MasterKey,
    ) -> Result<Self, KeyFault> {
        let (signing, others) = (
            files.signing.map(Arc::new),
            files.others.into_iter().map(Arc::new).collect(),
        );
        let ring = RwLock::new(Arc::new(RingBuilder::default().build()));
        let tokens = Self {
            config,
            seal: Seal::new(master)?,
            signing,
            others,
            ring,
        };
        tokens.swap(tokens.files()?.build());
        Ok(tokens)
    }

    /// Signs a statement of the service itself with the key of the ID tokens; `typ` keeps it from being taken for one
    /// (RFC 8725 §3.11).
    ///
    /// # Errors
    /// When the claims are no JSON or signing fails.
    pub fn sign_statement(
        &self,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<SecretString, SignError> {
        let ring = self.ring();
        let (_, key) = signer(&ring.id)?;
        sign(
            &header(key.algorithm().name(), key.id(), typ),
            claims,
            |message| sign_with(key, message),
        )
    }

    fn files(&self) -> Result<RingBuilder, KeyFault> {
        let mut ring = RingBuilder::default();
        for key in self.signing.iter().chain(&self.others) {
            ring.id(key, true)?;
        }
        Ok(ring)
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn swap(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// Opens a key and makes it ready.
    fn build(&self, key: &StoredKey) -> Result<Built, KeyFault> {
        let OpenedKey { secret, .. } = self.seal.open(key)?;
        let corrupt = || KeyFault::Corrupt(key.id.clone());
        Ok(match key.kind {
            KeyKind::Id(algorithm) => {
                let pem = str::from_utf8(&secret).map_err(|_| corrupt())?;
                let built =
                    IdKey::from_pem(algorithm, &SecretString::from(pem)).map_err(|_| corrupt())?;
                if built.id() != key.id.as_str() {
                    return Err(corrupt());
                }
                Built::Id(Arc::new(built))
            }
            KeyKind::Refresh => {
                if secret.len() != RefreshKey::LENGTH {
                    return Err(corrupt());
                }
                Built::Refresh(Arc::new(
                    RefreshKey::new(key.id.as_str(), &secret).map_err(|_| corrupt())?,
                ))
            }
        })
    }
}

impl KeyRing for JoseTokens {
    fn load(&self, keys: &[StoredKey]) -> Result<(), KeyFault> {
        let old = self.ring();
        let mut ring = self.files()?;
        for key in keys {
            let built = old.stored.get(&key.id).cloned();
            ring.stored(
                &key.id,
                built.map_or_else(|| self.build(key), Ok)?,
                key.phase.state(),
            )?;
        }
        self.swap(ring.build());
        Ok(())
    }
}

impl RevocationSigner for JoseTokens {
    fn sign_revocations(&self, statement: &RevocationStatement) -> Result<SecretString, SignError> {
        self.sign_statement(
            "revocations+jwt",
            &WireRevocations::new(statement, &self.config.issuer),
        )
    }

    fn sign_packed(&self, statement: &PackedStatement) -> Result<String, SignError> {
        let ids = packed::ids(statement);
        let claims = WirePacked::new(statement, &ids, &self.config.issuer);
        let signed = self.sign_statement("packed-revocations+jwt", &claims)?;
        let mut text = String::with_capacity(signed.expose_secret().len() + 1 + ids.len());
        text.push_str(signed.expose_secret());
        text.push(packed::SEPARATOR);
        text.push_str(&ids);
        Ok(text)
    }
}

impl TokenCodec for JoseTokens {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        let ring = self.ring();
        let (header, key) = signer(&ring.id)?;
        sign(
            header,
            &WireId::new(claims, &self.config.issuer, &self.config.audience),
            |message| sign_with(key, message),
        )
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        let claims = WireRefresh::new(claims, &self.config.issuer);
        sign_mac(&self.ring().refresh, &claims)
    }

    fn sign_reauthentication(
        &self,
        claims: &ReauthenticationClaims,
    ) -> Result<SecretString, SignError> {
        let claims = WireReauthentication::new(claims, &self.config.issuer);
        sign_mac(&self.ring().reauthentication, &claims)
    }

    fn sign_set_up(&self, claims: &VerifiedId) -> Result<SecretString, SignError> {
        let claims = WireSetUp::new(claims, &self.config.issuer);
        sign_mac(&self.ring().set_up, &claims)
    }

    fn verify_set_up(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<VerifiedId, TokenRejected> {
        let ring = self.ring();
        let claims: WireSetUp<'_> = parse(verify_mac(token, &ring.set_up, SET_UP)?)?;
        if claims.iss != self.config.issuer {
            return Err(TokenRejected::Invalid);
        }
        let claims = claims.into_claims();
        if now >= claims.expires_at {
            return Err(TokenRejected::Expired);
        }
        Ok(claims)
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        let ring = self.ring();
        let TokenParts {
            key,
            message,
            payload,
            signature,
        } = split(token.expose_secret(), &ring.id, ID)?;
        if !key.verifier.verifies(message, &signature) {
            return Err(TokenRejected::Invalid);
        }
        let claims: WireId<'_> = parse(payload)?;
        if claims.iss != self.config.issuer
            || claims.aud != self.config.audience
            || claims.user.uid != claims.sub
        {
            return Err(TokenRejected::Invalid);
        }
        let expires_at = Timestamp::from_seconds(claims.exp);
        if now >= expires_at {
            return Err(TokenRejected::Expired);
        }
        Ok(VerifiedId {
            user: claims.sub,
            session: claims.sid,
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at,
        })
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        let ring = self.ring();
        let claims: WireRefresh<'_> = parse(verify_mac(token, &ring.refresh, REFRESH)?)?;
        if claims.iss != self.config.issuer {
            return Err(TokenRejected::Invalid);
        }
        claims.into_claims().ok_or(TokenRejected::Invalid)
    }

    fn verify_reauthentication(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<ReauthenticationClaims, TokenRejected> {
        let ring = self.ring();
        let payload = verify_mac(token, &ring.reauthentication, REAUTHENTICATION)?;
        let claims: WireReauthentication<'_> = parse(payload)?;
        if claims.iss != self.config.issuer {
            return Err(TokenRejected::Invalid);
        }
        let claims = claims.into_claims();
        if now >= claims.expires_at {
            return Err(TokenRejected::Expired);
        }
        Ok(claims)
    }
}

impl KeySet for JoseTokens {
    fn to_json(&self) -> String {
        self.ring().published.clone()
    }
}

/// Signs with the active one of these secrets.
fn sign_mac(keys: &KeyGroup<MacKey>, claims: &impl Serialize) -> Result<SecretString, SignError> {
    let (header, key) = signer(keys)?;
    sign(header, claims, |message| Ok(key.sign(message)))
}

/// The payload of a token that one of these secrets has signed.
fn verify_mac<'t>(
    token: &'t SecretString,
    keys: &KeyGroup<MacKey>,
    kind: &str,
) -> Result<&'t str, TokenRejected> {
    let TokenParts {
        key,
        message,
        payload,
        signature,
    } = split(token.expose_secret(), keys, kind)?;
    if key.verifies(message, &signature) {
        Ok(payload)
    } else {
        Err(TokenRejected::Invalid)
    }
}

fn signer<K>(keys: &KeyGroup<K>) -> Result<&(String, Arc<K>), SignError> {
    keys.signer
        .as_ref()
        .ok_or_else(|| SignError("no key is active".into()))
}

fn sign_with(key: &IdKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
    key.signer
        .as_ref()
        .ok_or_else(|| SignError("the key has no private part".into()))?
        .sign(message)
}

fn sign<S: AsRef<[u8]>>(
    header: &str,
    claims: &impl Serialize,
    signature: impl FnOnce(&[u8]) -> Result<S, SignError>,
) -> Result<SecretString, SignError> {
    let mut payload = Vec::with_capacity(512);
    serde_json::to_writer(&mut payload, claims).map_err(|error| SignError(error.into()))?;
    let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 360);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = signature(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token.into())
}

/// A token, taken apart.
struct TokenParts<'k, 't, K> {
    key: &'k K,
    message: &'t [u8],
    payload: &'t str,
    signature: Vec<u8>,
}

/// Finds the key whose header a token has, byte for byte. The signature must be in canonical base64url.
fn split<'k, 't, K>(
    token: &'t str,
    keys: &'k KeyGroup<K>,
    kind: &str,
) -> Result<TokenParts<'k, 't, K>, TokenRejected> {
    if token.len() > LONGEST {
        return Err(TokenRejected::Invalid);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenRejected::Invalid)?;
    let (header, payload) = message.split_once('.').ok_or(TokenRejected::Invalid)?;
    let Some(key) = keys.by_header.get(header) else {
        return Err(if is_plausible(header, kind) {
            TokenRejected::UnknownKey
        } else {
            TokenRejected::Invalid
        });
    };
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| TokenRejected::Invalid)?;
    Ok(TokenParts {
        key,
        message: message.as_bytes(),
        payload,
        signature,
    })
}

/// Parses a payload whose signature is verified.
fn parse<T: DeserializeOwned>(payload: &str) -> Result<T, TokenRejected> {
    let json = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| TokenRejected::Invalid)?;
    serde_json::from_slice(&json).map_err(|_| TokenRejected::Invalid)
}

//! Its tokens: an ID token that is signed, a refresh token with a secret, both by the token library's own way with signers built once.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};
use josekit::{
    jws::{
        ES256, HS256, JwsHeader, JwsSigner, JwsVerifier, RS256,
        alg::hmac::{HmacJwsSigner, HmacJwsVerifier},
    },
    jwt::{self, JwtPayload},
};
use openssl::{
    ec::{EcGroup, EcKey},
    nid::Nid,
    pkey::PKey,
    rsa::Rsa,
};
use serde_json::json;
use uuid::Uuid;

const ID_LIFE: Duration = Duration::from_mins(15);
/// The life of a refresh token, and of its key.
pub(super) const REFRESH_LIFE: Duration = Duration::from_hours(72);

/// Signs and verifies.
#[derive(Clone)]
pub(super) struct BaselineTokens(Arc<BaselineKeys>);

struct BaselineKeys {
    signer: Box<dyn JwsSigner>,
    verifier: Box<dyn JwsVerifier>,
    secret_signer: HmacJwsSigner,
    secret_verifier: HmacJwsVerifier,
    header: JwsHeader,
}

impl BaselineTokens {
    pub(super) fn new(algorithm: &str) -> Result<Self> {
        let key = match algorithm {
            "RS256" => PKey::from_rsa(Rsa::generate(2048)?)?,
            "ES256" => PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(
                Nid::X9_62_PRIME256V1,
            )?)?)?,
            other => bail!("`{other}` is neither RS256 nor ES256"),
        };
        let (pem, public) = (key.private_key_to_pem_pkcs8()?, key.public_key_to_pem()?);
        let (signer, verifier): (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) = if algorithm == "RS256"
        {
            (
                Box::new(RS256.signer_from_pem(pem)?),
                Box::new(RS256.verifier_from_pem(public)?),
            )
        } else {
            (
                Box::new(ES256.signer_from_pem(pem)?),
                Box::new(ES256.verifier_from_pem(public)?),
            )
        };
        let secret = random().into_bytes().repeat(2);
        let mut header = JwsHeader::new();
        header.set_token_type("JWT");
        let (secret_signer, secret_verifier) = (
            HS256.signer_from_bytes(&secret)?,
            HS256.verifier_from_bytes(&secret)?,
        );
        Ok(Self(Arc::new(BaselineKeys {
            signer,
            verifier,
            secret_signer,
            secret_verifier,
            header,
        })))
    }

    /// An ID token with what ours says.
    pub(super) fn id(&self, user: &str, email: &str) -> Result<String> {
        let mut claims = claims(ID_LIFE);
        claims.set_subject(user);
        claims.set_issuer("http://localhost:8080");
        claims.set_audience(vec!["revolve"]);
        claims.set_claim("user", Some(json!({ "uid": user, "email": email })))?;
        Ok(jwt::encode_with_signer(
            &claims,
            &self.0.header,
            self.0.signer.as_ref(),
        )?)
    }

    /// A refresh token and its id.
    pub(super) fn refresh(&self, user: &str, email: &str) -> Result<(String, String)> {
        let mut claims = claims(REFRESH_LIFE);
        let id = random().to_string();
        claims.set_subject(user);
        claims.set_jwt_id(&id);
        claims.set_claim("email", Some(email.into()))?;
        Ok((
            jwt::encode_with_signer(&claims, &self.0.header, &self.0.secret_signer)?,
            id,
        ))
    }

    /// Whose refresh token it is, with which address, and its id.
    pub(super) fn open_refresh(&self, token: &str) -> Result<(String, String, String)> {
        let (claims, _) = jwt::decode_with_verifier(token, &self.0.secret_verifier)?;
        let email = claims
            .claim("email")
            .and_then(|email| email.as_str())
            .context("no address")?;
        let (user, id) = (
            claims.subject().context("no subject")?,
            claims.jwt_id().context("no id")?,
        );
        alive(&claims)?;
        Ok((user.to_owned(), email.to_owned(), id.to_owned()))
    }

    /// Whose ID token it is.
    pub(super) fn open_id(&self, token: &str) -> Result<String> {
        let (claims, _) = jwt::decode_with_verifier(token, self.0.verifier.as_ref())?;
        alive(&claims)?;
        Ok(claims.subject().context("no subject")?.to_owned())
    }
}

/// An id that nobody can guess.
#[expect(
    clippy::disallowed_methods,
    reason = "there are no ports of the domain here"
)]
pub(super) fn random() -> Uuid {
    Uuid::new_v4()
}

#[expect(
    clippy::disallowed_methods,
    reason = "there are no ports of the domain here"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn claims(life: Duration) -> JwtPayload {
    let (mut claims, now) = (JwtPayload::new(), now());
    claims.set_issued_at(&now);
    claims.set_expires_at(&(now + life));
    claims
}

fn alive(claims: &JwtPayload) -> Result<()> {
    let end = claims.expires_at().context("no end")?;
    anyhow::ensure!(now() < end, "expired");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_opened_by_whoever_signed_them_and_by_nobody_else() {
        for algorithm in ["RS256", "ES256"] {
            let tokens = BaselineTokens::new(algorithm).unwrap();
            let (token, id) = tokens.refresh("ann", "ann@example.org").unwrap();
            assert_eq!(
                tokens.open_refresh(&token).unwrap(),
                ("ann".to_owned(), "ann@example.org".to_owned(), id)
            );
            assert_eq!(
                tokens
                    .open_id(&tokens.id("ann", "ann@example.org").unwrap())
                    .unwrap(),
                "ann"
            );
            assert!(
                BaselineTokens::new(algorithm)
                    .unwrap()
                    .open_refresh(&token)
                    .is_err()
            );
            assert!(tokens.open_id(&token).is_err());
        }
        assert!(BaselineTokens::new("none").is_err());
    }
}

//! A token in compact form, parsed far enough to read and to falsify it. Nothing is verified.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

#[derive(Debug, Clone)]
pub(super) struct Token([String; 3]);

impl Token {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        Ok(Self(
            parts.try_into().ok().context("a token has three parts")?,
        ))
    }

    pub(super) fn text(&self) -> String {
        self.0.join(".")
    }

    pub(super) fn header(&self) -> Result<Value> {
        decoded(&self.0[0])
    }

    pub(super) fn claims(&self) -> Result<Value> {
        decoded(&self.0[1])
    }

    /// The same signature with the claims of another user.
    pub(super) fn with_other_claims(&self) -> Result<Self> {
        let mut claims = self.claims()?;
        claims["user"]["email"] = "eve@example.org".into();
        let mut parts = self.0.clone();
        parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
        Ok(Self(parts))
    }

    /// With one bit of the signature flipped.
    pub(super) fn with_other_signature(&self) -> Result<Self> {
        let mut signature = URL_SAFE_NO_PAD.decode(&self.0[2])?;
        let middle = signature.len() / 2;
        *signature
            .get_mut(middle)
            .context("a token has a signature")? ^= 1;
        let mut parts = self.0.clone();
        parts[2] = URL_SAFE_NO_PAD.encode(signature);
        Ok(Self(parts))
    }
}

fn decoded(part: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoiled_differs_in_one_part_alone() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let claims = encode(r#"{"user":{"email":"ann@example.org"}}"#);
        let token = Token::parse(&format!(
            "{}.{claims}.{}",
            encode(r#"{"alg":"ES256"}"#),
            encode("signature")
        ))
        .unwrap();
        assert_eq!(token.header().unwrap()["alg"], "ES256");
        let (claims, signature) = (
            token.with_other_claims().unwrap(),
            token.with_other_signature().unwrap(),
        );
        let same = |other: &Token| [0, 1, 2].map(|part| other.0[part] == token.0[part]);
        assert_eq!(
            (same(&claims), same(&signature)),
            ([true, false, true], [true, true, false])
        );
        assert_eq!(claims.claims().unwrap()["user"]["email"], "eve@example.org");
        assert!(Token::parse("a.b").is_err());
    }
}

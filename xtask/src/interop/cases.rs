//! The tokens that are tried, and what must happen to each.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    issuer::{self, AUDIENCE, Issuer},
    token::Token,
    tools::{Issue, LibraryVerdict, Verify},
};

/// The `iss` of tokens that the libraries issue.
pub(super) const ISSUER: &str = "https://accounts.example.org";

const UID: &str = "0199c6a5-2f1e-7a39-8a4e-1f6f0f0f0f0f";
const EMAIL: &str = "ann@example.org";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Accepted {
        sub: String,
        email: String,
    },
    /// Refused for exactly this reason.
    Refused(&'static str),
    /// Refused for any reason.
    RefusedAnyhow,
}

/// A token of the service that a library verifies.
pub(super) struct Outgoing {
    pub(super) algorithm: &'static str,
    pub(super) expected: Expected,
    pub(super) task: Verify,
}

/// The tokens of one issuer that each library verifies.
pub(super) fn outgoing(issuer: &Issuer) -> Result<Vec<Outgoing>> {
    let sub = issuer.id.claims()?["sub"]
        .as_str()
        .context("the token has no sub")?
        .to_owned();
    let good = Expected::Accepted {
        sub,
        email: issuer.email.clone(),
    };
    let elsewhere = format!("{}/elsewhere", issuer.url);
    let (url, id) = (issuer.url.as_str(), &issuer.id);
    let cases = [
        ("as issued", id.clone(), url, AUDIENCE, good),
        (
            "other claims",
            id.with_other_claims()?,
            url,
            AUDIENCE,
            Expected::Refused("signature"),
        ),
        (
            "other signature",
            id.with_other_signature()?,
            url,
            AUDIENCE,
            Expected::Refused("signature"),
        ),
        (
            "for another audience",
            id.clone(),
            url,
            "another-service",
            Expected::Refused("audience"),
        ),
        (
            "of another issuer",
            id.clone(),
            &elsewhere,
            AUDIENCE,
            Expected::Refused("issuer"),
        ),
        (
            "expired",
            issuer.expired.clone(),
            url,
            AUDIENCE,
            Expected::Refused("expired"),
        ),
        (
            "refresh token",
            issuer.refresh.clone(),
            url,
            AUDIENCE,
            Expected::RefusedAnyhow,
        ),
    ];
    let task = |name: &str, token: Token, issuer_url: &str, audience: &str| Verify {
        id: format!("{}, {name}", issuer.algorithm),
        algorithm: issuer.algorithm.to_owned(),
        key_set: issuer.key_set(),
        configuration: issuer.configuration(),
        issuer: issuer_url.to_owned(),
        audience: audience.to_owned(),
        token: token.text(),
    };
    let outgoing = |(name, token, url, audience, expected)| Outgoing {
        algorithm: issuer.algorithm,
        expected,
        task: task(name, token, url, audience),
    };
    Ok(cases.map(outgoing).into())
}

/// A token of a library that `revolve-verify` verifies.
pub(super) struct Incoming {
    pub(super) algorithm: &'static str,
    pub(super) expected: Expected,
    pub(super) task: Issue,
    /// How it is changed in between.
    pub(super) spoil: fn(Token) -> Result<Token>,
}

/// The reasons of `revolve-verify`.
mod why {
    pub(super) const ALGORITHM: &str = "the token names another algorithm than its key is for";
    pub(super) const AUDIENCE: &str = "the token is for another audience";
    pub(super) const EXPIRED: &str = "the token has expired";
    pub(super) const ISSUER: &str = "the token is from another issuer";
    pub(super) const SIGNATURE: &str = "the token's signature is wrong";
}

/// The tokens that each library issues with one algorithm: with `keys`, and, as an attacker would, with those of `strangers`.
pub(super) fn incoming(
    algorithm: &'static str,
    keys: &Value,
    strangers: &Value,
) -> Result<Vec<Incoming>> {
    let (own, public) = (&keys[algorithm]["private"], &keys[algorithm]["public"]);
    // RS256 and PS256 work with the same key; the others need one of the other kind.
    let (other_algorithm, other_key) = match algorithm {
        "RS256" => ("PS256", own),
        "PS256" => ("RS256", own),
        "ES256" => ("EdDSA", &keys["EdDSA"]["private"]),
        _ => ("ES256", &keys["ES256"]["private"]),
    };
    // Key confusion: the public key as a shared secret. Only its number, since libraries refuse to sign with what looks like a whole key.
    let secret = json!({ "kty": "oct", "k": if public["n"].is_string() { &public["n"] } else { &public["x"] } });
    let good = || Expected::Accepted {
        sub: UID.to_owned(),
        email: EMAIL.to_owned(),
    };
    let as_is = Ok as fn(Token) -> Result<Token>;
    let claims = claims()?;
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let past = issuer::now()? - 60;
    let with_own_key =
        |name, claims, spoil, expected| (name, algorithm, own, claims, spoil, expected);
    let refused = Expected::Refused;
    let stranger = &strangers[algorithm]["private"];
    let other_audience = with("aud", "another-service".into());
    let other_issuer = with("iss", "https://example.org".into());
    let expired = with("exp", past.into());
    let cases = [
        with_own_key("as issued", claims.clone(), as_is, good()),
        (
            "other algorithm",
            other_algorithm,
            other_key,
            claims.clone(),
            as_is,
            refused(why::ALGORITHM),
        ),
        (
            "key confusion",
            "HS256",
            &secret,
            claims.clone(),
            as_is,
            refused(why::ALGORITHM),
        ),
        (
            "other key",
            algorithm,
            stranger,
            claims.clone(),
            as_is,
            refused(why::SIGNATURE),
        ),
        with_own_key(
            "other claims",
            claims.clone(),
            |token| token.with_other_claims(),
            refused(why::SIGNATURE),
        ),
        with_own_key(
            "other signature",
            claims.clone(),
            |token| token.with_other_signature(),
            refused(why::SIGNATURE),
        ),
        with_own_key(
            "other audience",
            other_audience,
            as_is,
            refused(why::AUDIENCE),
        ),
        with_own_key("other issuer", other_issuer, as_is, refused(why::ISSUER)),
        with_own_key("expired", expired, as_is, refused(why::EXPIRED)),
    ];
    let incoming =
        |(name, with_algorithm, key, claims, spoil, expected): (_, &str, &Value, _, _, _)| {
            Incoming {
                algorithm,
                expected,
                spoil,
                task: Issue {
                    id: format!("{algorithm}, {name}"),
                    algorithm: with_algorithm.to_owned(),
                    key: key.clone(),
                    header: json!({ "typ": "JWT", "kid": public["kid"] }),
                    claims,
                },
            }
        };
    Ok(cases.map(incoming).into())
}

fn claims() -> Result<Value> {
    let now = issuer::now()?;
    Ok(json!({
        "iss": ISSUER,
        "sub": UID,
        "aud": AUDIENCE,
        "iat": now - 120,
        "exp": now + 600,
        "sid": "0199c6a5-2f1e-7a39-8a4e-1f6f0f0f0f10",
        "epoch": 0,
        "auth_time": now - 120,
        "amr": ["pwd"],
        "user": { "uid": UID, "email": EMAIL },
    }))
}

/// The key set that `revolve-verify` is given.
pub(super) fn key_set(keys: &Value) -> Value {
    let public: Vec<_> = keys
        .as_object()
        .into_iter()
        .flat_map(|keys| keys.values())
        .map(|pair| pair["public"].clone())
        .collect();
    json!({ "keys": public })
}

impl Expected {
    /// How a library's verdict differs, if it does.
    pub(super) fn fault(&self, verdict: &LibraryVerdict) -> Option<String> {
        let said = match (&verdict.accepted, &verdict.reason) {
            (Some(who), None) => format!("accepted {} {}", who.sub, who.email),
            (None, Some(reason)) => format!("refused: {reason}"),
            _ => return Some("neither accepted nor refused".to_owned()),
        };
        let error = verdict
            .error
            .as_ref()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default();
        self.fault_in(&said).map(|fault| fault + &error)
    }

    /// The same for a line of the form `accepted <sub> <email>` or `refused: <reason>`.
    pub(super) fn fault_in(&self, said: &str) -> Option<String> {
        let met = match self {
            Self::Accepted { sub, email } => said == format!("accepted {sub} {email}"),
            Self::Refused(reason) => said.strip_prefix("refused: ") == Some(*reason),
            Self::RefusedAnyhow => said.starts_with("refused: "),
        };
        (!met).then(|| format!("{said}; expected {self:?}"))
    }

    pub(super) fn is_acceptance(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::tools::Who;

    fn verdict(accepted: Option<(&str, &str)>, reason: Option<&str>) -> LibraryVerdict {
        let accepted = accepted.map(|(sub, email)| Who {
            sub: sub.to_owned(),
            email: email.to_owned(),
        });
        LibraryVerdict {
            id: String::new(),
            accepted,
            reason: reason.map(str::to_owned),
            error: None,
        }
    }

    #[test]
    fn only_what_was_expected_is_no_fault() {
        let good = Expected::Accepted {
            sub: "1".to_owned(),
            email: "a@b".to_owned(),
        };
        assert_eq!(good.fault(&verdict(Some(("1", "a@b")), None)), None);
        for other in [
            verdict(Some(("1", "eve@b")), None),
            verdict(None, Some("signature")),
            verdict(None, None),
        ] {
            assert!(good.fault(&other).is_some(), "{other:?}");
        }
        let refused = Expected::Refused("signature");
        assert_eq!(refused.fault(&verdict(None, Some("signature"))), None);
        for other in [
            verdict(None, Some("other")),
            verdict(Some(("1", "a@b")), None),
            verdict(Some(("1", "a@b")), Some("signature")),
        ] {
            assert!(refused.fault(&other).is_some(), "{other:?}");
        }
        assert_eq!(
            Expected::RefusedAnyhow.fault(&verdict(None, Some("whatever"))),
            None
        );
        assert!(Expected::RefusedAnyhow.fault_in("accepted 1 a@b").is_some());
    }

    #[test]
    fn each_algorithm_is_tried_with_every_way_to_go_wrong() {
        let pair =
            |kid: &str| json!({ "private": { "of": kid }, "public": { "kid": kid, "x": "AAAA" } });
        let keys = json!({ "RS256": pair("r"), "PS256": pair("p"), "ES256": pair("e"), "EdDSA": pair("d") });
        for (algorithm, kid) in [
            ("RS256", "r"),
            ("PS256", "p"),
            ("ES256", "e"),
            ("EdDSA", "d"),
        ] {
            let cases = incoming(algorithm, &keys, &keys).unwrap();
            assert_eq!(
                cases
                    .iter()
                    .filter(|case| case.expected.is_acceptance())
                    .count(),
                1
            );
            assert!(
                cases.iter().all(|case| case.task.header["kid"] == kid),
                "an attacker names the key of the service"
            );
            let wrong: Vec<_> = cases
                .iter()
                .filter(|case| case.task.algorithm != algorithm)
                .collect();
            assert!(
                wrong.len() == 2
                    && wrong
                        .iter()
                        .all(|case| case.expected == Expected::Refused(why::ALGORITHM))
            );
        }
        assert_eq!(key_set(&keys)["keys"].as_array().unwrap().len(), 4);
    }
}

//! The contract of [`TokenCodec`].

use super::variants;
use crate::contract::given::{START, device_id, email, label, secs, session_id, user_id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::{Details, Epoch, Generation, Timestamp, WebUrl},
    ports::{IdClaims, RefreshClaims, TokenCodec, TokenRejected, VerifiedId},
};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt::Debug, sync::Arc};

fn id_claims() -> IdClaims {
    let name = Some(label("Änn \"O'Neil\" 🦀"));
    let website = Some(WebUrl::parse("https://example.org/ann").expect("a URL"));
    IdClaims {
        user: user_id(),
        session: session_id(),
        epoch: Epoch::new(3),
        authenticated_at: START,
        issued_at: START.plus(secs(60)),
        expires_at: START.plus(secs(960)),
        email: email(),
        details: Details {
            name,
            website,
            image_url: None,
        },
    }
}

fn refresh_claims() -> RefreshClaims {
    RefreshClaims {
        user: user_id(),
        session: session_id(),
        generation: Generation::FIRST.next(),
        issued_at: START,
        expires_at: START.plus(secs(3 * 24 * 3600)),
        device: None,
    }
}

fn sign_id(codec: &Arc<dyn TokenCodec>, claims: &IdClaims) -> SecretString {
    codec.sign_id(claims).expect("signing an ID token works")
}

fn sign_refresh(codec: &Arc<dyn TokenCodec>, claims: &RefreshClaims) -> SecretString {
    codec
        .sign_refresh(claims)
        .expect("signing a refresh token works")
}

/// An ID token that was signed here is verified to its user and session.
pub async fn an_id_token_names_its_user_and_session(codec: &Arc<dyn TokenCodec>) {
    let full = id_claims();
    let bare = IdClaims {
        details: Details::default(),
        epoch: Epoch::FIRST,
        ..id_claims()
    };
    for claims in [full, bare] {
        let verified = codec.verify_id(&sign_id(codec, &claims), claims.issued_at.plus(secs(5)));
        assert_eq!(
            verified,
            Ok(VerifiedId {
                user: claims.user,
                session: claims.session
            }),
            "whose token it is"
        );
    }
}

/// An ID token is valid before its `exp`, not at it or after it (RFC 7519 §4.1.4).
pub async fn an_id_token_expires(codec: &Arc<dyn TokenCodec>) {
    let claims = id_claims();
    let token = sign_id(codec, &claims);
    let last = Timestamp::from_millis(claims.expires_at.as_millis() - 1);
    assert!(
        codec.verify_id(&token, last).is_ok(),
        "a millisecond before its exp"
    );
    for now in [
        claims.expires_at,
        claims.expires_at.plus(secs(1)),
        claims.expires_at.plus(secs(1_000_000)),
    ] {
        assert_eq!(
            codec.verify_id(&token, now),
            Err(TokenRejected::Expired),
            "at its exp or after"
        );
    }
}

/// A refresh token has all of its claims, also the largest generation.
pub async fn a_refresh_token_says_all_of_its_claims(codec: &Arc<dyn TokenCodec>) {
    let plain = refresh_claims();
    let bound = RefreshClaims {
        device: Some(device_id()),
        ..refresh_claims()
    };
    let first = RefreshClaims {
        generation: Generation::FIRST,
        ..refresh_claims()
    };
    let last = RefreshClaims {
        generation: Generation::MAX,
        ..refresh_claims()
    };
    for claims in [plain, bound, first, last] {
        assert_eq!(
            codec.verify_refresh(&sign_refresh(codec, &claims)),
            Ok(claims),
            "the claims that were signed"
        );
    }
}

/// The same claims give the same refresh token, byte for byte; different claims a different one.
pub async fn a_refresh_token_is_signed_the_same_each_time(codec: &Arc<dyn TokenCodec>) {
    let claims = refresh_claims();
    let token = sign_refresh(codec, &claims);
    assert_eq!(
        token.expose_secret(),
        sign_refresh(codec, &claims).expose_secret(),
        "the same claims"
    );
    let others = [
        RefreshClaims {
            generation: claims.generation.next(),
            ..claims
        },
        RefreshClaims {
            device: Some(device_id()),
            ..claims
        },
        RefreshClaims {
            issued_at: claims.issued_at.plus(secs(1)),
            ..claims
        },
        RefreshClaims {
            expires_at: claims.expires_at.plus(secs(1)),
            ..claims
        },
        RefreshClaims {
            session: session_id(),
            ..claims
        },
    ];
    for other in others {
        assert_ne!(
            token.expose_secret(),
            sign_refresh(codec, &other).expose_secret(),
            "{other:?}"
        );
    }
}

/// A refresh token past its `exp` is verified: the white list decides on its expiry.
pub async fn a_refresh_token_is_verified_past_its_life(codec: &Arc<dyn TokenCodec>) {
    let long_ago = Timestamp::from_seconds(1_000_000_000);
    let claims = RefreshClaims {
        issued_at: long_ago,
        expires_at: long_ago.plus(secs(60)),
        ..refresh_claims()
    };
    assert_eq!(
        codec.verify_refresh(&sign_refresh(codec, &claims)),
        Ok(claims),
        "the claims of an expired token"
    );
}

/// One kind of token is never accepted as the other.
pub async fn neither_token_passes_as_the_other(codec: &Arc<dyn TokenCodec>) {
    let (id, refresh) = (
        sign_id(codec, &id_claims()),
        sign_refresh(codec, &refresh_claims()),
    );
    assert_eq!(
        codec.verify_refresh(&id),
        Err(TokenRejected::Invalid),
        "an ID token as a refresh token"
    );
    assert_eq!(
        codec.verify_id(&refresh, START.plus(secs(60))),
        Err(TokenRejected::Invalid),
        "a refresh token as an ID token"
    );
}

/// A token that was tampered with, cut or combined from two is refused.
pub async fn a_changed_token_is_refused(codec: &Arc<dyn TokenCodec>) {
    let now = START.plus(secs(60));
    let (id, other_id) = (sign_id(codec, &id_claims()), sign_id(codec, &id_claims()));
    for forged in forgeries(id.expose_secret(), other_id.expose_secret()) {
        let verified = codec.verify_id(&SecretString::from(forged.as_str()), now);
        assert_refused(&verified, &forged, &id);
    }
    let (refresh, other_refresh) = (
        sign_refresh(codec, &refresh_claims()),
        sign_refresh(codec, &refresh_claims()),
    );
    for forged in forgeries(refresh.expose_secret(), other_refresh.expose_secret()) {
        let verified = codec.verify_refresh(&SecretString::from(forged.as_str()));
        assert_refused(&verified, &forged, &refresh);
    }
}

/// A forged token is invalid; where its header is changed, it may name another key.
fn assert_refused<T: Debug + PartialEq>(
    verified: &Result<T, TokenRejected>,
    forged: &str,
    token: &SecretString,
) {
    let header = token.expose_secret().split('.').next();
    if forged.split('.').next() == header || *verified != Err(TokenRejected::UnknownKey) {
        assert_eq!(*verified, Err(TokenRejected::Invalid), "{forged}");
    }
}

fn forgeries(token: &str, other: &str) -> Vec<String> {
    let mut forged = variants(token);
    if let (Some((signed, signature)), Some((_, other_signature))) =
        (token.rsplit_once('.'), other.rsplit_once('.'))
    {
        forged.extend([
            signed.to_owned(),
            format!("{signed}."),
            format!("{signed}.{other_signature}"),
        ]);
        forged.extend([
            format!("{signed}.{}", &signature[..signature.len() / 2]),
            format!("{token}.{signature}"),
        ]);
    }
    forged
}

/// A forged token is invalid, also past its `exp`.
pub async fn a_changed_token_is_invalid_even_when_expired(codec: &Arc<dyn TokenCodec>) {
    let claims = id_claims();
    let (token, other) = (sign_id(codec, &claims), sign_id(codec, &id_claims()));
    for forged in forgeries(token.expose_secret(), other.expose_secret()) {
        let verified = codec.verify_id(
            &SecretString::from(forged.as_str()),
            claims.expires_at.plus(secs(60)),
        );
        assert_refused(&verified, &forged, &token);
    }
}

/// Other text is refused without harm.
pub async fn what_is_no_token_is_refused(codec: &Arc<dyn TokenCodec>) {
    for text in [
        "",
        ".",
        "..",
        "...",
        "....",
        "e30.e30.e30",
        "token",
        "🦀.🦀.🦀",
        " ",
        &"A".repeat(100_000),
        &".".repeat(10_000),
    ] {
        let token = SecretString::from(text);
        assert_eq!(
            codec.verify_id(&token, START),
            Err(TokenRejected::Invalid),
            "as an ID token"
        );
        assert_eq!(
            codec.verify_refresh(&token),
            Err(TokenRejected::Invalid),
            "as a refresh token"
        );
    }
}

/// The algorithm is the key's, never the token's (RFC 8725 §3.1): a JWT that says `none`, or another algorithm, over
/// the claims of a valid one is refused.
pub async fn an_unsigned_token_is_refused(codec: &Arc<dyn TokenCodec>) {
    let (id, refresh) = (
        sign_id(codec, &id_claims()),
        sign_refresh(codec, &refresh_claims()),
    );
    let now = START.plus(secs(60));
    for algorithm in [
        "none", "None", "NONE", "HS256", "RS256", "ES256", "EdDSA", "",
    ] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#));
        for (token, is_id) in [(&id, true), (&refresh, false)] {
            let mut parts = token.expose_secret().split('.').skip(1);
            let (claims, signature) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            for signature in ["", signature] {
                let forged = SecretString::from(format!("{header}.{claims}.{signature}"));
                let refused = if is_id {
                    codec.verify_id(&forged, now).map(drop)
                } else {
                    codec.verify_refresh(&forged).map(drop)
                };
                assert_eq!(
                    refused,
                    Err(TokenRejected::Invalid),
                    "a token with the header alg={algorithm:?}"
                );
            }
        }
    }
}

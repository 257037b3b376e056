//! The contract of [`TokenCodec`].

use super::variants;
use crate::contract::given::{
    START, app, device_id, email, full_app, label, roles, secs, session_id, user_id,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::{
        AccountVersion, AppData, AuthMethods, Details, Epoch, Generation, Label, Roles, Timestamp,
        WebUrl,
    },
    ports::{
        IdClaims, ReauthenticationClaims, RefreshClaims, TokenCodec, TokenRejected, VerifiedId,
    },
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
        authenticated_by: AuthMethods::CODE_AND_PASSWORD,
        issued_at: START.plus(secs(60)),
        expires_at: START.plus(secs(960)),
        email: email(),
        email_verified: true,
        details: Details {
            name,
            website,
            image_url: None,
            locale: None,
        },
        roles: roles(&["admin", "billing:read"]),
        app: app(r#"{ "plan": "pro", "odd": ["\u0000", "ä\"", null, { "seats": 2.5 }] }"#),
        version: AccountVersion::at(START),
    }
}

/// About as long as an account can make a token.
fn longest_id_claims() -> IdClaims {
    let (host, longest) = ("https://example.org/?", WebUrl::MAX);
    // Each of these takes two characters in JSON.
    let url = format!("{host}{}", "\\".repeat(longest - host.len()));
    let url = Some(WebUrl::parse(&url).expect("a URL"));
    let all_roles: Vec<_> = (0..Roles::MAX).map(|n| format!("{n:0>64}")).collect();
    let all_roles: Vec<_> = all_roles.iter().map(String::as_str).collect();
    IdClaims {
        details: Details {
            name: Some(label(&"🦀".repeat(Label::MAX))),
            website: url.clone(),
            image_url: url,
            locale: None,
        },
        roles: roles(&all_roles),
        app: full_app(),
        version: AccountVersion::MAX,
        ..id_claims()
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

fn reauthentication_claims() -> ReauthenticationClaims {
    ReauthenticationClaims {
        user: user_id(),
        session: session_id(),
        epoch: Epoch::new(3),
        issued_at: START,
        expires_at: START.plus(secs(300)),
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

fn set_up_claims() -> VerifiedId {
    VerifiedId {
        user: user_id(),
        session: session_id(),
        issued_at: START.plus(secs(60)),
        expires_at: START.plus(secs(960)),
    }
}

fn sign_reauthentication(
    codec: &Arc<dyn TokenCodec>,
    claims: &ReauthenticationClaims,
) -> SecretString {
    codec
        .sign_reauthentication(claims)
        .expect("signing a reauthentication works")
}

/// An ID token that was signed here is verified to its user, its session and its times.
pub async fn an_id_token_names_its_user_and_session(codec: &Arc<dyn TokenCodec>) {
    let full = id_claims();
    let bare = IdClaims {
        details: Details::default(),
        epoch: Epoch::FIRST,
        roles: Roles::default(),
        app: AppData::default(),
        version: AccountVersion::default(),
        ..id_claims()
    };
    for claims in [full, bare, longest_id_claims()] {
        let verified = codec.verify_id(&sign_id(codec, &claims), claims.issued_at.plus(secs(5)));
        assert_eq!(
            verified,
            Ok(VerifiedId {
                user: claims.user,
                session: claims.session,
                issued_at: claims.issued_at,
                expires_at: claims.expires_at,
            }),
            "whose token it is, and its times"
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

/// A reauthentication has all of its claims, and is valid before its `exp`, not at it or after it.
pub async fn a_reauthentication_says_its_claims_until_it_expires(codec: &Arc<dyn TokenCodec>) {
    let raised = reauthentication_claims();
    let first = ReauthenticationClaims {
        epoch: Epoch::FIRST,
        ..reauthentication_claims()
    };
    for claims in [raised, first] {
        let token = sign_reauthentication(codec, &claims);
        let last = Timestamp::from_millis(claims.expires_at.as_millis() - 1);
        for now in [claims.issued_at, last] {
            assert_eq!(
                codec.verify_reauthentication(&token, now),
                Ok(claims),
                "the claims that were signed"
            );
        }
        for now in [claims.expires_at, claims.expires_at.plus(secs(1_000_000))] {
            assert_eq!(
                codec.verify_reauthentication(&token, now),
                Err(TokenRejected::Expired),
                "at its exp or after"
            );
        }
    }
}

/// What stands in the place of an ID token names account, session and times, and is valid before its `exp`.
pub async fn what_stands_for_an_id_token_says_its_claims_until_it_expires(
    codec: &Arc<dyn TokenCodec>,
) {
    let claims = set_up_claims();
    let token = codec.sign_set_up(&claims).expect("signing works");
    let last = Timestamp::from_millis(claims.expires_at.as_millis() - 1);
    for now in [claims.issued_at, last] {
        assert_eq!(codec.verify_set_up(&token, now), Ok(claims));
    }
    for now in [claims.expires_at, claims.expires_at.plus(secs(1_000_000))] {
        let verified = codec.verify_set_up(&token, now);
        assert_eq!(verified, Err(TokenRejected::Expired), "at its exp or after");
    }
}

/// One kind of token is never accepted as another.
pub async fn no_token_passes_as_one_of_another_kind(codec: &Arc<dyn TokenCodec>) {
    let now = START.plus(secs(60));
    let (id, refresh, reauthentication) = (
        sign_id(codec, &id_claims()),
        sign_refresh(codec, &refresh_claims()),
        sign_reauthentication(codec, &reauthentication_claims()),
    );
    let set_up = codec.sign_set_up(&set_up_claims());
    let set_up = set_up.expect("signing works");
    for (kind, other) in [
        ("an ID token", &id),
        ("a refresh token", &refresh),
        ("a reauthentication", &reauthentication),
    ] {
        assert_eq!(
            codec.verify_set_up(other, now),
            Err(TokenRejected::Invalid),
            "{kind} in the place of an ID token"
        );
    }
    for (kind, other) in [
        ("a refresh token", &refresh),
        ("a reauthentication", &reauthentication),
        ("what stands for an ID token", &set_up),
    ] {
        assert_eq!(
            codec.verify_id(other, now),
            Err(TokenRejected::Invalid),
            "{kind} as an ID token"
        );
    }
    for (kind, other) in [
        ("an ID token", &id),
        ("a reauthentication", &reauthentication),
        ("what stands for an ID token", &set_up),
    ] {
        assert_eq!(
            codec.verify_refresh(other),
            Err(TokenRejected::Invalid),
            "{kind} as a refresh token"
        );
    }
    for (kind, other) in [
        ("an ID token", &id),
        ("a refresh token", &refresh),
        ("what stands for an ID token", &set_up),
    ] {
        assert_eq!(
            codec.verify_reauthentication(other, now),
            Err(TokenRejected::Invalid),
            "{kind} as a reauthentication"
        );
    }
}

/// The head of one kind of token makes nothing of the rest of another, whatever they have in common.
pub async fn the_head_of_one_kind_makes_nothing_of_another(codec: &Arc<dyn TokenCodec>) {
    let now = START.plus(secs(60));
    let refresh = sign_refresh(codec, &refresh_claims());
    let reauthentication = sign_reauthentication(codec, &reauthentication_claims());
    let with_head_of = |head: &SecretString, rest: &SecretString| {
        let (head, rest) = (head.expose_secret(), rest.expose_secret());
        let head = head.split('.').next().unwrap_or_default();
        let rest = rest.split_once('.').map_or("", |(_, rest)| rest);
        SecretString::from(format!("{head}.{rest}"))
    };
    assert_eq!(
        codec.verify_reauthentication(&with_head_of(&reauthentication, &refresh), now),
        Err(TokenRejected::Invalid)
    );
    assert_eq!(
        codec.verify_refresh(&with_head_of(&refresh, &reauthentication)),
        Err(TokenRejected::Invalid)
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
    let (mine, others) = (
        sign_reauthentication(codec, &reauthentication_claims()),
        sign_reauthentication(codec, &reauthentication_claims()),
    );
    for forged in forgeries(mine.expose_secret(), others.expose_secret()) {
        let verified = codec.verify_reauthentication(&SecretString::from(forged.as_str()), now);
        assert_refused(&verified, &forged, &mine);
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
        assert_eq!(
            codec.verify_reauthentication(&token, START),
            Err(TokenRejected::Invalid),
            "as a reauthentication"
        );
    }
}

type Verify<'c> = Box<dyn Fn(&SecretString) -> Result<(), TokenRejected> + 'c>;

/// The algorithm is the key's, never the token's (RFC 8725 §3.1): a JWT that says `none`, or another algorithm, over
/// the claims of a valid one is refused.
pub async fn an_unsigned_token_is_refused(codec: &Arc<dyn TokenCodec>) {
    let now = START.plus(secs(60));
    let kinds: [(SecretString, Verify<'_>); 3] = [
        (
            sign_id(codec, &id_claims()),
            Box::new(|token| codec.verify_id(token, now).map(drop)),
        ),
        (
            sign_refresh(codec, &refresh_claims()),
            Box::new(|token| codec.verify_refresh(token).map(drop)),
        ),
        (
            sign_reauthentication(codec, &reauthentication_claims()),
            Box::new(|token| codec.verify_reauthentication(token, now).map(drop)),
        ),
    ];
    for algorithm in [
        "none", "None", "NONE", "HS256", "RS256", "ES256", "EdDSA", "",
    ] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#));
        for (token, verify) in &kinds {
            let mut parts = token.expose_secret().split('.').skip(1);
            let (claims, signature) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            for signature in ["", signature] {
                let forged = SecretString::from(format!("{header}.{claims}.{signature}"));
                assert_eq!(
                    verify(&forged),
                    Err(TokenRejected::Invalid),
                    "a token with the header alg={algorithm:?}"
                );
            }
        }
    }
}

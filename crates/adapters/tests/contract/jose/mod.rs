//! josekit tokens and MAC device credentials.

mod ring;
mod vault;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_adapters::{
    jose::{
        Algorithm, CodecConfig, IdKey, JoseTokens, MacDeviceCredentials, MacProofSecrets, MasterKey,
    },
    system::SystemEntropy,
};
use revolve_domain::{
    model::{
        AccountVersion, AppData, AuthMethods, Details, EmailAddress, Epoch, Generation, Label,
        Role, Roles, SessionId, Timestamp, UserId, WebUrl,
    },
    ports::{
        DeviceCredentials, Entropy, IdClaims, ProofSecrets, RefreshClaims, RevocationSigner,
        TokenCodec, TokenRejected,
    },
    revocations::{
        CommitSnapshot, EndsOfMinute, FeedVersion, LivingOnly, OutdatedTokens, PackedStatement,
        RaisedEpoch, RevocationStatement,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Digest;
use std::{sync::Arc, time::Duration};

fn master() -> MasterKey {
    MasterKey::parse(&MasterKey::encode([
        SystemEntropy.bytes(),
        SystemEntropy.bytes(),
    ]))
    .unwrap()
}

/// Tokens that are signed with the key in `pem`, for an issuer and an audience.
fn codec_of(
    algorithm: Algorithm,
    issuer: &str,
    audience: &str,
    pem: &SecretString,
    master: &MasterKey,
) -> JoseTokens {
    let config = CodecConfig {
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
    };
    let key = IdKey::from_pem(algorithm, pem).unwrap();
    JoseTokens::new(config, key, master).unwrap()
}

fn codec(algorithm: Algorithm) -> Arc<dyn TokenCodec> {
    let pem = IdKey::generate(algorithm).unwrap();
    Arc::new(codec_of(
        algorithm,
        "https://accounts.example.org",
        "services",
        &pem,
        &master(),
    ))
}

macro_rules! with_each_algorithm {
    ($($module:ident: $algorithm:ident),+ $(,)?) => { $(
        mod $module {
            use super::*;

            async fn make() -> Arc<dyn TokenCodec> {
                codec(Algorithm::$algorithm)
            }

            revolve_testkit::codec_contract!(make);
        }
    )+ };
}

with_each_algorithm!(rs256: Rs256, ps256: Ps256, es256: Es256, eddsa: EdDsa, ed25519: Ed25519);

/// Claims that are issued at second 1000 and live a minute.
fn claims() -> (IdClaims, RefreshClaims) {
    let now = Timestamp::from_seconds(1_000);
    let (user, session) = (
        UserId::from_random(SystemEntropy.bytes()),
        SessionId::from_random(SystemEntropy.bytes()),
    );
    let (issued_at, expires_at) = (now, now.plus(Duration::from_mins(1)));
    let id = IdClaims {
        user,
        session,
        epoch: Epoch::FIRST,
        authenticated_at: now,
        authenticated_by: AuthMethods::PASSWORD,
        issued_at,
        expires_at,
        email: EmailAddress::parse("ann@example.org").unwrap(),
        email_verified: true,
        details: Details::default(),
        roles: Roles::default(),
        app: AppData::default(),
        version: AccountVersion::at(now),
    };
    let refresh = RefreshClaims {
        user,
        session,
        generation: Generation::FIRST,
        issued_at,
        expires_at,
        device: None,
    };
    (id, refresh)
}

#[test]
fn tokens_of_another_issuer_audience_or_key_are_refused() {
    let (pem, other_pem) = (
        IdKey::generate(Algorithm::EdDsa).unwrap(),
        IdKey::generate(Algorithm::EdDsa).unwrap(),
    );
    let (key, other_key) = (master(), master());
    let ours = codec_of(
        Algorithm::EdDsa,
        "https://ours.example.org",
        "services",
        &pem,
        &key,
    );
    let (id, refresh) = claims();
    let now = id.issued_at;
    let (id_token, refresh_token) = (
        ours.sign_id(&id).unwrap(),
        ours.sign_refresh(&refresh).unwrap(),
    );
    assert!(ours.verify_id(&id_token, now).is_ok() && ours.verify_refresh(&refresh_token).is_ok());

    let other_issuer = codec_of(
        Algorithm::EdDsa,
        "https://theirs.example.org",
        "services",
        &pem,
        &key,
    );
    assert_eq!(
        other_issuer.verify_id(&id_token, now),
        Err(TokenRejected::Invalid)
    );
    assert_eq!(
        other_issuer.verify_refresh(&refresh_token),
        Err(TokenRejected::Invalid)
    );
    let other_audience = codec_of(
        Algorithm::EdDsa,
        "https://ours.example.org",
        "others",
        &pem,
        &key,
    );
    assert_eq!(
        other_audience.verify_id(&id_token, now),
        Err(TokenRejected::Invalid)
    );
    let other_keys = codec_of(
        Algorithm::EdDsa,
        "https://ours.example.org",
        "services",
        &other_pem,
        &other_key,
    );
    assert_eq!(
        other_keys.verify_id(&id_token, now),
        Err(TokenRejected::UnknownKey)
    );
    assert_eq!(
        other_keys.verify_refresh(&refresh_token),
        Err(TokenRejected::UnknownKey)
    );
}

/// Header and claims of a JWS, unverified.
fn parts(jws: &SecretString) -> [serde_json::Value; 2] {
    let mut parts = jws
        .expose_secret()
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

#[test]
fn an_id_token_has_standard_claims_beside_the_user_and_what_operators_say() {
    let pem = IdKey::generate(Algorithm::EdDsa).unwrap();
    let (issuer, audience) = ("https://accounts.example.org", "services");
    let tokens = codec_of(Algorithm::EdDsa, issuer, audience, &pem, &master());
    let (bare, _) = claims();
    let full = IdClaims {
        details: Details {
            name: Some(Label::parse("Ann").unwrap()),
            image_url: Some(WebUrl::parse("https://example.org/ann.png").unwrap()),
            ..Details::default()
        },
        roles: Roles::new(["b", "a"].map(|role| Role::parse(role).unwrap())).unwrap(),
        app: AppData::parse(r#"{ "plan": "pro" }"#).unwrap(),
        version: AccountVersion::new(17).unwrap(),
        ..bare.clone()
    };
    let (email, image) = ("ann@example.org", "https://example.org/ann.png");
    let always = json!({
        "iss": issuer, "aud": audience, "sub": bare.user, "sid": bare.session, "epoch": 0,
        "iat": 1000, "exp": 1060, "auth_time": 1000, "amr": ["pwd"], "email": email, "email_verified": true,
    });
    for (claims, more) in [
        (
            &full,
            json!({
                "name": "Ann", "picture": image, "roles": ["a", "b"], "app": { "plan": "pro" }, "version": 17,
                "user": { "uid": bare.user, "email": email, "name": "Ann", "imageUrl": image },
            }),
        ),
        (
            &bare,
            json!({ "version": 1_000_000, "user": { "uid": bare.user, "email": email } }),
        ),
    ] {
        let token = tokens.sign_id(claims).unwrap();
        let mut expected = always.clone();
        let more = more.as_object().unwrap().clone();
        expected.as_object_mut().unwrap().extend(more);
        let [_, found] = parts(&token);
        assert_eq!(found, expected);
        assert!(tokens.verify_id(&token, claims.issued_at).is_ok());
    }
}

#[test]
fn a_statement_of_revocations_says_what_it_is_and_is_no_token() {
    for algorithm in Algorithm::ALL {
        let pem = IdKey::generate(algorithm).unwrap();
        let (issuer, audience) = ("https://accounts.example.org", "services");
        let tokens = codec_of(algorithm, issuer, audience, &pem, &master());
        let (ended, kept) = (
            SessionId::from_random([1; 16]),
            SessionId::from_random([2; 16]),
        );
        let (ann, bob) = (UserId::from_random([3; 16]), UserId::from_random([4; 16]));
        let raised = |user, kept| RaisedEpoch {
            user,
            epoch: Epoch::new(7),
            kept,
            at: Timestamp::from_seconds(990),
        };
        let statement = RevocationStatement {
            as_of: Timestamp::from_seconds(1_000),
            window: Duration::from_mins(16),
            sessions: vec![(ended, Timestamp::from_millis(990_999))],
            users: vec![raised(ann, Some(kept)), raised(bob, None)],
            outdated: vec![(bob, AccountVersion::new(17).unwrap())],
        };
        let jws = tokens.sign_revocations(&statement).unwrap();
        let [header, claims] = parts(&jws);
        let kid = IdKey::from_pem(algorithm, &pem).unwrap().id().to_owned();
        assert_eq!(
            header,
            json!({ "alg": algorithm.name(), "kid": kid, "typ": "revocations+jwt" })
        );
        let users = json!([[ann, 7, kept], [bob, 7, null]]);
        let (iss, sessions) = ("https://accounts.example.org", json!([[ended, 990]]));
        assert_eq!(
            claims,
            json!({
                "iss": iss, "iat": 1000, "exp": 1960, "window": 960, "sessions": sessions, "users": users, "outdated": [[bob, 17]],
            })
        );
        assert_eq!(
            tokens.verify_id(&jws, Timestamp::from_seconds(1_000)),
            Err(TokenRejected::Invalid)
        );
        assert_eq!(tokens.verify_refresh(&jws), Err(TokenRejected::Invalid));
    }
}

#[test]
fn a_packed_statement_signs_the_digest_of_its_ids_and_is_no_plain_one() {
    let algorithm = Algorithm::Es256;
    let pem = IdKey::generate(algorithm).unwrap();
    let (issuer, audience) = ("https://accounts.example.org", "services");
    let tokens = codec_of(algorithm, issuer, audience, &pem, &master());
    let session = |byte| SessionId::from_random([byte; 16]);
    let version = |last| FeedVersion {
        as_of: Timestamp::from_seconds(1_000),
        snapshot: CommitSnapshot::serial(9, last),
    };
    let (ann, bob) = (UserId::from_random([3; 16]), UserId::from_random([4; 16]));
    let statement = PackedStatement {
        as_of: Timestamp::from_seconds(1_000),
        window: Duration::from_mins(16),
        version: version(5),
        since: Some(version(4)),
        ends: vec![
            EndsOfMinute {
                before: Timestamp::from_seconds(960),
                sessions: vec![session(1)],
            },
            EndsOfMinute {
                before: Timestamp::from_seconds(1_020),
                sessions: vec![session(2), session(5)],
            },
        ],
        only: LivingOnly {
            issued_before: Timestamp::from_seconds(880),
            users: vec![(ann, vec![session(6)])],
        },
        outdated: vec![OutdatedTokens {
            user: bob,
            before: AccountVersion::new(0x0102_0304).unwrap(),
            at: Timestamp::from_millis(999_999),
            commit: 5,
        }],
    };
    let text = tokens.sign_packed(&statement).unwrap();
    let (jws, ids) = text.split_once('~').unwrap();
    let [header, claims] = parts(&jws.into());
    assert_eq!(header["typ"], "packed-revocations+jwt");
    let bytes = |byte| session(byte).as_uuid().as_bytes().to_vec();
    let user = |user: UserId| user.as_uuid().as_bytes().to_vec();
    let outdated = vec![0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 3, 231];
    let ended = [bytes(1), bytes(2), bytes(5), user(bob), outdated];
    let living = [user(ann), vec![0, 1], bytes(6)];
    let expected = [ended.concat(), living.concat()].concat();
    assert_eq!(URL_SAFE_NO_PAD.decode(ids).unwrap(), expected);
    assert_eq!(
        claims,
        json!({
            "iss": "https://accounts.example.org", "iat": 1000, "exp": 1960, "window": 960,
            "version": "9.1000.6.0", "since": "9.1000.5.0",
            "sessions": [[960, 1], [1020, 2], [1000, 2]], "outdated": 1, "only": { "issued_before": 880, "users": 1 },
            "digest": URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(ids)),
        })
    );
}

mod proofs {
    use super::*;

    #[expect(clippy::unused_async, reason = "the contract's macro awaits it")]
    async fn make() -> Arc<dyn ProofSecrets> {
        Arc::new(MacProofSecrets::new(&master()))
    }

    revolve_testkit::proof_secrets_contract!(make);
}

mod devices {
    use super::*;

    #[expect(clippy::unused_async, reason = "the contract's macro awaits it")]
    async fn make() -> Arc<dyn DeviceCredentials> {
        Arc::new(MacDeviceCredentials::new(&master()))
    }

    revolve_testkit::device_credentials_contract!(make);

    #[test]
    fn a_credential_of_an_earlier_master_key_counts_while_that_is_given() {
        let texts = [[1; 16], [2; 16], [3; 16]].map(|half| MasterKey::encode([half; 2]));
        let key = |at: usize| MasterKey::parse(&texts[at]).unwrap();
        let device = revolve_domain::model::DeviceId::from_random(SystemEntropy.bytes());
        let old = MacDeviceCredentials::new(&key(0)).issue(device);
        let both = MacDeviceCredentials::new(&key(1).with_previous(vec![key(2), key(0)]));
        assert_eq!(both.verify(&old), Some(device));
        let new = both.issue(device);
        assert_eq!(
            MacDeviceCredentials::new(&key(1)).verify(&new),
            Some(device),
            "what is new is issued under the present one"
        );
        assert_eq!(MacDeviceCredentials::new(&key(1)).verify(&old), None);
    }

    #[test]
    fn another_installation_issues_other_credentials() {
        let (here, there) = (
            MacDeviceCredentials::new(&master()),
            MacDeviceCredentials::new(&master()),
        );
        let device = revolve_domain::model::DeviceId::from_random(SystemEntropy.bytes());
        assert_eq!(here.verify(&here.issue(device)), Some(device));
        assert_eq!(there.verify(&here.issue(device)), None);
    }
}

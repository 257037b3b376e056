//! What minting and verifying a token takes, for each algorithm: `cargo bench -p revolve-bench --bench tokens`.
#![expect(clippy::expect_used, reason = "a benchmark that can't go on fails")]

use criterion::{Criterion, criterion_group, criterion_main};
use revolve_adapters::jose::{CodecConfig, IdKey, JoseTokens, MasterKey};
use revolve_domain::{
    keys::Algorithm,
    model::{
        AccountVersion, AppData, AuthMethods, Details, EmailAddress, Epoch, Generation, Roles,
        SessionId, Timestamp, UserId,
    },
    ports::{IdClaims, RefreshClaims, TokenCodec},
};
use std::hint::black_box;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_000_900);

fn codec(algorithm: Algorithm) -> JoseTokens {
    let key = IdKey::from_pem(
        algorithm,
        &IdKey::generate(algorithm).expect("a key is made"),
    )
    .expect("it is read");
    let master = MasterKey::parse(&MasterKey::encode([[1; 16], [2; 16]])).expect("32 bytes");
    let config = CodecConfig {
        issuer: "http://localhost:8080".to_owned(),
        audience: "revolve".to_owned(),
    };
    JoseTokens::new(config, key, &master).expect("the keys fit")
}

fn id_claims() -> IdClaims {
    IdClaims {
        user: UserId::from_random([1; 16]),
        session: SessionId::from_random([2; 16]),
        epoch: Epoch::default(),
        authenticated_at: NOW,
        authenticated_by: AuthMethods::PASSWORD,
        issued_at: NOW,
        expires_at: LATER,
        email: EmailAddress::parse("ann@example.org").expect("an address"),
        email_verified: true,
        details: Details::default(),
        roles: Roles::default(),
        app: AppData::default(),
        version: AccountVersion::at(NOW),
    }
}

fn refresh_claims() -> RefreshClaims {
    let (user, session) = (
        UserId::from_random([1; 16]),
        SessionId::from_random([2; 16]),
    );
    RefreshClaims {
        user,
        session,
        generation: Generation::FIRST,
        issued_at: NOW,
        expires_at: LATER,
        device: None,
    }
}

fn tokens(criterion: &mut Criterion) {
    let (id, refresh) = (id_claims(), refresh_claims());
    for algorithm in Algorithm::ALL {
        let codec = codec(algorithm);
        let token = codec.sign_id(&id).expect("it is signed");
        criterion.bench_function(&format!("mint an ID token, {algorithm}"), |bencher| {
            bencher.iter(|| codec.sign_id(black_box(&id)));
        });
        let verify = |bencher: &mut criterion::Bencher<'_>| {
            bencher.iter(|| codec.verify_id(black_box(&token), NOW));
        };
        criterion.bench_function(&format!("verify an ID token, {algorithm}"), verify);
    }
    let codec = codec(Algorithm::Es256);
    let token = codec.sign_refresh(&refresh).expect("it is signed");
    criterion.bench_function("mint a refresh token", |bencher| {
        bencher.iter(|| codec.sign_refresh(black_box(&refresh)));
    });
    criterion.bench_function("verify a refresh token", |bencher| {
        bencher.iter(|| codec.verify_refresh(black_box(&token)));
    });
}

criterion_group!(benches, tokens);
criterion_main!(benches);

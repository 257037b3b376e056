//! Redis over TLS, against a real one: what is trusted works, everything else is refused with a word about what to do.

use super::{faults::full_message, new_session, random, rotation, variable};
use revolve_adapters::{
    redis::{RedisConfig, RedisTokens},
    tls::{TlsIdentity, TlsSettings},
};
use revolve_domain::{
    model::UserId,
    ports::{StoreErrorKind, TokenRepository},
    rotation::RotationOutcome,
};
use std::{path::Path, time::Duration};

/// A file of the test's certificates.
fn file(name: &str) -> Option<String> {
    let folder = variable("REVOLVE_TEST_TLS_DIR")?;
    Some(std::fs::read_to_string(Path::new(&folder).join(name)).expect("the file is there"))
}

fn trusting(authority: &str) -> Option<TlsSettings> {
    Some(TlsSettings {
        authorities: Some(file(authority)?),
        identity: None,
    })
}

fn config(url: &str, tls: TlsSettings) -> RedisConfig {
    RedisConfig {
        tls,
        timeout: Duration::from_secs(5),
        ..RedisConfig::new(url.to_owned().into())
    }
}

async fn works(config: RedisConfig) {
    let tokens = RedisTokens::connect(config).await.unwrap();
    let new = new_session(UserId::from_random(random()));
    tokens.begin(new).await.unwrap();
    assert!(matches!(
        tokens.rotate(&rotation(&new, 1)).await.unwrap(),
        RotationOutcome::Rotated(_)
    ));
    tokens.end(new.user, &[new.session]).await.unwrap();
}

async fn refusal(url: &str, tls: TlsSettings) -> String {
    let error = RedisTokens::connect(config(url, tls)).await.unwrap_err();
    assert_eq!(
        error.kind(),
        StoreErrorKind::Unavailable,
        "{}",
        full_message(&error)
    );
    full_message(&error)
}

#[tokio::test]
async fn a_server_that_a_trusted_authority_vouches_for_will_do() {
    let (Some(url), Some(tls)) = (variable("REVOLVE_TEST_REDIS_TLS_URL"), trusting("ca.pem"))
    else {
        return;
    };
    works(config(&url, tls)).await;
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_refused() {
    let (Some(url), Some(other)) = (
        variable("REVOLVE_TEST_REDIS_TLS_URL"),
        trusting("other-ca.pem"),
    ) else {
        return;
    };
    let message = refusal(&url, other).await;
    assert!(
        message.contains("give that authority's certificate as ca_file"),
        "{message}"
    );
    // The authority of a test is none that the system trusts; where the system trusts none, that is what is said.
    let error = RedisTokens::connect(config(&url, TlsSettings::default()))
        .await
        .unwrap_err();
    assert!(
        super::faults::full_message(&error).contains("ca_file"),
        "{}",
        super::faults::full_message(&error)
    );
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (Some(url), Some(tls)) = (variable("REVOLVE_TEST_REDIS_TLS_URL"), trusting("ca.pem"))
    else {
        return;
    };
    let message = refusal(&url.replace("localhost", "127.0.0.1"), tls).await;
    assert!(message.contains("for another host name"), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_in_time() {
    let (Some(url), Some(tls)) = (variable("REVOLVE_TEST_REDIS_PLAIN_URL"), trusting("ca.pem"))
    else {
        return;
    };
    let message = refusal(&url.replace("redis://", "rediss://"), tls).await;
    assert!(message.contains("its port for TLS"), "{message}");
}

#[tokio::test]
async fn a_server_that_wants_tls_says_so_to_plain_text() {
    let Some(url) = variable("REVOLVE_TEST_REDIS_TLS_URL") else {
        return;
    };
    let message = refusal(
        &url.replace("rediss://", "redis://"),
        TlsSettings::default(),
    )
    .await;
    assert!(message.contains("write rediss://"), "{message}");
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_ours() {
    let (Some(url), Some(mut tls)) = (
        variable("REVOLVE_TEST_REDIS_MUTUAL_TLS_URL"),
        trusting("ca.pem"),
    ) else {
        return;
    };
    let message = refusal(&url, tls.clone()).await;
    assert!(message.contains("client_certificate_file"), "{message}");
    let (Some(certificates), Some(key)) = (file("client.pem"), file("client.key")) else {
        return;
    };
    tls.identity = Some(TlsIdentity {
        certificates: certificates.clone(),
        key: key.into(),
    });
    assert!(!format!("{tls:?}").contains("PRIVATE KEY"));
    works(config(&url, tls.clone())).await;

    let Some(authority) = file("ca.pem") else {
        return;
    };
    tls.identity = Some(TlsIdentity {
        certificates: authority,
        key: file("client.key").expect("it was there").into(),
    });
    let error = RedisTokens::connect(config(&url, tls)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(
        super::faults::full_message(&error).contains("not the key of client_certificate_file"),
        "{}",
        super::faults::full_message(&error)
    );
}

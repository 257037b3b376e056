//! Postgres over TLS, against a real one: what is trusted works, everything else is refused with a word about what to do.

use super::{
    given::told,
    schema::{Schema, with},
    server, variable,
};
use revolve_adapters::{
    postgres::{PoolMode, PostgresAccounts, PostgresConfig},
    tls::{TlsIdentity, TlsSettings},
};
use revolve_domain::ports::{StoreError, StoreErrorKind, UserRepository};
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

fn config(url: &str, mode: &str, tls: TlsSettings) -> PostgresConfig {
    PostgresConfig {
        tls,
        timeout: Duration::from_secs(10),
        pool_size: 2,
        ..PostgresConfig::new(with(url, mode).into())
    }
}

async fn refusal(config: PostgresConfig) -> StoreError {
    PostgresAccounts::connect(config)
        .await
        .err()
        .expect("it is refused")
}

async fn works(config: PostgresConfig) {
    let accounts = PostgresAccounts::connect(config).await.unwrap();
    accounts.ping().await.unwrap();
    assert_eq!(accounts.pool_mode(), PoolMode::Session);
    accounts.close();
}

#[tokio::test]
async fn a_server_that_a_trusted_authority_vouches_for_will_do() {
    let (Some(url), Some(tls)) = (
        variable("REVOLVE_TEST_POSTGRES_TLS_URL"),
        trusting("ca.pem"),
    ) else {
        return;
    };
    for mode in [
        "sslmode=verify-full",
        "sslmode=require",
        "sslmode=verify-ca",
    ] {
        works(config(&url, mode, tls.clone())).await;
    }
    // The password's proof is bound to this very connection (RFC 5802, RFC 5929), so that nobody can pass it on.
    works(config(
        &url,
        "sslmode=verify-full&channel_binding=require",
        tls,
    ))
    .await;
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_refused() {
    let (Some(url), Some(other)) = (
        variable("REVOLVE_TEST_POSTGRES_TLS_URL"),
        trusting("other-ca.pem"),
    ) else {
        return;
    };
    for tls in [other, TlsSettings::default()] {
        let error = refusal(config(&url, "sslmode=require", tls)).await;
        assert!(told(&error).contains("ca_file"), "{}", told(&error));
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (Some(url), Some(tls)) = (
        variable("REVOLVE_TEST_POSTGRES_TLS_URL"),
        trusting("ca.pem"),
    ) else {
        return;
    };
    for mode in [
        "sslmode=require",
        "sslmode=verify-ca",
        "sslmode=verify-full",
    ] {
        let error = refusal(config(
            &url.replace("localhost", "127.0.0.1"),
            mode,
            tls.clone(),
        ))
        .await;
        assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "{}",
            told(&error)
        );
        assert!(
            told(&error).contains("for another host name"),
            "{}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let (Some(schema), Some(tls), Some(_)) = (Schema::make().await, trusting("ca.pem"), server())
    else {
        return;
    };
    let url = schema.url();
    let error = refusal(config(&url, "sslmode=require", tls.clone())).await;
    assert_eq!(
        error.kind(),
        StoreErrorKind::Unavailable,
        "{}",
        told(&error)
    );
    assert!(
        told(&error).contains("does not offer TLS"),
        "{}",
        told(&error)
    );
    let error = refusal(config(&url, "sslmode=disable", tls)).await;
    assert!(
        told(&error).contains("write sslmode=verify-full"),
        "certificates that nobody would look at: {}",
        told(&error)
    );
}

#[tokio::test]
async fn a_server_that_wants_tls_refuses_plain_text() {
    let Some(url) = variable("REVOLVE_TEST_POSTGRES_TLS_URL") else {
        return;
    };
    let error = refusal(config(&url, "sslmode=disable", TlsSettings::default())).await;
    assert!(told(&error).contains("no encryption"), "{}", told(&error));
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_ours() {
    let (Some(url), Some(mut tls)) = (
        variable("REVOLVE_TEST_POSTGRES_TLS_URL"),
        trusting("ca.pem"),
    ) else {
        return;
    };
    let (_, host) = url.split_once('@').expect("the URL has a password");
    let url = format!("postgres://certified@{host}");
    let error = refusal(config(&url, "sslmode=verify-full", tls.clone())).await;
    assert!(told(&error).contains("certificate"), "{}", told(&error));
    let (Some(certificates), Some(key)) = (file("client.pem"), file("client.key")) else {
        return;
    };
    tls.identity = Some(TlsIdentity {
        certificates,
        key: key.into(),
    });
    works(config(&url, "sslmode=verify-full", tls)).await;
}

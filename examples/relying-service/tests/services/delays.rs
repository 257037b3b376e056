//! How soon something counts at both services, which follow the feed.

use super::{
    claims, client, hello, revolve, revolve_with_admin, services_with, sign_up, sign_up_as,
};
use revolve::ADMIN_BASE;
use revolve_adapters::{sqlite::SqliteStore, system::SteadyClock};
use revolve_domain::{
    model::{ApiKey, ApiKeyId, ApiKeyScope, Label, ShownApiKey},
    ports::{ApiKeys, Clock, StoredApiKey},
};
use revolve_testkit::untold;
use revolve_verify::FeedConfig;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is measured when something counts: 10 times, 100 in the long run.
fn times() -> usize {
    if std::env::var_os("REVOLVE_TEST_LONG").is_some() {
        100
    } else {
        10
    }
}

fn feed_of(base: &str) -> FeedConfig {
    FeedConfig {
        url: Some(format!("{base}/.well-known/revocations")),
        ..FeedConfig::default()
    }
}

/// From the answer to a sign-out to the refusal at both services.
#[actix_web::test]
async fn a_sign_out_counts_at_relying_services_within_two_seconds() {
    let times = times();
    let folder = tempfile::tempdir().unwrap();
    // A hundred sign-ups from one address are more than the limits allow.
    let base = revolve(folder.path(), "limits.enabled = false").await;
    let services = services_with(&base, Some(feed_of(&base))).await;
    let mut slowest = Duration::ZERO;
    for time in 0..times {
        let (id, _) = sign_up_as(&base, &format!("ann{time}@example.org")).await;
        let bearer = format!("Bearer {id}");
        for service in &services {
            assert_eq!(hello(service, Some(&bearer)).await.status(), 200);
        }
        let sign_out = client()
            .post(format!("{base}/api/account/signout"))
            .header("authorization", &bearer);
        assert_eq!(sign_out.send().await.unwrap().status(), 204);
        let signed_out = Instant::now();
        for service in &services {
            while hello(service, Some(&bearer)).await.status() != 401 {
                assert!(
                    signed_out.elapsed() < Duration::from_secs(2),
                    "sign-out {time} does not count at {service}"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        slowest = slowest.max(signed_out.elapsed());
    }
    println!("{times} sign-outs, the slowest counted after {slowest:?}");
}

/// A key for the admin API of the service in this folder.
async fn admin_key(folder: &Path) -> String {
    let clock = Arc::new(SteadyClock::new());
    let store = SqliteStore::open(folder.join("revolve.sqlite3"), clock.clone());
    let store = store.await.unwrap();
    let id = ApiKeyId::from_random([1; 16]);
    let (secret, shown) = ShownApiKey::make(id, [[2; 16], [3; 16]]);
    let key = ApiKey {
        id,
        name: Label::parse("a test").unwrap(),
        scopes: [ApiKeyScope::UsersWrite].into(),
        created_at: clock.now(),
        expires_at: clock.now().plus(Duration::from_hours(1)),
        revoked_at: None,
        used_at: None,
    };
    let stored = StoredApiKey {
        key,
        fingerprint: shown.fingerprint,
    };
    ApiKeys::add(&store, &stored, &untold()).await.unwrap();
    store.close().await;
    secret.expose_secret().to_owned()
}

/// From the answer to a change of roles to the refusal of the token from before it at both services. The next token counts at once, with what
/// its roles allow.
#[actix_web::test]
async fn a_role_change_counts_at_relying_services_within_two_seconds() {
    let times = times();
    let folder = tempfile::tempdir().unwrap();
    let more = "limits.enabled = false\nhttp.admin_listen = '127.0.0.1:0'";
    let (base, admin) = revolve_with_admin(folder.path(), more).await;
    let key = admin_key(folder.path()).await;
    let services = services_with(&base, Some(feed_of(&base))).await;
    let (mut id, mut refresh) = sign_up(&base).await;
    let uid = claims(&id)["sub"].as_str().unwrap().to_owned();
    let account = format!("http://{}{ADMIN_BASE}/users/{uid}", admin.unwrap());
    let reports = async |service: &str, id: &str| {
        let request = client().get(format!("{service}/reports")).bearer_auth(id);
        request.send().await.unwrap()
    };
    let mut slowest = Duration::ZERO;
    for time in 0..times {
        let (roles, expected) = if time % 2 == 0 {
            (json!(["reports:read"]), 200)
        } else {
            (json!([]), 403)
        };
        let change = client().patch(&account).bearer_auth(&key);
        let change = change.json(&json!({ "roles": roles })).send();
        assert_eq!(change.await.unwrap().status(), 200);
        let changed = Instant::now();
        for service in &services {
            while reports(service, &id).await.status() != 401 {
                assert!(
                    changed.elapsed() < Duration::from_secs(2),
                    "change {time} does not count at {service}"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        slowest = slowest.max(changed.elapsed());
        for service in &services {
            let refused: Value = reports(service, &id).await.json().await.unwrap();
            assert_eq!(refused["code"], "token_outdated");
        }
        let next = client().post(format!("{base}/api/account/tokens"));
        let next = next.json(&json!({ "refreshToken": refresh })).send();
        let next: Value = next.await.unwrap().json().await.unwrap();
        let token = |name: &str| next["tokens"][name].as_str().unwrap().to_owned();
        (id, refresh) = (token("idToken"), token("refreshToken"));
        for service in &services {
            assert_eq!(reports(service, &id).await.status(), expected);
        }
    }
    println!("{times} role changes, the slowest counted after {slowest:?}");
}

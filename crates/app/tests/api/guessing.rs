//! Who guesses is slowed down, whoever they say they are; who owns the account is not locked out.

use crate::support::{Actor, Answer, App, PASSWORD, Store, on_both_stores, path, with_config};
use deadpool_redis::redis::AsyncCommands;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

/// Tests come from 127.0.0.1, which says for whom.
const PROXIED: &str = "http.trusted_proxies = ['127.0.0.0/8']";

/// Signs in from an address, with or without a device credential.
async fn sign_in_from(
    actor: &Actor,
    address: &str,
    email: &str,
    password: &str,
    credential: Option<&str>,
) -> Answer {
    let mut request = actor
        .request(Method::POST, &path("/signin"))
        .header("X-Forwarded-For", address);
    if let Some(credential) = credential {
        request = request.header("Revolve-Device", credential);
    }
    actor
        .send(request.json(&json!({ "email": email, "password": password })))
        .await
}

/// Many addresses use up what strangers have for an account.
async fn attack(actor: &Actor, email: &str) {
    for number in 0..10 {
        let answer = sign_in_from(
            actor,
            &format!("203.0.113.{number}"),
            email,
            "a guess",
            None,
        )
        .await;
        answer.expect_problem(401, "invalid_credentials");
    }
    for number in 10..15 {
        sign_in_from(
            actor,
            &format!("203.0.113.{number}"),
            email,
            "a guess",
            None,
        )
        .await
        .expect_problem(429, "rate_limited");
    }
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap()
}

on_both_stores! {
    async fn a_distributed_attack_slows_strangers_and_not_the_owner(app: App, "http.trusted_proxies = ['127.0.0.0/8']") {
        let (ann, anon) = (app.sign_up("ann").await, app.anon());
        attack(&anon, "ann@example.org").await;
        let refused = sign_in_from(&anon, "203.0.113.99", "ann@example.org", PASSWORD, None).await.expect_problem(429, "rate_limited");
        assert!((1..=90).contains(&retry_after(&refused)), "{refused:#?}");
        assert_eq!(refused.header("ratelimit"), format!("\"password_per_account\";r=0;t={}", retry_after(&refused)));
        let policy = "\"password_per_account\";q=10;w=900, \"password_per_address\";q=60;w=600, \"password_per_device\";q=10;w=900";
        assert_eq!(refused.header("ratelimit-policy"), policy);
        assert_eq!(refused.header("cache-control"), "no-store");

        let credential = ann.credential.as_deref();
        let owner = sign_in_from(&anon, "203.0.113.1", "ann@example.org", PASSWORD, credential).await.expect(200);
        assert_eq!((owner.header("ratelimit"), owner.header("ratelimit-policy")), ("", policy), "what is left is nobody's business");
        let bob = app.sign_up("bob").await;
        for credential in ["forged", bob.credential.as_deref().unwrap()] {
            let answer = sign_in_from(&anon, "198.51.100.7", "ann@example.org", PASSWORD, Some(credential)).await;
            answer.expect_problem(429, "rate_limited");
        }
    }

    async fn a_browser_is_known_by_its_cookie(app: App, "http.trusted_proxies = ['127.0.0.0/8']") {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let answer = anon.send(anon.request(Method::POST, &path("/signup")).header("Sec-Fetch-Site", "same-origin").json(&body)).await;
        let cookie = answer.expect(201).header("set-cookie").split(';').next().unwrap().to_owned();
        attack(&anon, "ann@example.org").await;
        anon.post("/signin", body.clone()).await.expect_problem(429, "rate_limited");
        anon.send(anon.request(Method::POST, &path("/signin")).header("Cookie", cookie).json(&body)).await.expect(200);
    }

    async fn nobody_learns_by_limits_who_has_an_account(app: App, "http.trusted_proxies = ['127.0.0.0/8']") {
        let anon = app.anon();
        app.sign_up("ann").await;
        let mut heard = Vec::new();
        for (email, address) in [("ann@example.org", "198.51.100.1"), ("nobody@example.org", "198.51.100.2")] {
            let mut answers = Vec::new();
            for _ in 0..12 {
                let answer = sign_in_from(&anon, address, email, "a guess", None).await;
                let header = |name| answer.header(name).replace(char::is_numeric, "");
                answers.push((answer.status, answer.text.clone(), header("ratelimit"), header("ratelimit-policy"), header("retry-after")));
            }
            heard.push(answers);
        }
        assert_eq!(heard[0], heard[1]);
        assert_eq!(heard[0].iter().filter(|(status, ..)| *status == 429).count(), 2);
    }

    async fn parallel_guesses_get_no_more_than_there_is(app: App, "http.trusted_proxies = ['127.0.0.0/8']") {
        let anon = app.anon();
        app.sign_up("ann").await;
        let addresses: Vec<String> = (0..60).map(|number| format!("203.0.113.{number}")).collect();
        let guesses = addresses.iter().map(|address| sign_in_from(&anon, address, "ann@example.org", "a guess", None));
        let looked_at = join_all(guesses).await.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(looked_at, 10);
    }

    async fn one_address_cannot_try_many_accounts(app: App, "limits.password_per_address = '5/10m'") {
        let anon = app.anon();
        for number in 0..5 {
            anon.clone().sign_in(&format!("somebody{number}@example.org"), "a guess").await.expect_problem(401, "invalid_credentials");
        }
        let refused = anon.clone().sign_in("another@example.org", "a guess").await.expect_problem(429, "rate_limited");
        assert!(refused.header("ratelimit").starts_with("\"password_per_address\";r=0;t="), "{refused:#?}");
    }

    async fn signing_in_costs_nothing(app: App, "limits.password_per_address = '3/1h'\nlimits.password_per_account = '3/1h'") {
        let mut ann = app.sign_up("ann").await;
        for _ in 0..8 {
            app.sign_in("ann").await;
            ann.sign_in_again("ann@example.org").await.expect(200);
        }
    }

    async fn taken_addresses_are_told_but_not_without_end(app: App, "limits.sign_up_per_address = '4/1h'") {
        app.sign_up("ann").await;
        for _ in 0..3 {
            app.anon().sign_up("ann@example.org").await.expect_problem(409, "email_taken");
        }
        let refused = app.anon().sign_up("ann@example.org").await.expect_problem(429, "rate_limited");
        assert!(retry_after(&refused) > 600, "{refused:#?}");
        assert_eq!(refused.header("ratelimit-policy"), "\"sign_up_per_account\";q=10;w=3600, \"sign_up_per_address\";q=4;w=3600");
        app.anon().sign_up("bob@example.org").await.expect_problem(429, "rate_limited");
    }

    async fn a_stolen_id_token_does_not_help_to_guess(app: App, "limits.password_per_device = '3/1h'\nlimits.password_per_account = '2/1h'") {
        let (ann, elsewhere) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let change = |current: &str| json!({ "currentPassword": current, "newPassword": "another horse battery" });
        let to_email = json!({ "email": "eve@example.org", "currentPassword": "a guess" });
        for _ in 0..2 {
            ann.put("/password", change("a guess")).await.expect_problem(403, "wrong_password");
            ann.put("/details", to_email.clone()).await.expect_problem(403, "wrong_password");
        }
        ann.put("/password", change("a guess")).await.expect_problem(403, "wrong_password");
        ann.put("/details", to_email).await.expect_problem(429, "rate_limited");
        ann.put("/password", change(PASSWORD)).await.expect_problem(429, "rate_limited");
        ann.put("/details", json!({ "name": "Ann" })).await.expect(200);
        elsewhere.put("/password", change(PASSWORD)).await.expect(204);
    }

    async fn refreshes_are_slowed_down_and_nobody_is_signed_out(app: App, "limits.refresh_per_session = '3/1h'") {
        let mut ann = app.sign_up("ann").await;
        for left in ["2", "1", "0"] {
            let answer = ann.refresh().await.expect(200);
            assert!(answer.header("ratelimit").starts_with(&format!("\"refresh_per_session\";r={left};t=")), "{answer:#?}");
            assert_eq!(answer.header("ratelimit-policy"), "\"refresh_per_session\";q=3;w=3600, \"refresh_per_address\";q=1200;w=60");
        }
        ann.refresh().await.expect_problem(429, "rate_limited");
        ann.get("/me").await.expect(200);
        ann.refresh_bound().await.expect(200);
    }

    async fn limits_can_be_switched_off(app: App, "limits.enabled = false") {
        let anon = app.anon();
        app.sign_up("ann").await;
        for _ in 0..20 {
            let answer = anon.clone().sign_in("ann@example.org", "a guess").await.expect_problem(401, "invalid_credentials");
            assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), ("", ""));
        }
    }

    async fn who_is_not_a_trusted_proxy_is_not_believed(app: App, "http.trusted_proxies = ['192.0.2.0/24']\nlimits.password_per_address = '2/1h'") {
        let anon = app.anon();
        for number in 0..2 {
            let answer = sign_in_from(&anon, &format!("203.0.113.{number}"), &format!("a{number}@example.org"), "a guess", None).await;
            answer.expect_problem(401, "invalid_credentials");
        }
        sign_in_from(&anon, "203.0.113.3", "a3@example.org", "a guess", None).await.expect_problem(429, "rate_limited");
    }

    async fn the_address_of_a_session_is_the_clients(
        app: App,
        "http.trusted_proxies = ['127.0.0.0/8']\nhttp.forwarded_header = 'forwarded'"
    ) {
        let anon = app.anon();
        let request = anon.request(Method::POST, &path("/signup")).header("X-Forwarded-For", "192.0.2.66");
        let request = request.header("Forwarded", "for=192.0.2.1, for=\"[2001:db8::7]:4711\";proto=https");
        let answer = anon.send(request.json(&json!({ "email": "ann@example.org", "password": PASSWORD }))).await.expect(201).json();
        let mut ann = anon.clone();
        ann.id_token = answer["tokens"]["idToken"].as_str().unwrap().to_owned();
        assert_eq!(ann.get("/sessions").await.expect(200).json()["sessions"][0]["address"], "2001:db8::7");
    }

    async fn refused_attempts_are_counted_and_told_once(app: App, "http.metrics_listen = '127.0.0.1:0'\nlimits.password_per_account = '1/1h'") {
        let anon = app.anon();
        for _ in 0..6 {
            anon.clone().sign_in("ann@example.org", "a guess").await;
        }
        let text = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        assert!(text.contains("revolve_limited_total{limit=\"password_per_account\"} 5"), "{text}");
        assert!(text.contains("revolve_security_events_total{event=\"limit.reached\"} 1"), "{text}");
    }

    async fn a_disabled_account_is_refused_at_once_and_tells_nothing(app: App) {
        let mut ann = app.sign_up("ann").await;
        disable(&app, "ann@example.org").await;
        ann.refresh().await.expect_problem(401, "session_revoked");
        ann.get("/me").await.expect_problem(401, "session_revoked");
        ann.put("/details", json!({ "name": "Ann" })).await.expect_problem(401, "session_revoked");
        let disabled = app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        let unknown = app.anon().sign_in("nobody@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        assert_eq!(disabled.text, unknown.text);
    }

    async fn a_deleted_account_is_refused_at_once(app: App) {
        let (ann, mut elsewhere) = (app.sign_up("ann").await, app.sign_in("ann").await);
        ann.delete_account().await.expect(204);
        elsewhere.refresh().await.expect_problem(401, "session_revoked");
        elsewhere.get("/me").await.expect_problem(401, "session_revoked");
        ann.get("/sessions").await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
    }
}

/// What an operator does by hand.
async fn disable(app: &App, email: &str) {
    if let Some(server) = &app.backing.server {
        let (client, connection) =
            tokio_postgres::connect(server.postgres_url.as_str(), tokio_postgres::NoTls)
                .await
                .unwrap();
        actix_web::rt::spawn(connection);
        assert_eq!(
            client
                .execute(
                    "UPDATE users SET disabled_at = now() WHERE email = $1",
                    &[&email]
                )
                .await
                .unwrap(),
            1
        );
    } else {
        let file =
            rusqlite::Connection::open(app.backing.folder.path().join("revolve.sqlite3")).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        assert_eq!(
            file.execute("UPDATE users SET disabled_at = 1 WHERE email = ?1", [email])
                .unwrap(),
            1
        );
    }
}

#[test]
fn replicas_share_what_there_is() {
    with_config(Store::Server, PROXIED, |app| async move {
        let (here, replica) = (app.sign_up("ann").await, app.replica().await);
        let there = here.at(&replica.anon());
        for number in 0..10 {
            let actor = if number % 2 == 0 { &here } else { &there };
            let answer = sign_in_from(
                actor,
                &format!("203.0.113.{number}"),
                "ann@example.org",
                "a guess",
                None,
            )
            .await;
            answer.expect_problem(401, "invalid_credentials");
        }
        for actor in [&here, &there] {
            sign_in_from(actor, "203.0.113.77", "ann@example.org", PASSWORD, None)
                .await
                .expect_problem(429, "rate_limited");
            sign_in_from(
                actor,
                "203.0.113.77",
                "ann@example.org",
                PASSWORD,
                here.credential.as_deref(),
            )
            .await
            .expect(200);
        }
        replica.stop().await;
    });
}

#[test]
fn without_redis_guesses_are_still_limited_and_a_password_can_be_changed() {
    with_config(
        Store::Server,
        "limits.password_per_account = '3/1h'",
        |app| async move {
            let ann = app.sign_up("ann").await;
            app.backing.server().redis.cut();
            for _ in 0..3 {
                app.anon()
                    .sign_in("ann@example.org", "a guess")
                    .await
                    .expect_problem(401, "invalid_credentials");
            }
            app.anon()
                .sign_in("ann@example.org", "a guess")
                .await
                .expect_problem(429, "rate_limited");
            let change =
                json!({ "currentPassword": PASSWORD, "newPassword": "another horse battery" });
            ann.put("/password", change).await.expect(204);
        },
    );
}

#[test]
fn no_address_stands_in_redis() {
    with_config(Store::Server, PROXIED, |app| async move {
        let anon = app.anon();
        sign_in_from(
            &anon,
            "198.51.100.123",
            "canary@example.org",
            "a guess",
            None,
        )
        .await
        .expect_problem(401, "invalid_credentials");
        let mut redis = app.backing.server().redis_of("limits").await;
        let keys: Vec<String> = redis.keys("{limits}:*").await.unwrap();
        assert!(keys.len() >= 2, "the account's and the address's");
        for key in keys {
            assert!(
                !key.contains("canary") && !key.contains("198.51") && !key.contains("example"),
                "{key}"
            );
            let left: i64 = redis.pttl(&key).await.unwrap();
            assert_ne!(left, -1, "{key} dies by itself");
        }
    });
}

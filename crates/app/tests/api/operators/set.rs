//! `revolve user set`

use crate::support::{Actor, App, FEED, on_both_stores};
use revolve_verify::{FeedConfig, Verifier, VerifierConfig, VerifyError};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Waits until the feed of the service names the account, and answers which version it asks for.
async fn outdated_before(app: &App, uid: &Value) -> u64 {
    let reader = app.anon();
    loop {
        let claims = reader.revoked().await;
        let outdated = claims["outdated"].as_array().unwrap();
        let of_user = outdated.iter().find(|tokens| tokens[0] == *uid);
        if let Some(tokens) = of_user {
            return tokens[1].as_u64().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Another service, which follows the feed.
fn relying_service(app: &App, id_token: &str) -> Verifier {
    let claims = Actor::claims(id_token);
    let text = |claim: &str| claims[claim].as_str().unwrap().to_owned();
    let mut config = VerifierConfig::new(text("iss"), text("aud"));
    let base = format!("http://{}", app.address);
    config.jwks_url = format!("{base}/.well-known/jwks.json");
    config.feed = Some(FeedConfig {
        url: Some(format!("{base}{FEED}")),
        ..FeedConfig::default()
    });
    Verifier::start(&config).unwrap()
}

on_both_stores! {
    async fn relying_services_refuse_the_token_of_before_within_two_seconds(app: App) {
        let mut ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let services = [(); 2].map(|()| relying_service(&app, &ann.id_token));
        let times = if std::env::var_os("REVOLVE_TEST_LONG").is_some() { 100 } else { 3 };
        let mut slowest = Duration::ZERO;
        for time in 0..times {
            for service in &services {
                service.verify(&ann.id_token).await.expect("it is of now");
            }
            let app_data = format!(r#"{{ "time": {time} }}"#);
            app.revolve(&["user", "set", "ann@example.org", "--app", &app_data]).await.expect(0);
            let changed = Instant::now();
            for service in &services {
                while !matches!(service.verify(&ann.id_token).await, Err(VerifyError::Outdated)) {
                    assert!(changed.elapsed() < Duration::from_secs(2), "change {time} does not count");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            slowest = slowest.max(changed.elapsed());
            // The next one is good at once, also within the second of the change.
            ann.refresh().await.expect(200);
            for service in &services {
                let claims = service.verify(&ann.id_token).await.expect("it is of now");
                assert_eq!(claims.app["time"], time);
                service.verify(&bob.id_token).await.expect("nobody has changed this account");
            }
        }
        println!("{times} changes, the slowest counted after {slowest:?}");
    }

    async fn a_role_is_in_the_next_token_and_the_feed_asks_for_that(app: App) {
        let mut ann = app.sign_up("ann").await;
        let reader = app.anon();
        let before = Actor::claims(&ann.id_token);
        assert_eq!((before.get("roles"), before.get("app"), &before["email"]), (None, None, &json!("ann@example.org")));
        assert_eq!(reader.revoked().await["outdated"], json!([]));
        let start = reader.packed("0").await;
        assert_eq!(start.claims.get("outdated"), None);

        let set = ["user", "set", "ann@example.org", "--role", "admin", "--role", "billing:read", "--verified", "true"];
        let said = app.revolve(&[&set[..], &["--name", "Ann", "--app", r#"{ "plan": "pro" }"#]].concat()).await.expect(0);
        assert_eq!(said.out, "ann@example.org is changed\n");
        assert!(said.err.contains("account.changed") && !said.err.contains("pro"), "{said:?}");
        let version = outdated_before(&app, &before["sub"]).await;
        assert!(before["version"].as_u64().unwrap() < version);
        // Who reads as before finds sessions that there are none of.
        for (since, ends) in [("0", 2), (start.version.as_str(), 2)] {
            let packed = reader.packed(since).await;
            assert_eq!((&packed.claims["outdated"], packed.ended.len()), (&json!(1), ends), "{}", packed.claims);
            assert_eq!(packed.ended[0], before["sub"].as_str().unwrap());
        }

        let me = ann.get("/me").await.expect(200).json();
        assert_eq!((&me["user"]["roles"], &me["user"]["app"]), (&json!(["admin", "billing:read"]), &json!({ "plan": "pro" })));
        ann.refresh().await.expect(200);
        let after = Actor::claims(&ann.id_token);
        assert_eq!(after["version"], version);
        assert_eq!((&after["roles"], &after["app"]), (&me["user"]["roles"], &me["user"]["app"]));
        assert_eq!((&after["email_verified"], &after["name"], &after["user"]["name"]), (&json!(true), &json!("Ann"), &json!("Ann")));

        let said = app.revolve(&["user", "set", "ann@example.org", "--remove-role", "admin", "--merge-app", r#"{ "plan": null }"#]).await;
        said.expect(0);
        let shown = app.revolve(&["user", "show", "ann@example.org", "--json"]).await.expect(0).json();
        assert_eq!((&shown["roles"], &shown["app"]), (&json!(["billing:read"]), &json!({})));
        assert!(shown["version"].as_u64().unwrap() > version);
        let text = app.revolve(&["user", "show", "ann@example.org"]).await.expect(0).out;
        assert!(text.contains("roles     billing:read\n"), "{text}");
    }

    async fn a_change_may_expect_a_version(app: App) {
        app.sign_up("ann").await;
        let version = async || {
            let shown = app.revolve(&["user", "show", "ann@example.org", "--json"]).await.expect(0).json();
            shown["version"].to_string()
        };
        let seen = version().await;
        let set = async |role: &str| app.revolve(&["user", "set", "ann@example.org", "--role", role, "--if-version", &seen]).await;
        set("first").await.expect(0);
        let now = version().await;
        let refused = set("second").await.expect(1);
        assert!(refused.err.contains(&format!("the account was changed meanwhile: it has version {now}")), "{refused:?}");
        assert_eq!(version().await, now);
        let same = app.revolve(&["user", "set", "ann@example.org", "--role", "first"]).await.expect(0);
        assert!(same.out.contains("is as it was"), "{same:?}");
        assert_eq!(version().await, now);
    }

    async fn bad_input_changes_nothing(app: App) {
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        let before = ann.get("/me").await.expect(200).json();
        let many: Vec<String> = (0..33).map(|number| format!("--role=r{number}")).collect();
        let large = format!(r#"{{ "a": "{}" }}"#, "x".repeat(4096));
        let deep = format!(r#"{{ "a": {}{} }}"#, "[".repeat(20), "]".repeat(20));
        let cases: [(&[&str], i32, &str); 8] = [
            (&[], 2, "required"),
            (&["--role", "Admin"], 2, "must be 1 to 64"),
            (&many.iter().map(String::as_str).collect::<Vec<_>>(), 1, "roles must be at most 32"),
            (&["--role", "a", "--app", "[1]"], 1, "[1]"),
            (&["--role", "a", "--app", &large], 1, "the app data must have at most 4096 bytes"),
            (&["--role", "a", "--merge-app", &deep], 1, "app must be nested at most 16 deep"),
            (&["--role", "a", "--app", "{"], 1, "the app data is not JSON"),
            (&["--role", "a", "--email", "bob@example.org"], 1, "exists already"),
        ];
        for (arguments, code, words) in cases {
            let said = app.revolve(&[&["user", "set", "ann@example.org"], arguments].concat()).await.expect(code);
            assert!(said.err.contains(words), "{arguments:?}: {said:?}");
        }
        let said = app.revolve(&["user", "set", "eve@example.org", "--role", "a"]).await.expect(1);
        assert_eq!(said.err, "revolve: there is no account eve@example.org\n");
        assert_eq!(ann.get("/me").await.expect(200).json(), before);
    }
}

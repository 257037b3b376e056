//! `POST /oauth/introspect`

use super::{INTROSPECT, form, refresh, refresh_bound, refresh_with, text};
use crate::support::{Actor, App, Program, on_both_stores, wait_until_past};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

fn asking(actor: &Actor, token: &str) -> RequestBuilder {
    form(actor, INTROSPECT, &[("token", token)])
}

/// What a program with this key is told of a token.
async fn told(actor: &Actor, key: &str, token: &str) -> Value {
    let answer = actor
        .send(asking(actor, token).bearer_auth(key))
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

async fn introspector(app: &App) -> Program {
    app.program_with("tokens:introspect").await
}

on_both_stores! {
    async fn says_what_a_token_is_while_its_session_lives(app: App, "tokens.algorithm = 'RS256'\nhttp.admin_listen = '127.0.0.1:0'") {
        let (mut ann, key) = (app.sign_up("ann").await, introspector(&app).await.key);
        let id = Actor::claims(&ann.id_token);
        let members = |claims: &Value, token_type: &str, uid: &str| json!({
            "active": true, "token_type": token_type, "iss": claims["iss"], "sub": claims[uid], "sid": claims["sid"],
            "iat": claims["iat"], "exp": claims["exp"],
        });
        assert_eq!(told(&ann, &key, &ann.id_token).await, members(&id, "Bearer", "sub"));
        let claims = Actor::claims(&ann.refresh_token);
        let refresh_token = told(&ann, &key, &ann.refresh_token).await;
        assert_eq!(refresh_token, members(&claims, "N_A", "uid"), "which no service may take for an access token");
        // The question has used up nothing.
        for _ in 0..3 {
            assert_eq!(told(&ann, &key, &ann.refresh_token).await, refresh_token);
        }
        refresh(&mut ann).await.expect(200);
        assert_eq!(Actor::claims(&ann.refresh_token)["gen"], 2);
        assert_eq!(told(&ann, &key, &ann.refresh_token).await["active"], true);
    }

    async fn what_counts_no_more_is_inactive_and_nothing_else_is_said(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (mut ann, other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let key = introspector(&app).await.key;
        let inactive = json!({ "active": false });
        let parent = ann.refresh_token.clone();
        refresh(&mut ann).await.expect(200);
        assert_eq!(told(&ann, &key, &parent).await, inactive, "it was replaced");
        let again = ann.send(refresh_with(&ann, &parent)).await.expect(200).json();
        assert_eq!(text(&again["refresh_token"]), ann.refresh_token, "a retry is still answered");
        let reauthentication = ann.reauthenticate().await;
        for token in ["x", "a.b.c", &reauthentication, ann.credential.as_ref().unwrap(), &key] {
            assert_eq!(told(&ann, &key, token).await, inactive, "{token}");
        }
        other.sign_out("this").await.expect(204);
        for token in [&other.id_token, &other.refresh_token] {
            assert_eq!(told(&ann, &key, token).await, inactive);
        }
        assert_eq!(told(&ann, &key, &ann.id_token).await["active"], true);
    }

    async fn reuse_and_a_disabled_account_end_what_counts(
        app: App, "http.admin_listen = '127.0.0.1:0'\nsessions.retry_free = '0s'\nsessions.retry_window = '0s'"
    ) {
        let (mut ann, mut bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let key = introspector(&app).await.key;
        let parent = ann.refresh_token.clone();
        refresh(&mut ann).await.expect(200);
        ann.send(refresh_with(&ann, &parent)).await.expect_oauth(400, "invalid_grant", "token_reused");
        refresh(&mut bob).await.expect(200);
        app.revolve(&["user", "disable", "bob@example.org", "--yes"]).await.expect(0);
        for token in [&ann.id_token, &ann.refresh_token, &bob.id_token, &bob.refresh_token] {
            assert_eq!(told(&ann, &key, token).await, json!({ "active": false }));
        }
    }

    async fn tokens_expire(app: App, "http.admin_listen = '127.0.0.1:0'\ntokens.id_lifetime = '1s'\ntokens.refresh_lifetime = '2s'") {
        let (ann, key) = (app.sign_up("ann").await, introspector(&app).await.key);
        wait_until_past(&Actor::claims(&ann.id_token)).await;
        assert_eq!(told(&ann, &key, &ann.id_token).await, json!({ "active": false }));
        wait_until_past(&Actor::claims(&ann.refresh_token)).await;
        assert_eq!(told(&ann, &key, &ann.refresh_token).await, json!({ "active": false }));
    }

    async fn no_device_is_asked_for(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (mut ann, key) = (app.sign_up("ann").await, introspector(&app).await.key);
        refresh_bound(&mut ann).await.expect(200);
        for token in [&ann.id_token, &ann.refresh_token] {
            assert_eq!(told(&app.anon(), &key, token).await["active"], true);
        }
    }

    async fn roles_are_those_of_now_and_for_services_alone(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (ann, key) = (app.sign_up("ann").await, introspector(&app).await.key);
        app.revolve(&["user", "set", "ann@example.org", "--role", "editor", "--app", r#"{"plan":"pro"}"#]).await.expect(0);
        let id_token = told(&ann, &key, &ann.id_token).await;
        assert_eq!((&id_token["roles"], &id_token["app"]), (&json!(["editor"]), &json!({ "plan": "pro" })), "though the token has none");
        let refresh_token = told(&ann, &key, &ann.refresh_token).await;
        assert_eq!((refresh_token.get("roles"), refresh_token.get("app")), (None, None));
    }

    async fn a_key_is_shown_as_a_token_or_as_a_secret(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (ann, program) = (app.sign_up("ann").await, introspector(&app).await);
        let key = program.key.as_str();
        // Libraries encode what is no letter, too (RFC 6749 §2.3.1).
        let encoded = key.replace('_', "%5F");
        let colon = format!("Basic {}", STANDARD.encode(format!("a%3Ab:{key}")));
        for request in [
            asking(&ann, &ann.id_token).bearer_auth(key),
            asking(&ann, &ann.id_token).basic_auth("a service", Some(key)),
            asking(&ann, &ann.id_token).basic_auth("", Some(&encoded)),
            asking(&ann, &ann.id_token).header("Authorization", colon),
        ] {
            assert_eq!(ann.send(request).await.expect(200).json()["active"], true);
        }
    }

    async fn without_a_key_for_it_nothing_is_said(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_address = 'off'") {
        let (ann, program) = (app.sign_up("ann").await, introspector(&app).await);
        let ask = || asking(&ann, &ann.id_token);
        for request in [
            ask(),
            ask().header("Authorization", "Basic ???"),
            ask().header("Authorization", format!("Basic {}", STANDARD.encode(&program.key))),
            form(&ann, INTROSPECT, &[("token", &ann.id_token), ("client_id", "a"), ("client_secret", &program.key)]),
        ] {
            ann.send(request).await.expect_oauth(401, "invalid_client", "key_missing");
        }
        for request in [
            ask().bearer_auth(&ann.id_token),
            ask().bearer_auth("rvk_x"),
            ask().basic_auth("a", Some("rvk_x")),
            ask().basic_auth(&program.key, Some("")),
        ] {
            let answer = ann.send(request).await.expect(401);
            assert!(["key_invalid", "key_missing"].contains(&answer.json()["code"].as_str().unwrap()), "{answer:#?}");
        }
        let challenges = ann.send(ask().bearer_auth("rvk_x")).await.expect_oauth(401, "invalid_client", "key_invalid");
        let challenges: Vec<_> = challenges.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
        assert!(challenges[0].starts_with("Bearer ") && challenges[1].starts_with("Basic "), "{challenges:?}");

        let other = app.program_with("users:read,sessions:write").await;
        let answer = ann.send(ask().bearer_auth(&other.key)).await.expect_oauth(403, "insufficient_scope", "scope_missing");
        assert!(answer.header("www-authenticate").contains("scope=\"tokens:introspect\""), "{answer:#?}");
        app.revolve(&["api-keys", "revoke", &program.id]).await.expect(0);
        ann.send(ask().bearer_auth(&program.key)).await.expect_oauth(401, "invalid_client", "key_revoked");
    }

    async fn guesses_and_keys_are_limited(
        app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = '3/1h'\nlimits.admin_per_address = '2/1h'"
    ) {
        let (ann, key) = (app.sign_up("ann").await, introspector(&app).await.key);
        for _ in 0..3 {
            told(&ann, &key, "x").await;
        }
        let limited = ann.send(asking(&ann, "x").bearer_auth(&key)).await.expect_oauth(429, "temporarily_unavailable", "rate_limited");
        assert!(limited.header("ratelimit").contains("admin_per_key"), "{limited:#?}");
        for _ in 0..2 {
            ann.send(asking(&ann, "x").bearer_auth("rvk_x")).await.expect_oauth(401, "invalid_client", "key_invalid");
        }
        ann.send(asking(&ann, "x").bearer_auth("rvk_x")).await.expect_oauth(429, "temporarily_unavailable", "rate_limited");
    }

    async fn it_is_there_without_a_listener_for_operators(app: App) {
        let ann = app.sign_up("ann").await;
        let made = app.revolve(&["api-keys", "create", "--name", "a service", "--scopes", "tokens:introspect", "--json"]).await;
        let key = text(&made.expect(0).json()["key"]);
        assert_eq!(told(&ann, &key, &ann.id_token).await["active"], true);
    }
}

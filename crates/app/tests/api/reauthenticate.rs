//! `POST /api/account/reauthenticate`, and what an ID token alone does not open.

use crate::support::{
    Actor, App, Mailing, PASSWORD, on_both_stores, on_both_stores_with_mail, path, wait_until,
    wait_until_past,
};
use reqwest::Method;
use revolve_domain::model::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The id of nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// Everything that changes an account or tells of its sessions: method, path, body.
fn guarded(confirmation: Value) -> Vec<(Method, &'static str, Option<Value>)> {
    let address = json!({ "email": "eve@example.org", "currentPassword": PASSWORD });
    let password =
        json!({ "currentPassword": PASSWORD, "newPassword": "another horse, another battery" });
    vec![
        (Method::GET, "/sessions", None),
        (Method::GET, "/export", None),
        (Method::DELETE, "/sessions/{sid}", None),
        (Method::GET, "/activity", None),
        (Method::PUT, "/details", Some(json!({ "name": "Eve" }))),
        (Method::PUT, "/details", Some(address)),
        (Method::POST, "/email/verify", None),
        (Method::POST, "/email/confirm", Some(confirmation)),
        (Method::PUT, "/password", Some(password)),
        (
            Method::POST,
            "/reauthenticate",
            Some(json!({ "currentPassword": PASSWORD })),
        ),
        (Method::POST, "/reauthenticate/passkey/options", None),
        (Method::GET, "/factors", None),
        (Method::POST, "/factors/totp", None),
        (
            Method::POST,
            "/factors/totp/confirm",
            Some(json!({ "code": "123456" })),
        ),
        (Method::DELETE, "/factors/totp", None),
        (Method::POST, "/factors/recovery-codes", None),
        (Method::DELETE, "/factors/reset", None),
        (Method::POST, "/passkeys/options", None),
        (
            Method::POST,
            "/passkeys",
            Some(json!({ "challenge": NOTHING, "credential": {} })),
        ),
        (Method::GET, "/passkeys", None),
        (
            Method::PUT,
            "/passkeys/{id}",
            Some(json!({ "name": "Eve" })),
        ),
        (Method::DELETE, "/passkeys/{id}", None),
        (Method::DELETE, "/me", None),
        (Method::POST, "/signout", Some(json!({ "scope": "others" }))),
        (
            Method::POST,
            "/signout",
            Some(json!({ "scope": "everywhere" })),
        ),
    ]
}

/// The operations that the document marks as those for which a bound session needs its device: method and path.
async fn marked(actor: &Actor) -> BTreeSet<(String, String)> {
    let request = actor.request(Method::GET, "/openapi.json");
    let document = actor.send(request).await.expect(200).json();
    let has_device = |requirement: &Value| {
        requirement["idToken"].is_array() && requirement["deviceCookie"].is_array()
    };
    let mut marked = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array();
            if security.is_some_and(|any| any.iter().any(has_device)) {
                marked.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    marked
}

on_both_stores! {
    async fn gives_a_token_for_this_session_and_a_fresh_id_token(app: App) {
        let ann = app.sign_up("ann").await;
        let before = Actor::claims(&ann.id_token);
        wait_until(Timestamp::from_seconds(before["iat"].as_i64().unwrap() + 1)).await;
        let answer = ann.call(Method::POST, "/reauthenticate", Some(json!({ "currentPassword": PASSWORD }))).await.expect(200).json();
        assert_eq!(answer["expiresIn"], 300);
        assert_eq!(answer["tokens"].get("refreshToken"), None, "the session goes on with its own");
        let token = answer["reauthentication"].as_str().unwrap();
        let (header, claims) = (Actor::header(token), Actor::claims(token));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("reauthentication+jwt"), &json!("HS256")));
        assert_eq!((&claims["sid"], &claims["sub"]), (&json!(ann.session), &before["sub"]));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let keys = ann.send(ann.request(Method::GET, "/.well-known/jwks.json")).await.expect(200).json();
        assert!(keys["keys"].as_array().unwrap().iter().all(|key| key["kid"] != header["kid"]), "nobody else can verify it");

        let fresh = answer["tokens"]["idToken"].as_str().unwrap();
        let after = Actor::claims(fresh);
        assert!(after["auth_time"].as_i64() > before["auth_time"].as_i64(), "{after}");
        assert_eq!((&after["auth_time"], &after["sid"]), (&after["iat"], &before["sid"]));
        let renewed = ann.with_id_token(fresh);
        renewed.get("/me").await.expect(200);
        ann.get("/me").await.expect(200);
        renewed.delete_with(token).await.expect(204);
        ann.get("/me").await.expect_problem(401, "session_revoked");
    }

    async fn a_session_can_be_ended_by_its_own_id_without_its_device(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        ann.without_device().delete(&format!("/sessions/{}", ann.session)).await.expect(204);
        ann.refresh_bound().await.expect_problem(401, "session_revoked");
    }

    async fn no_password_is_guessed_without_the_device_of_a_bound_session(
        app: App, "limits.password_per_device = '2/1h'\nlimits.password_per_account = '2/1h'"
    ) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        let thief = ann.without_device();
        for _ in 0..10 {
            let guess = Some(json!({ "currentPassword": "a guess" }));
            thief.call(Method::POST, "/reauthenticate", guess).await.expect_problem(401, "device_mismatch");
        }
        ann.reauthenticate().await;
    }

    async fn guesses_are_counted_like_all_others(app: App, "limits.password_per_device = '3/1h'\nlimits.password_per_account = '2/1h'") {
        let (ann, elsewhere) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let guess = || Some(json!({ "currentPassword": "a guess" }));
        let change = json!({ "currentPassword": "a guess", "newPassword": "another horse, another battery" });
        for _ in 0..4 {
            let wrong = ann.call(Method::POST, "/reauthenticate", guess()).await.expect_problem(403, "wrong_password");
            assert!(wrong.header("ratelimit-policy").contains("password_per_device"), "{wrong:?}");
        }
        ann.put("/password", change).await.expect_problem(403, "wrong_password");
        ann.call(Method::POST, "/reauthenticate", guess()).await.expect_problem(429, "rate_limited");
        let right = Some(json!({ "currentPassword": PASSWORD }));
        ann.call(Method::POST, "/reauthenticate", right).await.expect_problem(429, "rate_limited");
        elsewhere.reauthenticate().await;
    }

    async fn nothing_else_passes_for_one_and_it_passes_for_nothing_else(app: App) {
        let (mut ann, other, bob) = (app.sign_up("ann").await, app.sign_in("ann").await, app.sign_up("bob").await);
        let mine = ann.reauthenticate().await;
        let (head, rest) = mine.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let others = other.reauthenticate().await;
        let others_claims = others.split('.').nth(1).unwrap();
        let refused = [
            others.clone(),
            bob.reauthenticate().await,
            ann.id_token.clone(),
            ann.refresh_token.clone(),
            ann.credential.clone().unwrap(),
            PASSWORD.to_owned(),
            String::new(),
            "a.b.c".to_owned(),
            format!("{mine}A"),
            format!("{head}.{claims}."),
            format!("{head}.{others_claims}.{signature}"),
            format!("eyJhbGciOiJub25lIn0.{claims}."),
            format!("{}.{rest}", ann.refresh_token.split('.').next().unwrap()),
        ];
        for bad in &refused {
            ann.delete_with(bad).await.expect_problem(403, "reauthentication_required");
            let email = json!({ "email": "new@example.org" });
            ann.call_with(Method::PUT, "/details", Some(email), bad).await.expect_problem(403, "reauthentication_required");
            let password = json!({ "newPassword": "another horse, another battery" });
            ann.call_with(Method::PUT, "/password", Some(password), bad).await.expect_problem(403, "reauthentication_required");
        }
        let thief = ann.without_device().with_id_token(&mine);
        thief.get("/me").await.expect_problem(401, "token_invalid");
        thief.sign_out("this").await.expect_problem(401, "token_invalid");
        ann.refresh_with(&mine).await.expect_problem(401, "token_invalid");
        let as_device = ann.request(Method::POST, &path("/tokens")).header("Revolve-Device", &mine);
        let refreshed = ann.send(as_device.json(&json!({ "refreshToken": ann.refresh_token }))).await.expect(200).json();
        let token = refreshed["tokens"]["refreshToken"].as_str().unwrap();
        assert!(Actor::claims(token)["did"].is_null(), "it binds nothing");
        ann.refresh().await.expect(200);
        ann.delete_with(&mine).await.expect(204);
        bob.get("/me").await.expect(200);
    }

    async fn expires(app: App, "tokens.reauthentication_lifetime = '1s'") {
        let ann = app.sign_up("ann").await;
        let token = ann.reauthenticate().await;
        wait_until_past(&Actor::claims(&token)).await;
        ann.delete_with(&token).await.expect_problem(403, "reauthentication_required");
        ann.delete("/me").await.expect_problem(403, "reauthentication_required");
    }

    async fn stands_in_for_the_password_until_the_sessions_are_ended(app: App) {
        let (mut ann, mut other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let token = ann.reauthenticate().await;
        let email = || Some(json!({ "email": "new@example.org" }));
        // Where mails go to files, the new address has to be proved first.
        let (done, name) = if app.backing.server.is_some() { (200, "new") } else { (202, "ann") };
        let address = format!("{name}@example.org");
        ann.call_with(Method::PUT, "/details", email(), &token).await.expect(done);
        let wrong = json!({ "currentPassword": "a guess", "newPassword": "another horse, another battery" });
        ann.call_with(Method::PUT, "/password", Some(wrong), &token).await.expect_problem(403, "wrong_password");
        let new = || Some(json!({ "newPassword": "another horse, another battery" }));
        ann.call(Method::PUT, "/password", new()).await.expect_problem(403, "reauthentication_required");
        ann.call_with(Method::PUT, "/password", new(), &token).await.expect(204);
        other.refresh().await.expect_problem(401, "session_revoked");
        app.anon().sign_in(&address, "another horse, another battery").await.expect(200);
        ann.refresh().await.expect(200);

        // The password was changed: what was proven before counts no longer.
        ann.call_with(Method::PUT, "/password", new(), &token).await.expect_problem(403, "reauthentication_required");
        ann.delete_with(&token).await.expect_problem(403, "reauthentication_required");
        let token = ann.reauthenticate_with("another horse, another battery").await;
        ann.sign_out("others").await.expect(204);
        ann.delete_with(&token).await.expect_problem(403, "reauthentication_required");
        let token = ann.reauthenticate_with("another horse, another battery").await;
        ann.sign_out("this").await.expect(204);
        ann.delete_with(&token).await.expect_problem(401, "session_revoked");
        app.anon().sign_in(&address, "another horse, another battery").await.expect(200);
    }

    async fn refuses_what_it_does_not_understand(app: App) {
        let ann = app.sign_up("ann").await;
        ann.call(Method::POST, "/reauthenticate", Some(json!({}))).await.expect_problem(422, "invalid_fields");
        let totp = json!({ "currentPassword": PASSWORD, "other": "x" });
        ann.call(Method::POST, "/reauthenticate", Some(totp)).await.expect_problem(422, "invalid_fields");
        app.anon().post("/reauthenticate", json!({ "currentPassword": PASSWORD })).await.expect_problem(401, "unauthenticated");
    }
}

on_both_stores_with_mail! {
    async fn an_id_token_alone_reads_the_account_of_a_bound_session_and_signs_it_out(service: Mailing, "accounts.verification = 'off'") {
        let (mut ann, mut other, bob) = (service.sign_up("ann").await, service.sign_in("ann").await, service.sign_up("bob").await);
        ann.refresh_bound().await.expect(200);
        let thief = ann.without_device();
        let reauthentication = ann.reauthenticate().await;
        let foreign = bob.credential.clone().unwrap();
        let change = json!({ "email": "new@example.org", "currentPassword": PASSWORD });
        let proof = ann.put("/details", change).await.expect(202).json()["proof"]["id"].clone();
        let confirmation = json!({ "proof": proof, "code": service.code("new@example.org", 1).await });
        let guarded = guarded(confirmation.clone());
        let tried: BTreeSet<_> = guarded.iter().map(|(method, operation, _)| (method.to_string(), path(operation))).collect();
        assert_eq!(tried, marked(&ann).await, "those that need the device");
        for (method, operation, body) in guarded {
            let target = path(operation).replace("{sid}", &other.session).replace("{id}", NOTHING);
            for shown in [None, Some("forged"), Some(&*foreign), other.credential.as_deref()] {
                let mut request = thief.request(method.clone(), &target).bearer_auth(&thief.id_token);
                if let Some(shown) = shown {
                    request = request.header("Revolve-Device", shown);
                }
                if let Some(body) = &body {
                    request = request.json(body);
                }
                // Without the device a reauthentication changes nothing.
                let request = request.header("Revolve-Reauthentication", &reauthentication);
                let answer = thief.send(request).await;
                assert_eq!(answer.status, 401, "{method} {operation} with {shown:?}: {answer:?}");
                answer.expect_problem(401, "device_mismatch");
            }
        }
        let user = thief.get("/me").await.expect(200).json();
        assert_eq!((&user["user"]["email"], &user["user"]["name"]), (&json!("ann@example.org"), &json!(null)), "nothing changed");
        other.refresh().await.expect(200);

        assert_eq!(ann.get("/sessions").await.expect(200).json()["sessions"].as_array().unwrap().len(), 2);
        let cookie = format!("revolve-device={}", ann.credential.as_ref().unwrap());
        let browser = ann.request(Method::GET, &path("/sessions")).bearer_auth(&ann.id_token).header("Cookie", cookie);
        ann.send(browser).await.expect(200);
        ann.put("/details", json!({ "name": "Ann" })).await.expect(200);
        ann.call(Method::POST, "/email/confirm", Some(confirmation)).await.expect(204);

        thief.sign_out("this").await.expect(204);
        ann.get("/me").await.expect_problem(401, "session_revoked");
    }
}

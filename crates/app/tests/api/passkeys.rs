//! `/signup/passkey/options`, `/signin/passkey…` and `/passkeys…`.

use crate::support::{
    Actor, Answer, App, Mailing, ORIGIN, PASSWORD, RP_ID, field_errors, on_both_stores,
    on_both_stores_with_mail, path, recovery_codes,
};
use futures_util::future::join_all;
use reqwest::Method;
use revolve_testkit::authenticator::VirtualAuthenticator;
use serde_json::{Value, json};

const ANN: &str = "ann@example.org";
const UNKNOWN: &str = "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51";
const NOTHING: &str = "/passkeys/00000000-0000-4000-8000-000000000000";

/// Begins something that needs no session.
async fn begin(actor: &Actor, operation: &str) -> Value {
    let request = actor.request(Method::POST, &path(operation));
    actor.send(request).await.expect(200).json()
}

/// Signs up with a passkey, without a password.
async fn sign_up(
    app: &App,
    authenticator: &mut VirtualAuthenticator,
    email: &str,
) -> (Actor, Answer) {
    let mut actor = app.anon();
    let begun = actor
        .post("/signup/passkey/options", json!({ "email": email }))
        .await;
    let begun = begun.expect(200).json();
    let credential = authenticator.create(&begun["publicKey"], ORIGIN);
    let passkey =
        json!({ "challenge": begun["challenge"], "credential": credential, "name": "A key" });
    let answer = actor
        .post("/signup", json!({ "email": email, "passkey": passkey }))
        .await;
    let answer = actor.keep_begun(answer);
    (actor, answer)
}

/// Signs in with the passkey that the authenticator offers.
async fn sign_in(app: &App, authenticator: &VirtualAuthenticator) -> (Actor, Answer) {
    let mut actor = app.anon();
    let begun = begin(&actor, "/signin/passkey/options").await;
    let credential = authenticator
        .get(&begun["publicKey"], ORIGIN)
        .expect("it has a passkey");
    let body = json!({ "challenge": begun["challenge"], "credential": credential });
    let answer = actor.post("/signin/passkey", body).await;
    let answer = actor.keep_begun(answer);
    (actor, answer)
}

/// Adds a passkey in a session.
async fn add(actor: &Actor, authenticator: &mut VirtualAuthenticator, token: &str) -> Answer {
    let begun = actor
        .call_with(Method::POST, "/passkeys/options", None, token)
        .await;
    let begun = begun.expect(200).json();
    let credential = authenticator.create(&begun["publicKey"], ORIGIN);
    let body = json!({ "challenge": begun["challenge"], "credential": credential });
    actor.call(Method::POST, "/passkeys", Some(body)).await
}

/// A reauthentication by a passkey.
async fn reauthenticate(actor: &Actor, authenticator: &VirtualAuthenticator) -> Answer {
    let begun = actor
        .call(Method::POST, "/reauthenticate/passkey/options", None)
        .await;
    let begun = begun.expect(200).json();
    let credential = authenticator
        .get(&begun["publicKey"], ORIGIN)
        .expect("it has a passkey");
    let body = json!({ "challenge": begun["challenge"], "credential": credential });
    actor
        .call(Method::POST, "/reauthenticate", Some(body))
        .await
}

on_both_stores! {
    async fn a_passkey_signs_up_and_in_without_a_password(app: App) {
        let mut key = VirtualAuthenticator::default();
        let anon = app.anon();
        let begun = anon.post("/signup/passkey/options", json!({ "email": ANN })).await.expect(200).json();
        let options = &begun["publicKey"];
        assert_eq!((&options["rp"]["id"], &options["user"]["name"]), (&json!(RP_ID), &json!(ANN)));
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(begun["expiresIn"], 300);

        let (mut ann, answer) = sign_up(&app, &mut key, ANN).await;
        let codes = recovery_codes(&answer.expect(201).json());
        assert_eq!(Actor::claims(&ann.id_token)["amr"], json!(["mfa", "swk", "user"]));
        let listed = ann.get("/passkeys").await.expect(200).json();
        assert_eq!(listed["passkeys"][0]["name"], "A key");
        assert_eq!(listed["passkeys"][0]["backedUp"], true);
        ann.refresh().await.expect(200);

        let (other, answer) = sign_in(&app, &key).await;
        assert_eq!(answer.expect(200).json().get("recoveryCodes"), None);
        assert_eq!(Actor::claims(&other.id_token)["sub"], Actor::claims(&ann.id_token)["sub"]);
        assert_eq!(Actor::claims(&other.id_token)["amr"], json!(["mfa", "swk", "user"]));
        app.anon().sign_in(ANN, PASSWORD).await.expect_problem(401, "invalid_credentials");
        let factors = ann.get("/factors").await.expect(200);
        assert!(!codes.iter().any(|code| factors.text.contains(code.as_str())), "{factors:?}");
        // The address is taken, and that is what a sign-up says.
        let (_, taken) = sign_up(&app, &mut VirtualAuthenticator::default(), ANN).await;
        taken.expect_problem(409, "email_taken");
    }

    async fn a_passkey_is_a_second_factor_and_shows_that_it_is_still_the_user(app: App) {
        let mut key = VirtualAuthenticator::with(|key| {
            key.backup_eligible = false;
            key.backed_up = false;
        });
        let ann = app.sign_up("ann").await;
        let added = add(&ann, &mut key, &ann.reauthenticate().await).await.expect(201).json();
        recovery_codes(&added);
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        assert_eq!(step["factors"], json!(["passkey", "recovery_code"]));
        let credential = key.get(&step["publicKey"], ORIGIN).unwrap();
        let body = json!({ "challenge": step["challenge"], "credential": credential });
        other.second_step(body.clone()).await.expect(200);
        assert_eq!(Actor::claims(&other.id_token)["amr"], json!(["hwk", "mfa", "pwd", "user"]));
        other.second_step(body).await.expect_problem(410, "challenge_gone");

        let shown = reauthenticate(&ann, &key).await.expect(200).json();
        let claims = Actor::claims(shown["tokens"]["idToken"].as_str().unwrap());
        assert_eq!(claims["amr"], json!(["hwk", "mfa", "user"]));
        ann.delete_with(shown["reauthentication"].as_str().unwrap()).await.expect(204);
    }

    async fn passkeys_are_listed_renamed_and_removed(app: App) {
        let mut key = VirtualAuthenticator::default();
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let token = ann.reauthenticate().await;
        let first = add(&ann, &mut key, &token).await.expect(201).json();
        let token = ann.reauthenticate().await;
        let second = add(&ann, &mut key, &token).await.expect(201).json();
        assert_eq!(second.get("recoveryCodes"), None, "it has some");
        let target = |added: &Value| format!("/passkeys/{}", added["passkey"]["id"].as_str().unwrap());
        ann.put(&target(&first), json!({ "name": "Ann's key" })).await.expect(204);
        let listed = ann.get("/passkeys").await.expect(200).json();
        let names: Vec<_> = listed["passkeys"].as_array().unwrap().iter().map(|passkey| passkey["name"].as_str().unwrap()).collect();
        assert_eq!((names.len(), names[0]), (2, "Ann's key"));

        let others = bob.reauthenticate().await;
        for path in [target(&first).as_str(), NOTHING] {
            bob.put(path, json!({ "name": "x" })).await.expect_problem(404, "not_found");
            bob.call_with(Method::DELETE, path, None, &others).await.expect_problem(404, "not_found");
        }
        ann.put("/passkeys/x", json!({ "name": "x" })).await.expect_problem(422, "invalid_fields");
        for (body, expected) in [
            (json!({}), "name: missing"),
            (json!({ "name": "" }), "name: too_short"),
            (json!({ "name": "x".repeat(65) }), "name: too_long"),
        ] {
            let refused = ann.put(&target(&first), body).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), [expected]);
        }
        for added in [&first, &second] {
            ann.call_with(Method::DELETE, &target(added), None, &token).await.expect(204);
        }
        let factors = ann.get("/factors").await.expect(200).json();
        assert_eq!((&factors["passkeys"], &factors["recoveryCodes"]), (&json!([]), &Value::Null));
        let (_, refused) = sign_in(&app, &key).await;
        refused.expect_problem(422, "credential_refused");
    }

    async fn the_last_way_in_stays(app: App) {
        let mut key = VirtualAuthenticator::default();
        let (ann, answer) = sign_up(&app, &mut key, ANN).await;
        answer.expect(201);
        let token = reauthenticate(&ann, &key).await.expect(200).json()["reauthentication"].as_str().unwrap().to_owned();
        let passkeys = ann.get("/passkeys").await.expect(200).json();
        let only = format!("/passkeys/{}", passkeys["passkeys"][0]["id"].as_str().unwrap());
        ann.call_with(Method::DELETE, &only, None, &token).await.expect_problem(409, "last_factor");
        add(&ann, &mut key, &token).await.expect(201);
        ann.call_with(Method::DELETE, &only, None, &token).await.expect(204);
    }

    async fn an_account_has_twenty_at_most(app: App) {
        let mut key = VirtualAuthenticator::default();
        let ann = app.sign_up("ann").await;
        add(&ann, &mut key, &ann.reauthenticate().await).await.expect(201);
        let token = ann.reauthenticate().await;
        for _ in 1..20 {
            add(&ann, &mut key, &token).await.expect(201);
        }
        ann.call_with(Method::POST, "/passkeys/options", None, &token).await.expect_problem(409, "too_many_passkeys");
    }

    async fn two_accounts_have_passkeys_on_one_key(app: App) {
        let mut key = VirtualAuthenticator::default();
        let ann = app.sign_up("ann").await;
        add(&ann, &mut key, &ann.reauthenticate().await).await.expect(201);
        let (bob, answer) = sign_up(&app, &mut key, "bob@example.org").await;
        answer.expect(201);
        // Without a user name it offers the latest.
        let (actor, answer) = sign_in(&app, &key).await;
        answer.expect(200);
        assert_eq!(Actor::claims(&actor.id_token)["sub"], Actor::claims(&bob.id_token)["sub"]);
        // As a factor that of the account, and the other does not open it.
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let mut any = step["publicKey"].clone();
        any["allowCredentials"] = json!([]);
        for (options, status) in [(&any, 422), (&step["publicKey"], 200)] {
            let credential = key.get(options, ORIGIN).unwrap();
            let body = json!({ "challenge": step["challenge"], "credential": credential });
            let answer = other.second_step(body).await;
            if status == 200 {
                answer.expect(200);
            } else {
                answer.expect_problem(422, "credential_refused");
            }
        }
        assert_eq!(Actor::claims(&other.id_token)["sub"], Actor::claims(&ann.id_token)["sub"]);
    }

    async fn what_does_not_count_is_refused_and_nothing_else_is_said(app: App) {
        let mut key = VirtualAuthenticator::default();
        let (_, answer) = sign_up(&app, &mut key, ANN).await;
        answer.expect(201);
        let mut stranger = VirtualAuthenticator::default();
        let anon = app.anon();
        let options = begin(&anon, "/signin/passkey/options").await["publicKey"].clone();
        stranger.create(&json!({ "rp": { "id": RP_ID, "name": "x" }, "user": { "id": "AQIDBAUGBwgJCgsMDQ4PEA", "name": "x", "displayName": "x" }, "challenge": options["challenge"], "pubKeyCredParams": [] }), ORIGIN);
        let mut texts = Vec::new();
        let mut refused = async |credential: &dyn Fn(&Value) -> Value| {
            let begun = begin(&anon, "/signin/passkey/options").await;
            let body = json!({ "challenge": begun["challenge"], "credential": credential(&begun["publicKey"]) });
            let answer = anon.post("/signin/passkey", body).await.expect_problem(422, "credential_refused");
            texts.push(answer.text);
        };
        refused(&|options| stranger.get(options, ORIGIN).unwrap()).await;
        refused(&|options| key.get(options, "https://evil.example").unwrap()).await;
        refused(&|_| key.get(&options, ORIGIN).unwrap()).await;
        refused(&|_| json!({})).await;
        refused(&|_| json!({ "id": 1, "response": [] })).await;
        for part in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
            for bad in ["", "AA", "not base64url!", "=", &"A".repeat(9000)] {
                refused(&|options| {
                    let mut credential = key.get(options, ORIGIN).unwrap();
                    credential["response"][part] = bad.into();
                    credential
                })
                .await;
            }
        }
        key.user_verified = false;
        refused(&|options| key.get(options, ORIGIN).unwrap()).await;
        key.user_verified = true;
        key.cross_origin = true;
        refused(&|options| key.get(options, ORIGIN).unwrap()).await;
        key.cross_origin = false;
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        let (_, answer) = sign_in(&app, &key).await;
        answer.expect(200);

        let mut key = VirtualAuthenticator::with(|key| key.user_verified = false);
        let (_, answer) = sign_up(&app, &mut key, "bob@example.org").await;
        answer.expect_problem(422, "credential_refused");
        let foreign = json!({ "challenge": UNKNOWN, "credential": {} });
        anon.post("/signup", json!({ "email": "bob@example.org", "passkey": foreign })).await.expect_problem(410, "challenge_gone");
    }

    async fn a_challenge_counts_once_and_for_what_it_was_made(app: App) {
        let mut key = VirtualAuthenticator::default();
        let (ann, answer) = sign_up(&app, &mut key, ANN).await;
        answer.expect(201);
        let anon = app.anon();
        let begun = begin(&anon, "/signin/passkey/options").await;
        let credential = key.get(&begun["publicKey"], ORIGIN).unwrap();
        let body = json!({ "challenge": begun["challenge"], "credential": credential });
        let elsewhere = ann.call(Method::POST, "/reauthenticate", Some(body.clone())).await;
        elsewhere.expect_problem(410, "challenge_gone");
        anon.post("/signin/factor", body.clone()).await.expect_problem(410, "challenge_gone");
        let answers = join_all((0..8).map(|_| anon.post("/signin/passkey", body.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        anon.post("/signin/passkey", body).await.expect_problem(410, "challenge_gone");

        // The registration of one session is not another's.
        let (other, _) = sign_in(&app, &key).await;
        let token = reauthenticate(&ann, &key).await.expect(200).json()["reauthentication"].as_str().unwrap().to_owned();
        let begun = ann.call_with(Method::POST, "/passkeys/options", None, &token).await.expect(200).json();
        let body = json!({ "challenge": begun["challenge"], "credential": key.create(&begun["publicKey"], ORIGIN) });
        other.call(Method::POST, "/passkeys", Some(body.clone())).await.expect_problem(410, "challenge_gone");
        ann.call(Method::POST, "/passkeys", Some(body.clone())).await.expect(201);
        ann.call(Method::POST, "/passkeys", Some(body)).await.expect_problem(410, "challenge_gone");
    }

    async fn what_is_malformed_is_named(app: App) {
        let (anon, ann) = (app.anon(), app.sign_up("ann").await);
        for (body, expected) in [
            (json!({}), &["challenge: missing", "credential: missing"][..]),
            (json!({ "challenge": "x", "credential": "x" }), &["challenge: invalid_id", "credential: wrong_type"]),
            (json!({ "challenge": UNKNOWN, "credential": {}, "name": "x" }), &["name: unknown_field"]),
        ] {
            let refused = anon.post("/signin/passkey", body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), expected, "{body}");
        }
        for (body, expected) in [
            (json!({ "challenge": UNKNOWN, "credential": {}, "name": "x".repeat(65) }), "name: too_long"),
            (json!({ "challenge": UNKNOWN, "credential": [] }), "credential: wrong_type"),
        ] {
            let refused = ann.call(Method::POST, "/passkeys", Some(body)).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), [expected]);
        }
        ann.call(Method::POST, "/passkeys", Some(json!({ "challenge": UNKNOWN, "credential": {} }))).await.expect_problem(410, "challenge_gone");
        let sign_up = |passkey: Value| anon.post("/signup", json!({ "email": "bob@example.org", "passkey": passkey }));
        for (passkey, expected) in [
            (json!("x"), &["passkey: wrong_type"][..]),
            (json!({}), &["passkey.challenge: missing", "passkey.credential: missing"]),
            (json!({ "challenge": UNKNOWN, "credential": {}, "nickname": "x" }), &["passkey.nickname: unknown_field"]),
        ] {
            let refused = sign_up(passkey.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), expected, "{passkey}");
        }
        let both = json!({ "email": "bob@example.org", "password": PASSWORD, "passkey": { "challenge": UNKNOWN, "credential": {} } });
        let refused = anon.post("/signup", both).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&refused), ["password: unknown_field"]);
        let refused = anon.post("/signup/passkey/options", json!({ "email": "x" })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&refused), ["email: invalid_email"]);
    }

    async fn apps_are_taken_by_their_certificate(app: App, "passkeys.origins = ['android:apk-key-hash:aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3']") {
        let origin = "android:apk-key-hash:aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3_-aB3";
        let mut key = VirtualAuthenticator::default();
        let (_, answer) = sign_up(&app, &mut key, ANN).await;
        answer.expect(201);
        let anon = app.anon();
        let begun = begin(&anon, "/signin/passkey/options").await;
        let credential = key.get(&begun["publicKey"], origin).unwrap();
        anon.post("/signin/passkey", json!({ "challenge": begun["challenge"], "credential": credential })).await.expect(200);
    }
}

on_both_stores_with_mail! {
    async fn a_sign_up_is_proved_where_it_was_made(service: Mailing, "accounts.verification = 'required'") {
        let mut key = VirtualAuthenticator::default();
        let (ann, asked) = sign_up(&service, &mut key, ANN).await;
        let cookie = asked.header("set-cookie").split(';').next().unwrap().to_owned();
        let proof = asked.expect(202).json()["proof"]["id"].clone();
        let (_, refused) = sign_in(&service, &key).await;
        refused.expect_problem(422, "credential_refused");
        let body = json!({ "proof": proof, "code": service.code(ANN, 1).await });
        service.anon().post("/signup/confirm", body.clone()).await.expect_problem(403, "other_client");
        let request = ann.request(Method::POST, &path("/signup/confirm")).header("Cookie", cookie).json(&body);
        let answer = ann.send(request).await.expect(201).json();
        recovery_codes(&answer);
        let (_, answer) = sign_in(&service, &key).await;
        answer.expect(200);
    }
}

//! `GET /api/account/export`

use crate::support::{Actor, App, ORIGIN, PASSWORD, on_both_stores};
use reqwest::Method;
use revolve_testkit::authenticator::VirtualAuthenticator;
use serde_json::{Value, json};

async fn export(actor: &Actor) -> Value {
    let reauthentication = actor.reauthenticate().await;
    let answer = actor
        .call_with(Method::GET, "/export", None, &reauthentication)
        .await
        .expect(200);
    assert_eq!(
        (
            answer.header("cache-control"),
            answer.header("content-disposition")
        ),
        ("no-store", "attachment; filename=\"account.json\"")
    );
    answer.json()
}

fn names<'a>(document: &'a Value, list: &str, member: &str) -> Vec<&'a str> {
    let rows = document[list].as_array().unwrap();
    rows.iter()
        .map(|row| row[member].as_str().unwrap())
        .collect()
}

on_both_stores! {
    async fn it_has_what_is_stored_and_no_secret(app: App) {
        let mut ann = app.sign_up("ann").await;
        let body = json!({ "email": "ann@example.org", "password": PASSWORD, "deviceName": "Ann's phone" });
        let other = app.anon().post("/signin", body).await.expect(200).json();
        ann.delete(&format!("/sessions/{}", other["session"]["id"].as_str().unwrap())).await.expect(204);
        ann.put("/details", json!({ "name": "Ann", "website": "https://example.org/ann" })).await.expect(200);
        ann.refresh_bound().await.expect(200);
        let set = ["user", "set", "ann@example.org", "--role", "editor", "--app", r#"{ "plan": "pro" }"#];
        app.revolve(&set).await.expect(0);
        let bob = app.sign_up("bob").await;
        let document = export(&ann).await;
        let account = &document["account"];
        assert_eq!(
            (&account["email"], &account["name"], &account["website"], &account["emailVerifiedAt"]),
            (&json!("ann@example.org"), &json!("Ann"), &json!("https://example.org/ann"), &json!(null))
        );
        assert_eq!((&account["roles"], &account["app"]), (&json!(["editor"]), &json!({ "plan": "pro" })));
        let sessions = document["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), 2, "{document:#}");
        let of = |id: &Value| sessions.iter().find(|row| row["id"] == *id).unwrap();
        let (own, over) = (of(&json!(ann.session)), of(&other["session"]["id"]));
        assert_eq!((&own["current"], &own["endedAt"], &own["authenticatedBy"]), (&json!(true), &json!(null), &json!(["pwd"])));
        assert!(own["boundAt"].is_string() && own["refreshedAt"].is_string() && own["expiresAt"].is_string(), "{own}");
        assert_eq!(
            (&over["deviceName"], &over["endReason"], &over["refreshedAt"], &over["address"]),
            (&json!("Ann's phone"), &json!("signed_out"), &json!(null), &json!("127.0.0.1"))
        );
        assert_eq!(document["devices"].as_array().unwrap().len(), 2);
        let events = names(&document, "journal", "event");
        assert!(
            events.starts_with(&["account.exported"]) && events.ends_with(&["account.created"]) && events.contains(&"account.changed"),
            "{events:?}"
        );
        let text = document.to_string();
        for secret in [&ann.id_token, &ann.refresh_token, ann.credential.as_ref().unwrap(), PASSWORD, "argon2"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(!text.contains("bob@"), "{text}");
        let document = export(&bob).await;
        let mut events = names(&document, "journal", "event");
        // Noted a second or so later.
        events.retain(|event| *event != "session.reauthenticated");
        assert_eq!(events, ["account.exported", "account.created"]);
    }

    async fn it_has_factors_and_what_waits_for_them(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let ann = app.sign_up("ann").await;
        let document = export(&ann).await;
        let nothing = json!({ "totp": null, "passkeys": [], "recoveryCodes": null, "reset": null });
        assert_eq!((&document["factors"], &document["challenges"]), (&nothing, &json!([])));

        let (_, codes) = ann.set_up_totp().await;
        let token = ann.reauthenticate().await;
        let begun = ann.call_with(Method::POST, "/passkeys/options", None, &token).await.expect(200).json();
        let credential = VirtualAuthenticator::default().create(&begun["publicKey"], ORIGIN);
        let body = json!({ "challenge": begun["challenge"], "credential": credential, "name": "Ann's key" });
        let added = ann.call_with(Method::POST, "/passkeys", Some(body), &token).await.expect(201).json();
        let begun = ann.call_with(Method::POST, "/reauthenticate/passkey/options", None, &token).await.expect(200).json();
        let step = app.anon().challenge("ann@example.org", PASSWORD).await;
        let program = app.program().await;
        let reset = format!("{}/factors/reset", program.path_of("ann").await);
        program.post(&reset, json!({ "reason": "Lost phone, ticket 4711" })).await.expect(202);
        let document = export(&ann).await;
        let factors = &document["factors"];
        assert!(factors["totp"]["confirmedAt"].is_string() && factors["totp"]["lastStep"].is_u64(), "{factors}");
        let passkey = &factors["passkeys"][0];
        assert_eq!(
            (&passkey["id"], &passkey["name"], &passkey["credentialId"], &passkey["usedAt"]),
            (&added["passkey"]["id"], &json!("Ann's key"), &credential["id"], &json!(null))
        );
        assert_eq!(factors["recoveryCodes"]["left"], 10);
        assert!(factors["reset"]["orderedAt"].is_string() && factors["reset"]["dueAt"].is_string(), "{factors}");
        let challenges = document["challenges"].as_array().unwrap();
        let of = |kind: &str| challenges.iter().find(|challenge| challenge["kind"] == kind).unwrap();
        assert_eq!(challenges.len(), 2, "{document:#}");
        let (second, own) = (of("second_step"), of("reauthentication"));
        assert_eq!(
            (&second["proved"], &second["device"], &second["deviceKnown"], &second["session"]),
            (&json!(["pwd"]), &step["device"]["id"], &json!(false), &json!(null))
        );
        assert_eq!((&own["session"], &own["proved"], &own["attemptsLeft"]), (&json!(ann.session), &json!([]), &json!(5)));
        assert!(names(&document, "journal", "event").contains(&"factor_reset.ordered"));
        let text = document.to_string();
        let challenge = |begun: &Value| begun["publicKey"]["challenge"].as_str().unwrap().to_owned();
        let id = |begun: &Value| begun["challenge"].as_str().unwrap().to_owned();
        for secret in [challenge(&begun), challenge(&step), id(&begun), id(&step), codes[0].clone(), "4711".to_owned()] {
            assert!(!text.contains(&secret), "{secret} in {text}");
        }
        let activity = ann.get("/activity?limit=100").await.expect(200);
        assert!(!activity.text.contains("4711"), "{activity:?}");
    }

    async fn it_is_in_the_journal_once_it_is_answered(app: App) {
        let ann = app.sign_up("ann").await;
        export(&ann).await;
        let entries = ann.get("/activity").await.expect(200).json();
        let entry = entries["entries"].as_array().unwrap().iter().find(|entry| entry["event"] == "account.exported");
        let entry = entry.unwrap();
        assert_eq!((&entry["actor"], &entry["session"], &entry["address"]), (&json!("user"), &json!(ann.session), &json!("127.0.0.1")));
    }

    async fn a_long_journal_is_whole(app: App) {
        let ann = app.sign_up("ann").await;
        for number in 0..230 {
            ann.put("/details", json!({ "name": format!("Ann {number}") })).await.expect(200);
        }
        let document = export(&ann).await;
        let changes = names(&document, "journal", "event").into_iter().filter(|event| *event == "account.changed");
        assert_eq!(changes.count(), 230);
        let mut ids = names(&document, "journal", "id");
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "each once");
    }

    async fn it_needs_the_password_and_the_device(app: App) {
        let (mut ann, other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        app.anon().get("/export").await.expect_problem(401, "unauthenticated");
        ann.get("/export").await.expect_problem(403, "reauthentication_required");
        let foreign = other.reauthenticate().await;
        ann.call_with(Method::GET, "/export", None, &foreign).await.expect_problem(403, "reauthentication_required");
        ann.refresh_bound().await.expect(200);
        let own = ann.reauthenticate().await;
        let thief = ann.without_device();
        thief.call_with(Method::GET, "/export", None, &own).await.expect_problem(401, "device_mismatch");
        ann.call_with(Method::HEAD, "/export", None, &own).await.expect(200);
    }

    async fn a_head_is_no_export(app: App, "limits.exports_per_account = '1/1h'") {
        let ann = app.sign_up("ann").await;
        ann.call(Method::HEAD, "/export", None).await.expect(403);
        let own = ann.reauthenticate().await;
        for _ in 0..3 {
            let head = ann.call_with(Method::HEAD, "/export", None, &own).await.expect(200);
            assert_eq!(head.header("content-disposition"), "attachment; filename=\"account.json\"");
        }
        let document = export(&ann).await;
        let exported = names(&document, "journal", "event").into_iter().filter(|event| *event == "account.exported");
        assert_eq!(exported.count(), 1, "and none of them counts");
    }

    async fn it_is_limited(app: App, "limits.exports_per_account = '2/1h'") {
        let ann = app.sign_up("ann").await;
        for _ in 0..2 {
            export(&ann).await;
        }
        let own = ann.reauthenticate().await;
        let refused = ann.call_with(Method::GET, "/export", None, &own).await.expect_problem(429, "rate_limited");
        assert!(refused.header("ratelimit").contains("exports_per_account"), "{refused:?}");
    }
}

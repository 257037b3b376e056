//! `POST /users/{uid}/disable`, `/enable`, `/sign-out` and `/recovery-link`, and the sessions of an account.

use super::NOBODY;
use crate::support::{Actor, App, PASSWORD, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NEW: &str = "a password that ann remembers";

fn states(answer: &Value) -> Vec<(&str, &str)> {
    let sessions = answer["sessions"].as_array().expect("a list").iter();
    sessions
        .map(|session| {
            let member = |name: &str| session[name].as_str().expect("a text");
            (member("id"), member("state"))
        })
        .collect()
}

on_both_stores! {
    async fn the_devices_of_an_account_are_seen_and_signed_out(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let (mut laptop, mut phone) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let bob = app.sign_up("bob").await;
        let path = program.path_of("ann").await;
        let seen = program.get(&format!("{path}/sessions")).await.expect(200).json();
        // Both began in the same second.
        let both = states(&seen).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(both, BTreeSet::from([(phone.session.as_str(), "live"), (laptop.session.as_str(), "live")]));
        assert_eq!((&seen["complete"], &seen["sessions"][0]["address"]), (&json!(true), &json!("127.0.0.1")));

        let one = format!("{path}/sessions/{}", phone.session);
        for _ in 0..2 {
            program.call(Method::DELETE, &one).await.expect(204);
        }
        phone.refresh().await.expect_problem(401, "session_revoked");
        laptop.refresh().await.expect(200);
        let seen = program.get(&format!("{path}/sessions?live=true")).await.expect(200).json();
        assert_eq!(states(&seen), [(laptop.session.as_str(), "live")]);
        let seen = program.get(&format!("{path}/sessions?live=false")).await.expect(200).json();
        assert_eq!(seen["sessions"][0]["endReason"], "signed_out");
        for (uid, sid) in [(path.as_str(), bob.session.as_str()), (path.as_str(), NOBODY), (&format!("/users/{NOBODY}"), &laptop.session)] {
            program.call(Method::DELETE, &format!("{uid}/sessions/{sid}")).await.expect_problem(404, "not_found");
        }
        program.get(&format!("/users/{NOBODY}/sessions")).await.expect_problem(404, "not_found");

        program.call(Method::POST, &format!("{path}/sign-out")).await.expect(204);
        laptop.refresh().await.expect_problem(401, "session_revoked");
        bob.get("/me").await.expect(200);
        app.sign_in("ann").await;
        program.call(Method::POST, &format!("/users/{NOBODY}/sign-out")).await.expect_problem(404, "not_found");
        let told = program.get("/events?name=session.signed_out").await.expect(200).json();
        assert_eq!((&told["entries"][0]["actor"], &told["entries"][0]["apiKey"]), (&json!("key"), &json!(program.id)));
    }

    async fn a_disabled_account_is_out_until_it_is_enabled(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, mut ann) = (app.program().await, app.sign_up("ann").await);
        let path = program.path_of("ann").await;
        for _ in 0..2 {
            program.call(Method::POST, &format!("{path}/disable")).await.expect(204);
        }
        ann.refresh().await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        assert!(program.user("ann").await["disabledAt"].is_string());
        for _ in 0..2 {
            program.call(Method::POST, &format!("{path}/enable")).await.expect(204);
        }
        app.sign_in("ann").await;
        assert_eq!(program.user("ann").await["disabledAt"], Value::Null);
        for verb in ["disable", "enable"] {
            program.call(Method::POST, &format!("/users/{NOBODY}/{verb}")).await.expect_problem(404, "not_found");
        }
    }

    async fn a_recovery_link_sets_a_password_in_any_browser_once(app: App, "http.admin_listen = '127.0.0.1:0'\nmail.links.recovery = 'https://app.example.org/reset?proof={proof}&secret={secret}'") {
        let (program, mut ann) = (app.program().await, app.sign_up("ann").await);
        let path = program.path_of("ann").await;
        let earlier = program.call(Method::POST, &format!("{path}/recovery-link")).await.expect(201).json();
        let answer = program.call(Method::POST, &format!("{path}/recovery-link")).await.expect(201).json();
        let body = |answer: &Value| {
            let link = answer["link"].as_str().unwrap();
            let query = link.strip_prefix("https://app.example.org/reset?proof=").unwrap();
            let (proof, secret) = query.split_once("&secret=").unwrap();
            json!({ "proof": proof, "secret": secret, "newPassword": NEW })
        };
        let anon = app.anon();
        anon.post("/recovery/confirm", body(&earlier)).await.expect_problem(410, "proof_gone");
        let begun = anon.post("/recovery/confirm", body(&answer)).await.expect(200).json();
        let token = begun["tokens"]["idToken"].as_str().unwrap();
        assert_eq!(Actor::claims(token)["email_verified"], false, "nobody has read the mailbox");
        anon.post("/recovery/confirm", body(&answer)).await.expect_problem(410, "proof_gone");
        ann.refresh().await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", NEW).await.expect(200);
        let told = program.get("/events?name=recovery_link.issued").await.expect(200).json();
        assert_eq!(told["entries"].as_array().map(Vec::len), Some(2), "{told}");
        assert_eq!((&told["entries"][0]["user"], &told["entries"][0]["apiKey"]), (&program.user("ann").await["uid"], &json!(program.id)));
        assert!(!told.to_string().contains("secret="), "{told}");

        let said = app.revolve(&["user", "recovery-link", "ann@example.org", "--json"]).await.expect(0);
        assert!(said.err.contains("recovery_link.issued") && !said.err.contains("secret"), "{said:?}");
        anon.post("/recovery/confirm", body(&said.json())).await.expect(200);
        program.call(Method::POST, &format!("{path}/disable")).await.expect(204);
        program.call(Method::POST, &format!("{path}/recovery-link")).await.expect_problem(409, "account_disabled");
        app.revolve(&["user", "recovery-link", "ann@example.org"]).await.expect(1);
        program.call(Method::POST, &format!("/users/{NOBODY}/recovery-link")).await.expect_problem(404, "not_found");
    }

    async fn a_recovery_link_must_lead_somewhere(app: App, "http.admin_listen = '127.0.0.1:0'\npages.enabled = false") {
        let program = app.program().await;
        app.sign_up("ann").await;
        let path = program.path_of("ann").await;
        program.call(Method::POST, &format!("{path}/recovery-link")).await.expect_problem(409, "link_not_configured");
        let said = app.revolve(&["user", "recovery-link", "ann@example.org"]).await.expect(1);
        assert!(said.err.contains("set mail.links.recovery"), "{said:?}");
    }
}

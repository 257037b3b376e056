//! `POST /oauth/revoke`

use super::{REVOKE, form, refresh, refresh_bound, refresh_with};
use crate::support::{Actor, App, on_both_stores};
use serde_json::json;

async fn revoke(actor: &Actor, token: &str) {
    let answer = actor.send(form(actor, REVOKE, &[("token", token)])).await;
    assert_eq!(answer.expect(200).text, "");
}

on_both_stores! {
    async fn ends_the_session_of_a_refresh_token_and_no_other(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        refresh(&mut one).await.expect(200);
        revoke(&app.anon(), &one.refresh_token).await;
        refresh(&mut one).await.expect_oauth(400, "invalid_grant", "session_revoked");
        one.refresh().await.expect_problem(401, "session_revoked");
        one.get("/me").await.expect_problem(401, "session_revoked");
        refresh(&mut two).await.expect(200);
        two.get("/me").await.expect(200);
        let activity = two.get("/activity").await.expect(200).json();
        let ended = &activity["entries"][0];
        assert_eq!((&ended["event"], &ended["actor"], &ended["session"]), (&json!("session.signed_out"), &json!("user"), &json!(one.session)));
    }

    async fn ends_the_session_of_an_id_token(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let hinted = form(&one, REVOKE, &[("token", &one.id_token), ("token_type_hint", "access_token")]);
        one.send(hinted).await.expect(200);
        one.get("/me").await.expect_problem(401, "session_revoked");
        refresh(&mut one).await.expect_oauth(400, "invalid_grant", "session_revoked");
        refresh(&mut two).await.expect(200);
    }

    async fn a_token_that_was_replaced_ends_its_session_too(app: App) {
        let mut ann = app.sign_up("ann").await;
        let first = ann.refresh_token.clone();
        for _ in 0..3 {
            refresh(&mut ann).await.expect(200);
        }
        revoke(&ann, &first).await;
        refresh(&mut ann).await.expect_oauth(400, "invalid_grant", "session_revoked");
    }

    async fn needs_no_device(app: App) {
        let mut ann = app.sign_up("ann").await;
        refresh_bound(&mut ann).await.expect(200);
        revoke(&app.anon(), &ann.refresh_token).await;
        refresh_bound(&mut ann).await.expect_oauth(400, "invalid_grant", "session_revoked");
    }

    async fn what_is_worth_nothing_is_answered_alike_and_ends_nothing(app: App) {
        let (mut ann, other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let (kept, last) = ann.refresh_token.split_at(ann.refresh_token.len() - 1);
        let forged = format!("{kept}{}", if last == "A" { "B" } else { "A" });
        revoke(&other, &other.refresh_token).await;
        let reauthentication = ann.reauthenticate().await;
        for token in ["x", "a.b.c", &forged, &reauthentication, ann.credential.as_ref().unwrap(), &other.refresh_token, &other.id_token] {
            revoke(&ann, token).await;
        }
        for hint in ["refresh_token", "access_token", "something_else"] {
            ann.send(form(&ann, REVOKE, &[("token", "x"), ("token_type_hint", hint), ("client_id", "web")])).await.expect(200);
        }
        refresh(&mut ann).await.expect(200);
        ann.get("/me").await.expect(200);
    }

    async fn ends_nothing_anew(app: App) {
        let (ann, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        two.sign_out("others").await.expect(204);
        revoke(&two, &ann.refresh_token).await;
        revoke(&two, &ann.refresh_token).await;
        let activity = two.get("/activity").await.expect(200).json();
        let entries = activity["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["event"] != "session.signed_out"), "it ended with the others: {activity}");
        two.send(refresh_with(&two, &two.refresh_token)).await.expect(200);
        refresh(&mut two).await.expect(200);
    }
}

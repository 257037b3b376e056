//! `POST /api/account/signout`

use crate::support::{App, field_errors, on_both_stores};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn ends_this_session_and_no_other(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let parent = one.refresh_token.clone();
        one.refresh().await.expect(200);
        let answer = one.call(Method::POST, "/signout", None).await.expect(204);
        assert_eq!(answer.text, "");
        one.refresh().await.expect_problem(401, "session_revoked");
        one.refresh_with(&parent).await.expect_problem(401, "session_revoked");
        one.get("/me").await.expect_problem(401, "session_revoked");
        one.sign_out("this").await.expect_problem(401, "session_revoked");
        two.get("/me").await.expect(200);
        two.refresh().await.expect(200);
    }

    async fn ends_the_others(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let mut bob = app.sign_up("bob").await;
        one.sign_out("others").await.expect(204);
        two.refresh().await.expect_problem(401, "session_revoked");
        two.get("/me").await.expect_problem(401, "session_revoked");
        one.refresh().await.expect(200);
        one.get("/me").await.expect(200);
        bob.refresh().await.expect(200);
        let mut three = app.sign_in("ann").await;
        three.refresh().await.expect(200);
        three.sign_out("others").await.expect(204);
        one.refresh().await.expect_problem(401, "session_revoked");
    }

    async fn ends_all_everywhere(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let mut bob = app.sign_up("bob").await;
        one.sign_out("everywhere").await.expect(204);
        for device in [&mut one, &mut two] {
            device.refresh().await.expect_problem(401, "session_revoked");
            device.get("/me").await.expect_problem(401, "session_revoked");
        }
        bob.refresh().await.expect(200);
        app.sign_in("ann").await.refresh().await.expect(200);
    }

    async fn refuses_what_it_does_not_understand(app: App) {
        let mut ann = app.sign_up("ann").await;
        let answer = ann.sign_out("nowhere").await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["scope: invalid_choice"]);
        let answer = ann.call(Method::POST, "/signout", Some(json!({ "all": true }))).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["all: unknown_field"]);
        app.anon().post("/signout", json!({})).await.expect_problem(401, "unauthenticated");
        let mut thief = app.anon();
        thief.id_token = ann.refresh_token.clone();
        thief.sign_out("everywhere").await.expect_problem(401, "token_invalid");
        ann.refresh().await.expect(200);
    }
}

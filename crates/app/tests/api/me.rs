//! `GET` and `DELETE /api/account/me`

use crate::support::{Actor, App, PASSWORD, on_both_stores, wait_until_past};
use reqwest::Method;

on_both_stores! {
    async fn tells_who_one_is(app: App) {
        let ann = app.sign_up("ann").await;
        insta::assert_json_snapshot!(ann.get("/me").await.expect(200).json(), { ".user.uid" => "[uuid]", ".user.createdAt" => "[time]" }, @r#"
        {
          "user": {
            "app": {},
            "createdAt": "[time]",
            "email": "ann@example.org",
            "emailVerified": false,
            "imageUrl": null,
            "locale": null,
            "name": null,
            "roles": [],
            "uid": "[uuid]",
            "website": null
          }
        }
        "#);
    }

    async fn needs_an_id_token(app: App) {
        let ann = app.sign_up("ann").await;
        let answer = app.anon().send(app.anon().request(Method::GET, "/api/account/me")).await.expect_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"revolve\"");
        let mut thief = app.anon();
        for bad in [ann.refresh_token.as_str(), "x", "a.b.c", &format!("{}A", ann.id_token)] {
            bad.clone_into(&mut thief.id_token);
            let answer = thief.get("/me").await.expect_problem(401, "token_invalid");
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
        }
    }

    async fn expires(app: App, "tokens.id_lifetime = '1s'") {
        let ann = app.sign_up("ann").await;
        wait_until_past(&Actor::claims(&ann.id_token)).await;
        ann.get("/me").await.expect_problem(401, "token_expired");
    }

    async fn goes_away_with_everything(app: App) {
        let (ann, mut other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        ann.delete_account().await.expect(204);
        ann.get("/me").await.expect_problem(401, "session_revoked");
        other.refresh().await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        let again = app.sign_up("ann").await;
        assert_ne!(Actor::claims(&again.id_token)["sub"], Actor::claims(&ann.id_token)["sub"]);
        other.refresh().await.expect_problem(401, "session_revoked");
    }

    async fn does_not_go_away_for_an_id_token_however_fresh(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.delete("/me").await.expect_problem(403, "reauthentication_required");
        app.sign_in("ann").await.delete("/me").await.expect_problem(403, "reauthentication_required");
        ann.refresh_bound().await.expect(200);
        ann.delete("/me").await.expect_problem(403, "reauthentication_required");
        ann.get("/me").await.expect(200);
    }
}

//! `GET /userinfo` and `POST /userinfo`

use super::{USERINFO, refresh_bound};
use crate::support::{Actor, Answer, App, on_both_stores};
use reqwest::Method;
use serde_json::json;

async fn ask(actor: &Actor, method: Method) -> Answer {
    actor
        .send(actor.request(method, USERINFO).bearer_auth(&actor.id_token))
        .await
}

on_both_stores! {
    async fn names_the_account_by_standard_claims(app: App) {
        let ann = app.sign_up("ann").await;
        let sub = Actor::claims(&ann.id_token)["sub"].clone();
        let bare = json!({ "sub": sub, "email": "ann@example.org", "email_verified": false });
        for method in [Method::GET, Method::POST] {
            let answer = ask(&ann, method).await.expect(200);
            assert_eq!((answer.json(), answer.header("cache-control")), (bare.clone(), "no-store"));
        }
        let details = json!({ "name": "Ann", "website": "https://example.org/", "imageUrl": "https://example.org/ann.png", "locale": "de-CH" });
        ann.put("/details", details).await.expect(200);
        app.revolve(&["user", "set", "ann@example.org", "--role", "editor", "--app", r#"{"plan":"pro"}"#, "--verified", "true"]).await.expect(0);
        let full = json!({
            "sub": sub, "email": "ann@example.org", "email_verified": true, "name": "Ann", "picture": "https://example.org/ann.png",
            "website": "https://example.org/", "locale": "de-CH", "roles": ["editor"], "app": { "plan": "pro" },
        });
        assert_eq!(ask(&ann, Method::GET).await.expect(200).json(), full, "as of now, though the token is of before");
    }

    async fn takes_an_id_token_of_a_live_session_and_nothing_else(app: App, "tokens.algorithm = 'RS256'") {
        let mut ann = app.sign_up("ann").await;
        for method in [Method::GET, Method::POST] {
            let bare = ann.request(method.clone(), USERINFO);
            let answer = ann.send(bare).await.expect_problem(401, "unauthenticated");
            assert!(!answer.header("www-authenticate").contains("error="), "RFC 6750 §3.1: {answer:#?}");
            let refused = ask(&ann.with_id_token(&ann.refresh_token), method).await.expect_problem(401, "token_invalid");
            assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""), "{refused:#?}");
        }
        // The token in a query would be in logs (RFC 6750 §5.3).
        let query = ann.request(Method::GET, &format!("{USERINFO}?access_token={}", ann.id_token));
        query.send().await.expect("an answer").error_for_status().expect_err("it is not read");
        refresh_bound(&mut ann).await.expect(200);
        ask(&ann, Method::GET).await.expect(200);
        ann.sign_out("this").await.expect(204);
        ask(&ann, Method::GET).await.expect_problem(401, "session_revoked");
    }
}

//! `GET /api/account/sessions` and `DELETE /api/account/sessions/{sid}`

use crate::support::{App, PASSWORD, field_errors, on_both_stores, path};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn are_listed_with_what_their_user_needs_to_know_them(app: App) {
        let ann = app.sign_up("ann").await;
        let body = json!({ "email": "ann@example.org", "password": PASSWORD, "deviceName": "Ann's phone" });
        let request = ann.request(Method::POST, &path("/signin")).header("User-Agent", "phone/1.0").json(&body);
        ann.send(request).await.expect(200);
        let mut list = ann.get("/sessions").await.expect(200).json();
        // Both began in the same second, perhaps.
        list["sessions"].as_array_mut().unwrap().sort_by_key(|session| session["current"].as_bool());
        insta::assert_json_snapshot!(list, { ".**.id" => "[uuid]", ".sessions[].createdAt" => "[time]",
            ".sessions[].refreshedAt" => "[time]", ".sessions[].expiresAt" => "[time]", ".sessions[].endsAt" => "[time]" }, @r#"
        {
          "sessions": [
            {
              "address": "127.0.0.1",
              "createdAt": "[time]",
              "current": false,
              "device": {
                "bound": false,
                "id": "[uuid]",
                "name": "Ann's phone",
                "userAgent": "phone/1.0"
              },
              "endsAt": "[time]",
              "expiresAt": "[time]",
              "id": "[uuid]",
              "refreshedAt": "[time]"
            },
            {
              "address": "127.0.0.1",
              "createdAt": "[time]",
              "current": true,
              "device": {
                "bound": false,
                "id": "[uuid]",
                "name": null,
                "userAgent": null
              },
              "endsAt": "[time]",
              "expiresAt": "[time]",
              "id": "[uuid]",
              "refreshedAt": "[time]"
            }
          ]
        }
        "#);
    }

    async fn can_be_ended_one_by_one(app: App) {
        let (mut one, mut two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        one.delete(&format!("/sessions/{}", two.session)).await.expect(204);
        two.refresh().await.expect_problem(401, "session_revoked");
        two.get("/me").await.expect_problem(401, "session_revoked");
        one.refresh().await.expect(200);
        assert_eq!(one.get("/sessions").await.json()["sessions"].as_array().unwrap().len(), 1);
        one.delete(&format!("/sessions/{}", two.session)).await.expect(204);
        one.delete(&format!("/sessions/{}", one.session)).await.expect(204);
        one.refresh().await.expect_problem(401, "session_revoked");
    }

    async fn of_others_are_not_there(app: App) {
        let (ann, mut bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        ann.delete(&format!("/sessions/{}", bob.session)).await.expect_problem(404, "not_found");
        ann.delete("/sessions/00000000-0000-4000-8000-000000000000").await.expect_problem(404, "not_found");
        let answer = ann.delete("/sessions/x").await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["sid: invalid_id"]);
        bob.refresh().await.expect(200);
    }
}

//! `PATCH /users/{uid}`

use super::NOBODY;
use crate::support::{Actor, App, PASSWORD, Program, field_errors, on_both_stores};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// A change of the account as it was seen.
async fn change_if(
    program: &Program,
    path: &str,
    tag: &str,
    body: Value,
) -> crate::support::Answer {
    let request = program.request(Method::PATCH, path).header("If-Match", tag);
    program.send(request.json(&body)).await
}

on_both_stores! {
    async fn a_patch_changes_what_it_names_and_nothing_else(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, mut ann) = (app.program().await, app.sign_up("ann").await);
        let path = program.path_of("ann").await;
        let patch = json!({ "name": "Ann", "roles": ["editor", "admin"], "app": { "plan": "pro", "seats": { "max": 5, "used": 1 } } });
        let before = program.get(&path).await.expect(200);
        let answer = program.patch(&path, patch).await.expect(200);
        assert_ne!(answer.header("etag"), before.header("etag"));
        let user = &answer.json()["user"];
        assert_eq!((&user["name"], &user["roles"]), (&json!("Ann"), &json!(["admin", "editor"])));
        // Members of objects are merged, `null` removes one, and arrays are replaced (RFC 7396).
        let patch = json!({ "name": null, "app": { "plan": null, "seats": { "used": 2 } } });
        let user = program.patch(&path, patch).await.expect(200).json()["user"].clone();
        assert_eq!((&user["name"], &user["roles"]), (&Value::Null, &json!(["admin", "editor"])));
        assert_eq!(user["app"], json!({ "seats": { "max": 5, "used": 2 } }));
        let user = program.patch(&path, json!({ "app": null, "roles": null })).await.expect(200).json()["user"].clone();
        assert_eq!((&user["app"], &user["roles"]), (&json!({}), &json!([])));
        let same = program.patch(&path, json!({})).await.expect(200).json()["user"].clone();
        assert_eq!(same, user, "nothing was to be changed");
        let request = program.request(Method::PATCH, &path).header("content-type", "application/merge-patch+json");
        program.send(request.body(r#"{"roles":["admin"]}"#)).await.expect(200);
        // Nobody is signed out, and the next token knows.
        ann.refresh().await.expect(200);
        assert_eq!(Actor::claims(&ann.id_token)["roles"], json!(["admin"]));
    }

    async fn of_many_changes_of_one_version_one_is_made(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        app.sign_up("ann").await;
        let path = program.path_of("ann").await;
        let tag = program.get(&path).await.expect(200).header("etag").to_owned();
        let replica = app.replica().await;
        let elsewhere = replica.admin(&program);
        let (path, tag) = (&path, &tag);
        let changes = (0..8).map(|number| {
            let program = if number % 2 == 0 { &program } else { &elsewhere };
            async move { change_if(program, path, tag, json!({ "name": format!("Ann {number}") })).await }
        });
        let answers = join_all(changes).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((made.len(), refused.len()), (1, 7));
        for answer in refused {
            answer.expect_problem(412, "version_mismatch");
        }
        let now = program.get(path).await.expect(200);
        assert_eq!(now.json(), made[0].json());
        change_if(&program, path, now.header("etag"), json!({ "name": "Ann" })).await.expect(200);
        change_if(&program, path, "*", json!({ "name": "Anna" })).await.expect(200);
        for bad in ["17", "W/\"17\"", "\"a\"", "\"1\", \"2\"", ""] {
            change_if(&program, path, bad, json!({ "name": "Bob" })).await.expect_problem(400, "invalid_if_match");
        }
        assert_eq!(program.user("ann").await["name"], "Anna");
        replica.stop().await;
    }

    async fn an_address_that_is_changed_is_the_one_to_sign_in_with(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for name in ["ann", "bob"] {
            app.sign_up(name).await;
        }
        let path = program.path_of("ann").await;
        program.patch(&path, json!({ "email": "BOB@example.org" })).await.expect_problem(409, "email_taken");
        let user = program.patch(&path, json!({ "email": "ann@example.net", "emailVerified": true })).await.expect(200).json()["user"].clone();
        assert_eq!((&user["email"], &user["emailVerified"]), (&json!("ann@example.net"), &json!(true)));
        app.anon().sign_in("ann@example.net", PASSWORD).await.expect(200);
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        let user = program.patch(&path, json!({ "email": "ann@example.org" })).await.expect(200).json()["user"].clone();
        assert_eq!(user["emailVerified"], false, "the new address is not");
    }

    async fn what_is_wrong_is_named_and_changes_nothing(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        app.sign_up("ann").await;
        let path = program.path_of("ann").await;
        let before = program.get(&path).await.expect(200).json();
        let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
        let many: Vec<String> = (0..200).map(|number| format!("role{number}")).collect();
        for (body, errors) in [
            (json!({ "nickname": "Ann" }), &["nickname: unknown_field"][..]),
            (json!({ "password": PASSWORD }), &["password: unknown_field"]),
            (json!({ "roles": ["admin", "No role", 3] }), &["roles[1]: invalid_role", "roles[2]: wrong_type"]),
            (json!({ "roles": "admin" }), &["roles: wrong_type"]),
            (json!({ "roles": many }), &["roles: too_many"]),
            (json!({ "app": [] }), &["app: wrong_type"]),
            (json!({ "app": { "a": "x".repeat(9000) } }), &["app: too_large"]),
            (json!({ "app": nested(17) }), &["app: too_deep"]),
            (json!({ "email": null }), &["email: missing"]),
            (json!({ "email": "ann" }), &["email: invalid_email"]),
            (json!({ "emailVerified": "yes" }), &["emailVerified: wrong_type"]),
            (json!({ "name": "a\u{202e}b" }), &["name: control_characters"]),
            (json!({ "website": "ftp://example.org", "locale": "?" }), &["locale: invalid_locale", "website: invalid_url"]),
        ] {
            let answer = program.patch(&path, body.clone()).await.expect_problem(422, "invalid_fields");
            let mut found = field_errors(&answer);
            found.sort();
            assert_eq!(found, errors, "{body}");
        }
        program.patch(&path, json!({ "app": nested(40) })).await.expect_problem(400, "nested_too_deep");
        assert_eq!(program.get(&path).await.expect(200).json(), before);
        program.patch(&format!("/users/{NOBODY}"), json!({ "name": "Ann" })).await.expect_problem(404, "not_found");
        let request = program.request(Method::PATCH, &path).header("content-type", "text/plain").body("{}");
        program.send(request).await.expect_problem(415, "unsupported_media_type");
    }
}

//! `GET /users` and `GET /users/{uid}`

use super::{NOBODY, emails};
use crate::support::{Actor, App, field_errors, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores! {
    async fn accounts_are_found_by_address_beginning_role_and_state(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for name in ["bob", "ann", "anna"] {
            app.sign_up(name).await;
        }
        program.call(Method::POST, &format!("{}/disable", program.path_of("anna").await)).await.expect(204);
        program.patch(&program.path_of("bob").await, json!({ "roles": ["admin"], "emailVerified": true })).await.expect(200);
        for (query, expected) in [
            ("", &["ann@example.org", "anna@example.org", "bob@example.org"][..]),
            ("?email=ANN%40Example.ORG", &["ann@example.org"]),
            ("?email=zoe%40example.org", &[]),
            ("?email=ann%40example.org&disabled=true", &[]),
            ("?prefix=AN", &["ann@example.org", "anna@example.org"]),
            ("?prefix=anna", &["anna@example.org"]),
            ("?prefix=an&disabled=false", &["ann@example.org"]),
            ("?prefix=%25", &[]),
            ("?disabled=true", &["anna@example.org"]),
            ("?disabled=false", &["ann@example.org", "bob@example.org"]),
            ("?verified=true", &["bob@example.org"]),
            ("?verified=false&disabled=false", &["ann@example.org"]),
            ("?role=admin", &["bob@example.org"]),
            ("?role=admin&disabled=true", &[]),
            ("?role=editor", &[]),
        ] {
            let page = program.get(&format!("/users{query}")).await.expect(200).json();
            assert_eq!(emails(&page), expected, "{query}");
            assert_eq!(page["next"], Value::Null, "{query}");
        }
    }

    async fn a_long_list_is_read_page_by_page(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let mut names: Vec<String> = (0..7).map(|number| format!("user{number}")).collect();
        for name in &names {
            app.sign_up(name).await;
        }
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = program.get(&format!("/users?limit=3&prefix=user{after}")).await.expect(200).json();
            found.extend(emails(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(emails(&page).len(), 3);
            after = format!("&after={next}");
        }
        for name in &mut names {
            name.push_str("@example.org");
        }
        assert_eq!(found, names);
        // One that fills the page is the last, too.
        let page = program.get("/users?limit=7").await.expect(200).json();
        assert_eq!((emails(&page).len(), &page["next"]), (7, &Value::Null));
    }

    async fn what_can_t_be_asked_for_is_refused(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for (query, errors) in [
            ("prefx=a", &["prefx: unknown_field"][..]),
            ("limit=0", &["limit: invalid_number"]),
            ("limit=201", &["limit: invalid_number"]),
            ("limit=ten", &["limit: invalid_number"]),
            ("disabled=yes", &["disabled: invalid_choice"]),
            ("verified=", &["verified: invalid_choice"]),
            ("role=Admin", &["role: invalid_role"]),
            ("email=ann", &["email: invalid_email"]),
            ("after=%2B", &["after: invalid_cursor"]),
            ("prefix=a&prefix=b", &["prefix: repeated"]),
            ("limit=0&disabled=1", &["disabled: invalid_choice", "limit: invalid_number"]),
        ] {
            let answer = program.get(&format!("/users?{query}")).await.expect_problem(422, "invalid_fields");
            let mut found = field_errors(&answer);
            found.sort();
            assert_eq!(found, errors, "{query}");
        }
        for path in ["/users/ann", "/users/ann/sessions"] {
            let answer = program.get(path).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["uid: invalid_id"]);
        }
    }

    async fn an_account_is_shown_whole_with_its_version(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, ann) = (app.program().await, app.sign_up("ann").await);
        ann.put("/details", json!({ "name": "Ann", "website": "https://example.org/", "locale": "de-CH" })).await.expect(200);
        let uid = Actor::claims(&ann.id_token)["sub"].as_str().unwrap().to_owned();
        let answer = program.get(&format!("/users/{uid}")).await.expect(200);
        let user = &answer.json()["user"];
        assert_eq!(
            (&user["uid"], &user["email"], &user["name"], &user["locale"]),
            (&json!(uid), &json!("ann@example.org"), &json!("Ann"), &json!("de-CH"))
        );
        assert_eq!((&user["roles"], &user["app"], &user["disabledAt"]), (&json!([]), &json!({}), &Value::Null));
        assert_eq!(answer.header("etag"), format!("\"{}\"", user["version"]));
        assert_eq!(program.user("ann").await, *user);
        let shown = app.revolve(&["user", "show", &uid, "--json"]).await.expect(0).json();
        for member in ["uid", "email", "name", "website", "roles", "app", "version"] {
            assert_eq!(shown[member], user[member], "the command says the same: {member}");
        }
        program.get(&format!("/users/{NOBODY}")).await.expect_problem(404, "not_found");
    }
}

//! `POST /users`

use super::NOBODY;
use crate::support::{
    Actor, Answer, App, Mailing, PASSWORD, Program, field_errors, on_both_stores,
    on_both_stores_with_mail,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// With a name for the request.
async fn create_once(program: &Program, name: &str, body: &Value) -> Answer {
    let request = program.request(Method::POST, "/users");
    let request = request.header("Idempotency-Key", name);
    program.send(request.json(body)).await
}

on_both_stores! {
    async fn an_account_is_made_with_all_that_it_has(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let uid = "6f1f6a58-31cf-4a1e-8b1c-0d8a5d1f7c11";
        let body = json!({
            "email": "Ann@Example.org", "password": PASSWORD, "name": "Ann", "website": "https://example.org/", "locale": "de",
            "roles": ["editor"], "app": { "plan": "pro" }, "emailVerified": true, "uid": uid,
        });
        let answer = program.post("/users", body).await.expect(201);
        assert_eq!(answer.header("location"), format!("/api/admin/users/{uid}"));
        let user = &answer.json()["user"];
        assert_eq!((&user["uid"], &user["email"], &user["locale"]), (&json!(uid), &json!("Ann@Example.org"), &json!("de")));
        assert_eq!(answer.header("etag"), format!("\"{}\"", user["version"]));
        assert_eq!(program.user("ann").await, *user);
        let mut ann = app.anon();
        ann.sign_in("ann@example.org", PASSWORD).await.expect(200);
        let claims = Actor::claims(&ann.id_token);
        assert_eq!((&claims["sub"], &claims["roles"], &claims["app"]), (&json!(uid), &json!(["editor"]), &json!({ "plan": "pro" })));
        assert_eq!(claims["email_verified"], true);
        let events = program.get(&format!("/events?user={uid}&name=account.created")).await.expect(200).json();
        assert_eq!((&events["entries"][0]["actor"], &events["entries"][0]["apiKey"]), (&json!("key"), &json!(program.id)));

        let again = json!({ "email": "ann@example.org", "password": PASSWORD });
        program.post("/users", again).await.expect_problem(409, "email_taken");
        let again = json!({ "email": "bob@example.org", "password": PASSWORD, "uid": uid });
        program.post("/users", again).await.expect_problem(409, "uid_taken");
    }

    async fn what_is_wrong_is_named_and_makes_no_account(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let neither = program.post("/users", json!({ "email": "ann@example.org" })).await.expect_problem(422, "invalid_fields");
        assert!(neither.text.contains("unless `invite` is true"), "{neither:#?}");
        for (more, errors) in [
            (json!({}), &["password: missing"][..]),
            (json!({ "password": "short" }), &["password: too_short"]),
            (json!({ "password": "password1" }), &["password: too_common"]),
            (json!({ "invite": true, "password": PASSWORD }), &["password: unknown_field"]),
            (json!({ "invite": "yes" }), &["invite: wrong_type", "password: missing"]),
            (json!({ "password": PASSWORD, "uid": "17", "nickname": "Ann" }), &["nickname: unknown_field", "uid: invalid_id"]),
            (json!({ "password": PASSWORD, "uid": "00000000-0000-0000-0000-000000000000" }), &["uid: invalid_id"]),
            (json!({ "password": PASSWORD, "uid": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF" }), &["uid: invalid_id"]),
            (json!({ "password": PASSWORD, "roles": ["a", ""] }), &["roles[1]: invalid_role"]),
            (json!({ "password": PASSWORD, "app": "pro" }), &["app: wrong_type"]),
            (json!({ "password": PASSWORD, "app": { "a": "x".repeat(5000) } }), &["app: too_large"]),
        ] {
            let mut body = more;
            body["email"] = json!("ann@example.org");
            let answer = program.post("/users", body.clone()).await.expect_problem(422, "invalid_fields");
            let mut found = field_errors(&answer);
            found.sort();
            assert_eq!(found, errors, "{body}");
        }
        let listed = program.get("/users").await.expect(200).json();
        assert_eq!(listed["users"], json!([]));
        // The embedded profile writes mails into files, the other one has none here.
        if app.backing.server.is_some() {
            let body = json!({ "email": "ann@example.org", "invite": true });
            program.post("/users", body).await.expect_problem(409, "mail_not_configured");
        }
    }

    async fn a_request_with_a_name_makes_one_account(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, other) = (app.program().await, app.program().await);
        let replica = app.replica().await;
        let elsewhere = replica.admin(&program);
        let body = json!({ "email": "ann@example.org", "password": PASSWORD, "roles": ["editor"] });
        let all = (0..6).map(|number| create_once(if number % 2 == 0 { &program } else { &elsewhere }, "first", &body));
        let answers: Vec<Value> = join_all(all).await.into_iter().map(|answer| answer.expect(201).json()).collect();
        assert!(answers.iter().all(|answer| answer["user"]["uid"] == answers[0]["user"]["uid"]), "{answers:#?}");
        let made = program.get("/events?name=account.created").await.expect(200).json();
        assert_eq!(made["entries"].as_array().map(Vec::len), Some(1), "{made}");

        let changed = json!({ "email": "ann@example.org", "password": PASSWORD, "roles": ["admin"] });
        create_once(&program, "first", &changed).await.expect_problem(422, "idempotency_key_reused");
        // The name is that of one key.
        create_once(&other, "first", &body).await.expect_problem(409, "email_taken");
        // A request that is refused has no name.
        let weak = json!({ "email": "bob@example.org", "password": "password1" });
        create_once(&program, "second", &weak).await.expect_problem(422, "invalid_fields");
        let strong = json!({ "email": "bob@example.org", "password": PASSWORD });
        create_once(&program, "second", &strong).await.expect(201);

        program.call(Method::DELETE, &program.path_of("ann").await).await.expect(204);
        create_once(&program, "first", &body).await.expect_problem(410, "account_deleted");
        for bad in ["", "two words", &"x".repeat(256)] {
            create_once(&program, bad, &body).await.expect_problem(400, "invalid_idempotency_key");
        }
        replica.stop().await;
    }

    async fn an_id_that_another_request_has_taken_a_moment_ago_is_no_answer(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, uid) = (app.program().await, "6f1f6a58-31cf-4a1e-8b1c-0d8a5d1f7c11");
        let ann = json!({ "email": "ann@example.org", "password": PASSWORD, "uid": uid });
        create_once(&program, "first", &ann).await.expect(201);
        let bob = json!({ "email": "bob@example.org", "password": PASSWORD, "uid": uid });
        for _ in 0..2 {
            create_once(&program, "second", &bob).await.expect_problem(409, "uid_taken");
        }
        let other = json!({ "email": "bob@example.org", "password": PASSWORD });
        let made = create_once(&program, "second", &other).await.expect(201).json();
        assert_eq!(made["user"]["email"], "bob@example.org", "the name is free");
        // As it is by now.
        let path = program.path_of("ann").await;
        program.patch(&path, json!({ "email": "anna@example.org" })).await.expect(200);
        let made = create_once(&program, "first", &ann).await.expect(201).json();
        assert_eq!((&made["user"]["uid"], &made["user"]["email"]), (&json!(uid), &json!("anna@example.org")));
    }

    async fn a_deleted_account_is_gone(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, mut ann) = (app.program().await, app.sign_up("ann").await);
        let path = program.path_of("ann").await;
        program.call(Method::DELETE, &path).await.expect(204);
        program.call(Method::DELETE, &path).await.expect_problem(404, "not_found");
        program.call(Method::DELETE, &format!("/users/{NOBODY}")).await.expect_problem(404, "not_found");
        program.get(&path).await.expect_problem(404, "not_found");
        ann.refresh().await.expect_problem(401, "session_revoked");
        app.sign_up("ann").await;
    }
}

on_both_stores_with_mail! {
    async fn who_is_invited_chooses_a_password_by_the_mail(service: Mailing, "http.admin_listen = '127.0.0.1:0'\nmail.links.recovery = 'https://app.example.org/reset?proof={proof}&secret={secret}'") {
        let program = service.program().await;
        let body = json!({ "email": "ann@example.org", "invite": true, "name": "Ann", "roles": ["editor"] });
        let user = program.post("/users", body).await.expect(201).json()["user"].clone();
        assert_eq!(user["emailVerified"], false);
        service.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        let mail = service.mails_to("ann@example.org", 1).await.remove(0);
        assert!(mail.code().is_none(), "the link is enough: {mail:?}");
        let link = mail.link().unwrap();
        let (_, query) = link.split_once("?proof=").unwrap();
        let (proof, secret) = query.split_once("&secret=").unwrap();
        let chosen = json!({ "proof": proof, "secret": secret, "newPassword": PASSWORD });
        let anon = service.anon();
        let begun = anon.post("/recovery/confirm", chosen.clone()).await.expect(200).json();
        let claims = Actor::claims(begun["tokens"]["idToken"].as_str().unwrap());
        assert_eq!((&claims["sub"], &claims["email_verified"], &claims["roles"]), (&user["uid"], &json!(true), &json!(["editor"])));
        anon.post("/recovery/confirm", chosen).await.expect_problem(410, "proof_gone");
        service.anon().sign_in("ann@example.org", PASSWORD).await.expect(200);
        let told = program.get(&format!("/events?user={}&name=account.invited", user["uid"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(told["entries"][0]["apiKey"], json!(program.id));
    }

    async fn an_operator_invites_by_the_command_line(service: Mailing, "http.admin_listen = '127.0.0.1:0'\nmail.links.recovery = 'https://app.example.org/reset?proof={proof}&secret={secret}'") {
        let arguments = ["user", "invite", "ann@example.org", "--role", "editor", "--app", r#"{"plan":"pro"}"#, "--json"];
        let said = service.revolve(&arguments).await.expect(0);
        assert!(said.err.contains("account.invited"), "{said:?}");
        let mail = service.mails_to("ann@example.org", 1).await.remove(0);
        assert!(mail.link().unwrap().contains("&secret="), "{mail:?}");
        let program = service.program().await;
        let user = program.user("ann").await;
        assert_eq!((&user["uid"], &user["roles"], &user["app"]), (&said.json()["uid"], &json!(["editor"]), &json!({ "plan": "pro" })));
        service.revolve(&["user", "invite", "ann@example.org"]).await.expect(1);
    }
}

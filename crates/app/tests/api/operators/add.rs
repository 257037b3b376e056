//! `revolve user add`

use crate::support::{App, PASSWORD, on_both_stores};
use serde_json::json;

on_both_stores! {
    async fn an_added_user_signs_in(app: App) {
        let said = app.revolve_with(&["user", "add", "Ann@Example.org", "--name", "Ann", "--json"], &format!("{PASSWORD}\n")).await.expect(0);
        let json = said.json();
        assert_eq!((&json["email"], json.get("password")), (&"Ann@Example.org".into(), None), "{said:?}");
        assert!(said.err.contains("account.created"), "the security event: {said:?}");
        assert!(!format!("{said:?}").contains(PASSWORD), "a password that somebody chose is never printed");
        assert_eq!(app.revolve(&["sessions", "list", "ann@example.org", "--json"]).await.expect(0).json(), json!([]), "no session began");
        let mut ann = app.anon();
        ann.sign_in("ann@example.org", PASSWORD).await.expect(200);
        let me = ann.get("/me").await.expect(200).json();
        assert_eq!((&me["user"]["uid"], &me["user"]["name"]), (&json["uid"], &"Ann".into()));
        let again = app.revolve_with(&["user", "add", "ann@example.org"], PASSWORD).await.expect(1);
        assert!(again.err.contains("an account with this e-mail address exists already"), "{again:?}");
    }

    async fn an_added_user_has_what_is_said_of_it(app: App) {
        let id = "6f1f6a58-31cf-4a1e-8b1c-0d8a5d1f7c11";
        let more = ["--verified", "--role", "editor", "--role", "admin", "--app", r#"{"plan":"pro"}"#, "--locale", "de", "--id", id];
        let arguments = [&["user", "add", "ann@example.org", "--generate"][..], &more].concat();
        app.revolve(&arguments).await.expect(0);
        let shown = app.revolve(&["user", "show", id, "--json"]).await.expect(0).json();
        assert_eq!((&shown["email"], &shown["locale"]), (&json!("ann@example.org"), &json!("de")));
        assert_eq!((&shown["roles"], &shown["app"]), (&json!(["admin", "editor"]), &json!({ "plan": "pro" })));
        assert!(shown["emailVerifiedAt"].is_string(), "{shown}");
        let again = app.revolve(&["user", "add", "bob@example.org", "--generate", "--id", id]).await.expect(1);
        assert!(again.err.contains("an account with this id exists already"), "{again:?}");
        for wrong in [["--app", "[]"], ["--app", "{"]] {
            app.revolve(&[&["user", "add", "bob@example.org", "--generate"][..], &wrong].concat()).await.expect(1);
        }
        for wrong in [["--role", "No role"], ["--id", "00000000-0000-0000-0000-000000000000"], ["--id", "17"]] {
            app.revolve(&[&["user", "add", "bob@example.org", "--generate"][..], &wrong].concat()).await.expect(2);
        }
    }

    async fn a_made_password_is_printed_once(app: App) {
        let said = app.revolve(&["user", "add", "ann@example.org", "--generate", "--json"]).await.expect(0);
        let password = said.json()["password"].as_str().unwrap().to_owned();
        assert!(!said.err.contains(&password), "{said:?}");
        app.anon().sign_in("ann@example.org", &password).await.expect(200);
        let said = app.revolve(&["user", "add", "bob@example.org", "--generate"]).await.expect(0);
        let password = said.out.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
        app.anon().sign_in("bob@example.org", password).await.expect(200);
        assert!(!app.revolve(&["user", "show", "bob@example.org", "--json"]).await.expect(0).out.contains(password));
    }

    async fn the_rules_of_a_sign_up_hold(app: App) {
        for (password, words) in [
            ("short", "must have at least"),
            ("password123", "common password"),
            ("ann@example.org", "your e-mail address"),
            ("", "no password on standard input"),
        ] {
            let said = app.revolve_with(&["user", "add", "ann@example.org"], password).await.expect(1);
            assert!(said.err.contains(words) && said.out.is_empty(), "{password}: {said:?}");
            assert!(password.is_empty() || password.contains('@') || !said.err.contains(password), "{said:?}");
        }
        app.revolve_with(&["user", "add", "no address"], PASSWORD).await.expect(2);
        let there = app.revolve(&["user", "show", "ann@example.org"]).await.expect(1);
        assert!(there.err.contains("there is no account ann@example.org"), "{there:?}");
        // The other normal form of the same letters is the same password.
        app.revolve_with(&["user", "add", "ann@example.org"], "korrekte Pfe\u{0308}rde Batterie\r\n").await.expect(0);
        app.anon().sign_in("ann@example.org", "korrekte Pf\u{eb}rde Batterie").await.expect(200);
    }
}

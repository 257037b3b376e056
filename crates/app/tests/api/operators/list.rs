//! `revolve user list | show`

use crate::support::{Actor, App, on_both_stores};
use serde_json::{Value, json};
use std::fmt::Write;

fn emails(listed: &Value) -> Vec<&str> {
    listed
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["email"].as_str().unwrap())
        .collect()
}

on_both_stores! {
    async fn accounts_are_listed_by_address(app: App) {
        assert_eq!(app.revolve(&["user", "list", "--json"]).await.expect(0).json(), json!([]));
        assert_eq!(app.revolve(&["user", "list"]).await.expect(0).out, "there are no such accounts\n");
        let bob = app.sign_up("bob").await;
        for name in ["ann", "anna", "zoe"] {
            app.sign_up(name).await;
        }
        app.revolve(&["user", "disable", "anna@example.org", "--yes"]).await.expect(0);
        let list = async |more: &[&str]| app.revolve(&[&["user", "list", "--json"], more].concat()).await.expect(0).json();
        let all = list(&[]).await;
        assert_eq!(emails(&all), ["ann@example.org", "anna@example.org", "bob@example.org", "zoe@example.org"]);
        assert_eq!(all[2]["uid"], Actor::claims(&bob.id_token)["sub"]);
        assert_eq!(all[2]["disabledAt"], Value::Null);
        assert_eq!(emails(&list(&["--prefix", "ANN"]).await), ["ann@example.org", "anna@example.org"]);
        assert_eq!(emails(&list(&["--disabled"]).await), ["anna@example.org"]);
        assert_eq!(emails(&list(&["--limit", "1", "--after", "ann@example.org"]).await), ["anna@example.org"]);
        assert_eq!(emails(&list(&["--disabled", "--after", "anna@example.org"]).await), [""; 0]);
        let table = app.revolve(&["user", "list"]).await.expect(0).out;
        let states: Vec<_> = table.lines().skip(1).map(|line| (line.contains("disabled"), line.rsplit(' ').next().unwrap())).collect();
        assert_eq!(states, [(false, "ann@example.org"), (true, "anna@example.org"), (false, "bob@example.org"), (false, "zoe@example.org")]);
        app.revolve(&["user", "list", "--limit", "0"]).await.expect(2);
    }

    async fn accounts_are_found_by_role_and_state(app: App) {
        for name in ["ann", "bob", "zoe"] {
            app.sign_up(name).await;
        }
        app.revolve(&["user", "disable", "bob@example.org", "--yes"]).await.expect(0);
        for name in ["ann@example.org", "bob@example.org"] {
            app.revolve(&["user", "set", name, "--role", "editor", "--verified", "true"]).await.expect(0);
        }
        for (arguments, expected) in [
            (&["--role", "editor"][..], &["ann@example.org", "bob@example.org"][..]),
            (&["--role", "editor", "--disabled"], &["bob@example.org"]),
            (&["--role", "admin"], &[]),
            (&["--disabled=false"], &["ann@example.org", "zoe@example.org"]),
            (&["--verified"], &["ann@example.org", "bob@example.org"]),
            (&["--verified=false"], &["zoe@example.org"]),
            (&["--verified", "--disabled=false", "--prefix", "a"], &["ann@example.org"]),
        ] {
            let listed = app.revolve(&[&["user", "find", "--json"], arguments].concat()).await.expect(0).json();
            assert_eq!(emails(&listed), expected, "{arguments:?}");
        }
        for wrong in [&["--role", "No role"][..], &["--verified=maybe"]] {
            app.revolve(&[&["user", "find"], wrong].concat()).await.expect(2);
        }
    }

    async fn an_account_is_shown_by_address_or_id(app: App) {
        let ann = app.sign_up("ann").await;
        app.sign_in("ann").await;
        ann.put("/details", json!({ "name": "Ann", "website": "https://example.org/" })).await.expect(200);
        let by_email = app.revolve(&["user", "show", " ANN@example.org", "--json"]).await.expect(0).json();
        let by_id = app.revolve(&["user", "show", by_email["uid"].as_str().unwrap(), "--json"]).await.expect(0).json();
        assert_eq!(by_email, by_id);
        assert_eq!((&by_id["name"], &by_id["website"], &by_id["sessions"]), (&json!("Ann"), &json!("https://example.org/"), &json!(2)));
        let text = app.revolve(&["user", "show", "ann@example.org"]).await.expect(0).out;
        assert!(text.contains("email     ann@example.org\n") && text.contains("sessions  2\n") && !text.contains("disabled"), "{text}");
    }

    /// More than two pages, which come whole and in order.
    async fn a_long_list_is_read_in_pages(app: App) {
        let mut rows = String::new();
        for i in 0..1203 {
            let row = json!({ "email": format!("user{i:05}@example.org"), "passwordHash": "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2" });
            writeln!(rows, "{row}").unwrap();
        }
        app.revolve_with(&["user", "import", "-"], &rows).await.expect(0);
        let listed = app.revolve(&["user", "list", "--json"]).await.expect(0).json();
        let expected: Vec<_> = (0..1203).map(|i| format!("user{i:05}@example.org")).collect();
        assert_eq!(emails(&listed), expected);
        let some = app.revolve(&["user", "list", "--json", "--limit", "700"]).await.expect(0).json();
        assert_eq!(emails(&some), expected[..700]);
        assert_eq!(app.revolve(&["user", "list"]).await.expect(0).out.lines().count(), 1204);
        let exported = app.revolve(&["user", "export", "-"]).await.expect(0);
        assert_eq!((exported.out.lines().count(), exported.err.contains("1203 accounts exported")), (1203, true));
    }
}

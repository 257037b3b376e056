//! `revolve api-keys create | list | revoke`

use crate::support::{App, on_both_stores};
use serde_json::{Value, json};

on_both_stores! {
    async fn a_key_is_shown_once_and_listed_without_its_secret(app: App) {
        assert_eq!(app.revolve(&["api-keys", "list"]).await.expect(0).out, "there are no API keys\n");
        let made = app
            .revolve(&["api-keys", "create", "--name", "help desk", "--scopes", "users:read,sessions:write", "--expires", "1day", "--json"])
            .await
            .expect(0);
        assert!(made.err.contains("api_key.created"), "{made:?}");
        let made = made.json();
        let key = made["key"].as_str().unwrap();
        assert!(key.starts_with("rvk_") && key.len() == 75, "{key}");
        assert_eq!(made["scopes"], json!(["users:read", "sessions:write"]));
        let listed = app.revolve(&["api-keys", "list", "--json"]).await.expect(0);
        assert!(!listed.out.contains(&key[26..]), "its secret is nowhere: {listed:?}");
        let listed = listed.json();
        assert_eq!((&listed[0]["id"], &listed[0]["state"], &listed[0]["usedAt"]), (&made["id"], &json!("valid"), &Value::Null));

        let id = made["id"].as_str().unwrap();
        let said = app.revolve(&["api-keys", "revoke", id]).await.expect(0);
        assert!(said.out.contains("is revoked") && said.err.contains("api_key.revoked"), "{said:?}");
        let said = app.revolve(&["api-keys", "revoke", id]).await.expect(0);
        assert!(said.out.contains("was revoked already"), "{said:?}");
        let table = app.revolve(&["api-keys", "list"]).await.expect(0).out;
        assert!(table.contains("revoked") && table.contains("help desk: users:read,sessions:write"), "{table}");
        let events = app.revolve(&["events"]).await.expect(0).out;
        assert!(events.contains(&format!("api_key={id}")), "{events}");
    }

    async fn what_makes_no_key_is_refused(app: App) {
        for arguments in [
            &["--scopes", "users:read"][..],
            &["--name", "help desk"],
            &["--name", "help desk", "--scopes", "users"],
            &["--name", "help desk", "--scopes", ""],
            &["--name", " ", "--scopes", "users:read"],
            &["--name", "help desk", "--scopes", "users:read", "--expires", "0s"],
            &["--name", "help desk", "--scopes", "users:read", "--expires", "11years"],
        ] {
            let said = app.revolve(&[&["api-keys", "create"], arguments].concat()).await.expect(2);
            assert!(said.out.is_empty(), "{said:?}");
        }
        app.revolve(&["api-keys", "revoke", "neither"]).await.expect(2);
        app.revolve(&["api-keys", "revoke", "00000000-0000-4000-8000-000000000000"]).await.expect(1);
        assert_eq!(app.revolve(&["api-keys", "list", "--json"]).await.expect(0).json(), json!([]));
    }
}

//! `revolve sessions list`

use crate::support::{Actor, App, PASSWORD, on_both_stores};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn sessions_are_listed_with_their_ends(app: App) {
        let first = app.sign_up("ann").await;
        let mut second = app.anon();
        let request = second.request(Method::POST, &crate::support::path("/signin"));
        let body = json!({ "email": "ann@example.org", "password": PASSWORD, "deviceName": "Ann's phone" });
        let phone = second.send(request.json(&body)).await.expect(200).json();
        second.refresh_token = phone["tokens"]["refreshToken"].as_str().unwrap().to_owned();
        second.refresh().await.expect(200);
        first.sign_out("this").await.expect(204);
        let listed = app.revolve(&["sessions", "list", "ann@example.org", "--json"]).await.expect(0);
        assert!(!listed.out.contains(&second.refresh_token), "no token is ever printed");
        let listed = listed.json();
        let row = |id: &str| listed.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
        let (live, over) = (row(&second.session), row(&first.session));
        assert_eq!((&live["state"], &live["deviceName"], &live["endReason"]), (&json!("live"), &json!("Ann's phone"), &json!(null)));
        assert!(live["beganAt"].is_string() && live["refreshedAt"].is_string() && live["expiresAt"].is_string(), "{live}");
        assert_eq!((&over["state"], &over["endReason"], &over["refreshedAt"]), (&json!("ended"), &json!("signed_out"), &json!(null)));
        assert!(over["endedAt"].is_string(), "{over}");
        let alive = app.revolve(&["sessions", "list", "ann@example.org", "--live", "--json"]).await.expect(0).json();
        assert_eq!(alive, json!([live]));
        let text = app.revolve(&["sessions", "list", "ann@example.org"]).await.expect(0).out;
        assert!(text.contains("Ann's phone") && text.contains(" signed_out"), "{text}");

        // What is left of an account that is gone, by its id.
        let uid = Actor::claims(&second.id_token)["sub"].as_str().unwrap().to_owned();
        app.revolve(&["user", "delete", &uid, "--yes"]).await.expect(0);
        let left = app.revolve(&["sessions", "list", &uid, "--json"]).await.expect(0).json();
        assert_eq!(left.as_array().unwrap().len(), 2);
        assert_eq!((&left[0]["deviceName"], &left[0]["state"]), (&json!(null), &json!("ended")));
        app.revolve(&["sessions", "list", "ann@example.org"]).await.expect(1);
        app.revolve(&["sessions", "list", "00000000-0000-4000-8000-000000000000"]).await.expect(1);
    }
}

//! `PUT /api/account/details`

use crate::support::{Actor, App, PASSWORD, field_errors, on_both_stores};
use serde_json::json;

on_both_stores! {
    async fn changes_what_is_named_and_leaves_the_rest(app: App) {
        let mut ann = app.sign_up("ann").await;
        let answer = ann.put("/details", json!({ "name": " Ann ", "website": "https://example.org" })).await.expect(200).json();
        assert_eq!((&answer["user"]["name"], &answer["user"]["website"]), (&json!("Ann"), &json!("https://example.org/")));
        let answer = ann.put("/details", json!({ "website": null, "imageUrl": "http://example.org/a.png" })).await.expect(200).json();
        assert_eq!(answer["user"]["name"], "Ann");
        assert_eq!((&answer["user"]["website"], &answer["user"]["imageUrl"]), (&json!(null), &json!("http://example.org/a.png")));
        ann.put("/details", json!({})).await.expect(200);
        ann.refresh().await.expect(200);
        let user = &Actor::claims(&ann.id_token)["user"];
        assert_eq!((&user["name"], &user["imageUrl"], user.get("website")), (&json!("Ann"), &json!("http://example.org/a.png"), None));
    }

    async fn changes_the_address_for_the_password_only(app: App) {
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        ann.put("/details", json!({ "email": "new@example.org" })).await.expect_problem(403, "reauthentication_required");
        ann.put("/details", json!({ "email": "new@example.org", "currentPassword": "not it" })).await.expect_problem(403, "wrong_password");
        if app.backing.server.is_none() {
            // Mails go to files there, so that the address has to be proved: `email.rs`.
            return;
        }
        let taken = json!({ "email": "BOB@example.org", "currentPassword": PASSWORD, "name": "Ann" });
        ann.put("/details", taken).await.expect_problem(409, "email_taken");
        assert_eq!(ann.get("/me").await.json()["user"]["name"], json!(null), "nothing changed");
        let answer = ann.put("/details", json!({ "email": "New@example.org", "currentPassword": PASSWORD })).await.expect(200).json();
        assert_eq!(answer["user"]["email"], "New@example.org");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        app.anon().sign_in("new@example.org", PASSWORD).await.expect(200);
    }

    async fn a_website_that_grows_when_it_is_normalised_is_too_long(app: App) {
        let ann = app.sign_up("ann").await;
        let website = format!("https://example.org/{}", "é".repeat(1000));
        let answer = ann.put("/details", json!({ "website": website })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["website: too_long"]);
        ann.get("/me").await.expect(200);
    }

    async fn of_an_ended_session_do_not_change_any_more(app: App, "hashing.threads = 1\nhashing.memory_kib = 64\nhashing.passes = 400") {
        let (slow, quick) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let change = json!({ "email": "new@example.org", "currentPassword": PASSWORD });
        let (changed, ended) = futures_util::join!(slow.put("/details", change), quick.sign_out("others"));
        ended.expect(204);
        // Whichever came first: nothing that the ended session asked for takes effect after the end was answered.
        let email = quick.get("/me").await.expect(200).json()["user"]["email"].clone();
        assert_eq!(email == "new@example.org", changed.status == 200, "{changed:?}");
    }

    async fn sets_the_language_of_mails(app: App) {
        let ann = app.sign_up("ann").await;
        let answer = ann.put("/details", json!({ "locale": "de_CH" })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["locale: invalid_locale"]);
        ann.put("/details", json!({ "locale": "de-ch" })).await.expect(200);
        assert_eq!(ann.get("/me").await.expect(200).json()["user"]["locale"], "de-CH");
    }

    async fn refuses_a_picture_that_others_would_load_from_a_private_host(app: App) {
        let ann = app.sign_up("ann").await;
        for url in ["http://127.0.0.1/a", "http://2130706433/a", "http://localhost/a", "http://[::1]/a", "http://10.0.0.1/a", "http://printer.local/a"] {
            let answer = ann.put("/details", json!({ "name": "Ann", "imageUrl": url })).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["imageUrl: invalid_url"], "{url}");
        }
        let user = ann.get("/me").await.expect(200).json()["user"].clone();
        assert_eq!((&user["name"], &user["imageUrl"]), (&json!(null), &json!(null)), "nothing changed");
    }

    async fn refuses_what_a_browser_would_run(app: App) {
        let ann = app.sign_up("ann").await;
        let body = json!({ "website": "javascript:alert(1)", "imageUrl": "data:text/html,x", "name": "a\u{0}b", "isAdmin": 1, "email": "x" });
        let answer = ann.put("/details", body).await.expect_problem(422, "invalid_fields");
        assert_eq!(
            field_errors(&answer),
            ["name: control_characters", "website: invalid_url", "imageUrl: invalid_url", "email: invalid_email", "isAdmin: unknown_field"]
        );
    }
}

//! `POST /api/account/signin`

use crate::support::{Actor, App, PASSWORD, on_both_stores};
use serde_json::json;

on_both_stores! {
    async fn begins_a_session_of_its_own(app: App) {
        let (mut first, mut second) = (app.sign_up("ann").await, app.sign_in("ann").await);
        assert_ne!(first.session, second.session);
        assert_eq!(Actor::claims(&first.id_token)["sub"], Actor::claims(&second.id_token)["sub"]);
        first.refresh().await.expect(200);
        second.refresh().await.expect(200);
    }

    async fn does_not_tell_who_has_an_account(app: App) {
        app.sign_up("ann").await;
        let wrong = app.anon().sign_in("ann@example.org", "not the password").await.expect_problem(401, "invalid_credentials");
        let nobody = app.anon().sign_in("nobody@example.org", "not the password").await.expect_problem(401, "invalid_credentials");
        assert_eq!(wrong.text, nobody.text);
        app.anon().sign_in("ann@example.org", "x").await.expect_problem(401, "invalid_credentials");
    }

    async fn knows_the_address_in_any_case_and_the_password_in_any_normal_form(app: App) {
        let body = json!({ "email": "ann@example.org", "password": "caf\u{e9} au lait" });
        app.anon().post("/signup", body).await.expect(201);
        app.anon().sign_in(" ANN@Example.org", "cafe\u{301} au lait").await.expect(200);
        app.anon().sign_in("ann@example.org", " caf\u{e9} au lait").await.expect_problem(401, "invalid_credentials");
    }

    async fn survives_many_at_once(app: App, "sessions.max_per_user = 40\nlimits.enabled = false") {
        app.sign_up("ann").await;
        let many = futures_util::future::join_all((0..20).map(|_| app.sign_in("ann"))).await;
        for mut device in many {
            device.refresh().await.expect(200);
        }
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect(200);
    }
}

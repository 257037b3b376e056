//! `PUT /api/account/password`

use crate::support::{App, PASSWORD, field_errors, on_both_stores};
use serde_json::json;

const ONE: &str = "one horse, one battery";
const TWO: &str = "two horses, two batteries";
const NEW: &str = "another horse, another battery";

on_both_stores! {
    async fn goes_on_here_and_ends_everywhere_else(app: App) {
        let (mut here, mut there) = (app.sign_up("ann").await, app.sign_in("ann").await);
        here.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": NEW })).await.expect(204);
        here.get("/me").await.expect(200);
        here.refresh().await.expect(200);
        there.refresh().await.expect_problem(401, "session_revoked");
        there.get("/me").await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        app.anon().sign_in("ann@example.org", NEW).await.expect(200);
        here.put("/password", json!({ "currentPassword": NEW, "newPassword": PASSWORD })).await.expect(204);
        here.refresh().await.expect(200);
    }

    async fn needs_the_current_one(app: App) {
        let (mut here, mut there) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let wrong = json!({ "currentPassword": "not the password", "newPassword": NEW });
        here.put("/password", wrong).await.expect_problem(403, "wrong_password");
        let answer = here.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": "short" })).await;
        assert_eq!(field_errors(&answer.expect_problem(422, "invalid_fields")), ["newPassword: too_short"]);
        there.refresh().await.expect(200);
        here.refresh().await.expect(200);
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect(200);
    }

    async fn a_new_one_must_not_be_easy_to_guess(app: App) {
        let (ann, mut there) = (app.sign_up("ann").await, app.sign_in("ann").await);
        ann.put("/details", json!({ "name": "Wilhelmina Quirke" })).await.expect(200);
        for (new, code) in [("sunshine1", "too_common"), ("wilhelmina", "contains_own_details"), ("quirke2024", "contains_own_details")] {
            let answer = ann.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": new })).await;
            assert_eq!(field_errors(&answer.expect_problem(422, "invalid_fields")), [format!("newPassword: {code}")], "{new}");
        }
        there.refresh().await.expect(200);
        // What was good enough once still opens the account, and proves who changes it.
        let stricter = app.replica_with(&format!("passwords.min_length = 24\n{}", app.config)).await;
        let mut ann = stricter.anon();
        ann.sign_in("ann@example.org", PASSWORD).await.expect(200);
        let answer = ann.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": ONE })).await;
        assert_eq!(field_errors(&answer.expect_problem(422, "invalid_fields")), ["newPassword: too_short"]);
        ann.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": TWO })).await.expect(204);
        stricter.stop().await;
    }

    async fn of_two_changes_at_once_one_wins(app: App) {
        let (one, two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let change = |new: &'static str| json!({ "currentPassword": PASSWORD, "newPassword": new });
        let (first, second) = futures_util::join!(one.put("/password", change(ONE)), two.put("/password", change(TWO)));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 204, "{first:?} {second:?}");
        assert!(matches!(statuses[1], 401 | 403 | 409), "{first:?} {second:?}");
        let winner = if first.status == 204 { ONE } else { TWO };
        app.anon().sign_in("ann@example.org", winner).await.expect(200);
    }
}

//! Operators see and reset factors; the owner can stop it.

use super::{ANN, events};
use crate::support::{
    App, Mailing, PASSWORD, field_errors, on_both_stores, on_both_stores_with_mail,
};
use reqwest::Method;
use serde_json::{Value, json};

const NOBODY: &str = "/users/00000000-0000-4000-8000-000000000000";

/// The proof and the secret in the link of the mail that tells of a reset.
async fn link(service: &Mailing) -> (String, String) {
    let mail = service.mail_saying(ANN, "are to be removed").await;
    let link = mail.link().expect("it has a link");
    assert!(link.contains("/account/factors/keep?"), "{link}");
    let (_, query) = link.split_once("proof=").unwrap();
    let (proof, secret) = query.split_once("&secret=").unwrap();
    (proof.to_owned(), secret.to_owned())
}

on_both_stores_with_mail! {
    async fn a_reset_waits_and_is_stopped_by_its_link_anywhere(service: Mailing, "http.admin_listen = '127.0.0.1:0'\naccounts.verification = 'off'") {
        let program = service.program().await;
        let ann = service.sign_up("ann").await;
        let path = program.path_of("ann").await;
        let reset = format!("{path}/factors/reset");
        program.post(&reset, json!({})).await.expect_problem(409, "no_factors");
        ann.set_up_totp().await;
        let seen = program.get(&format!("{path}/factors")).await.expect(200).json();
        assert!(seen["totp"]["confirmedAt"].is_string() && seen["recoveryCodes"]["left"] == 10, "{seen}");
        let ordered = program.post(&reset, json!({ "reason": "Lost phone, ticket 4711" })).await.expect(202).json();
        assert_eq!(ordered["wasPending"], false);
        let again = program.call(Method::POST, &reset).await.expect(202).json();
        assert_eq!((&again["wasPending"], &again["dueAt"]), (&json!(true), &ordered["dueAt"]));
        let own = ann.get("/factors").await.expect(200).json();
        assert_eq!(own["reset"]["dueAt"], ordered["dueAt"]);
        assert!(own["totp"].is_object(), "it waits");

        let (proof, secret) = link(&service).await;
        let anon = service.anon();
        let body = json!({ "proof": proof, "secret": secret });
        anon.post("/factors/reset/stop", body.clone()).await.expect(204);
        anon.post("/factors/reset/stop", body).await.expect_problem(410, "proof_gone");
        assert_eq!(ann.get("/factors").await.expect(200).json()["reset"], Value::Null);
        let page = program.get("/events?name=factor_reset.ordered").await.expect(200);
        assert!(events(&page.json()).len() == 1 && page.text.contains("ticket 4711"), "{page:?}");
        let page = program.get("/events?name=factor_reset.stopped").await.expect(200).json();
        assert_eq!(events(&page).len(), 1);
    }

    async fn a_session_stops_it(service: Mailing, "http.admin_listen = '127.0.0.1:0'\naccounts.verification = 'off'") {
        let program = service.program().await;
        let ann = service.sign_up("ann").await;
        ann.set_up_totp().await;
        ann.delete("/factors/reset").await.expect_problem(404, "not_found");
        let reset = format!("{}/factors/reset", program.path_of("ann").await);
        program.post(&reset, json!({})).await.expect(202);
        ann.delete("/factors/reset").await.expect(204);
        assert!(ann.get("/factors").await.expect(200).json()["totp"].is_object());
    }

    async fn a_reset_counts_once_it_is_due(service: Mailing, "http.admin_listen = '127.0.0.1:0'\naccounts.verification = 'off'\naccounts.factor_reset_delay = '1s'") {
        let program = service.program().await;
        let mut ann = service.sign_up("ann").await;
        let (_, codes) = ann.set_up_totp().await;
        let reset = format!("{}/factors/reset", program.path_of("ann").await);
        program.post(&reset, json!({})).await.expect(202);
        // The mail that tells of the order may be too late to be sent.
        service.mail_saying(ANN, "were removed").await;
        ann.refresh().await.expect_problem(401, "session_revoked");
        // The password stays, and is enough again.
        let mut again = service.anon();
        again.sign_in(ANN, PASSWORD).await.expect(200);
        let nothing = again.get("/factors").await.expect(200).json();
        assert_eq!((&nothing["totp"], &nothing["recoveryCodes"]), (&Value::Null, &Value::Null));
        let shown = again.call(Method::POST, "/reauthenticate", Some(json!({ "recoveryCode": codes[0] }))).await;
        shown.expect_problem(422, "code_wrong");
    }
}

on_both_stores! {
    async fn a_forced_reset_counts_at_once_and_has_a_reason(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let mut ann = app.sign_up("ann").await;
        ann.set_up_totp().await;
        let reset = format!("{}/factors/reset", program.path_of("ann").await);
        for (body, expected) in [
            (json!({ "force": true }), "reason: missing"),
            (json!({ "force": "yes" }), "force: wrong_type"),
            (json!({ "force": true, "reason": "x".repeat(300) }), "reason: too_long"),
            (json!({ "delay": 0 }), "delay: unknown_field"),
        ] {
            let refused = program.post(&reset, body).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), [expected]);
        }
        program.post(&reset, json!({ "force": true, "reason": "Identified in person" })).await.expect(204);
        ann.refresh().await.expect_problem(401, "session_revoked");
        app.sign_in("ann").await;
        program.post(&reset, json!({ "force": true, "reason": "Again" })).await.expect_problem(409, "no_factors");
        let told = program.get("/events?name=factors.reset").await.expect(200);
        assert!(told.text.contains("Identified in person"), "{told:?}");
        let reset = format!("{NOBODY}/factors/reset");
        program.post(&reset, json!({ "force": true, "reason": "x" })).await.expect_problem(404, "not_found");
        program.post(&reset, json!({})).await.expect_problem(404, "not_found");
        program.get(&format!("{NOBODY}/factors")).await.expect_problem(404, "not_found");
    }

    async fn the_command_does_the_same(app: App) {
        let mut ann = app.sign_up("ann").await;
        let said = app.revolve(&["user", "factors", ANN]).await.expect(0);
        assert_eq!(said.out, "no factors\n");
        ann.set_up_totp().await;
        let said = app.revolve(&["user", "factors", ANN, "--json"]).await.expect(0).json();
        assert!(said["totpSince"].is_string() && said["recoveryCodesLeft"] == 10, "{said}");
        let said = app.revolve(&["user", "factors", ANN, "--reset", "--yes"]).await.expect(0);
        assert!(said.out.contains("unless the owner stops it") && said.err.contains("factor_reset.ordered"), "{said:?}");
        ann.refresh().await.expect(200);
        app.revolve(&["user", "factors", ANN, "--reset", "--force", "--yes"]).await.expect(2);
        app.revolve(&["user", "factors", ANN, "--reset"]).await.expect(2);
        let forced = ["user", "factors", ANN, "--reset", "--force", "--reason", "Identified in person", "--yes"];
        let said = app.revolve(&forced).await.expect(0);
        assert!(said.err.contains("factors.reset") && !said.err.contains("in person"), "{said:?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        app.sign_in("ann").await;
        app.revolve(&forced).await.expect(1);
        app.revolve(&["user", "factors", "nobody@example.org", "--reset", "--yes"]).await.expect(1);
    }
}

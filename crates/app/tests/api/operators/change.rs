//! `revolve user disable | enable | delete | sign-out`

use crate::support::{Actor, App, PASSWORD, on_both_stores, sessions, with_one_redis};
use std::time::Duration;

/// Waits until the feed of a replica names the session.
async fn revoked(app: &App, session: &str) {
    let reader = app.anon();
    while !sessions(&reader.revoked().await).contains(&session) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn uid(actor: &Actor) -> String {
    Actor::claims(&actor.id_token)["sub"]
        .as_str()
        .unwrap()
        .to_owned()
}

on_both_stores! {
    async fn a_disabled_user_is_out_at_once(app: App) {
        let (mut ann, mut bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let said = app.revolve(&["user", "disable", "ann@example.org", "--yes"]).await.expect(0);
        assert_eq!(said.out, "ann@example.org is disabled and signed out everywhere\n");
        assert!(said.err.contains("account.disabled") && said.err.contains("sessions.ended"), "{said:?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        ann.get("/me").await.expect_problem(401, "session_revoked");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
        revoked(&app, &ann.session).await;
        bob.refresh().await.expect(200);
        let again = app.revolve(&["user", "disable", &uid(&ann), "--yes"]).await.expect(0);
        assert!(again.out.contains("was disabled already"), "{again:?}");

        let said = app.revolve(&["user", "enable", "ann@example.org"]).await.expect(0);
        assert!(said.out.contains("can be signed in to again") && said.err.contains("account.enabled"), "{said:?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        let mut again = app.sign_in("ann").await;
        again.refresh().await.expect(200);
        let said = app.revolve(&["user", "enable", "ann@example.org"]).await.expect(0);
        assert!(said.out.contains("was not disabled"), "{said:?}");
    }

    async fn a_deleted_user_is_gone(app: App) {
        let mut ann = app.sign_up("ann").await;
        let said = app.revolve(&["user", "delete", &uid(&ann), "--yes"]).await.expect(0);
        assert_eq!(said.out, "ann@example.org is deleted\n");
        assert!(said.err.contains("account.deleted"), "{said:?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        revoked(&app, &ann.session).await;
        let said = app.revolve(&["user", "delete", "ann@example.org", "--yes"]).await.expect(1);
        assert_eq!(said.err, "revolve: there is no account ann@example.org\n");
        // The address is free.
        app.sign_up("ann").await;
    }

    async fn signing_out_ends_all_sessions_or_one(app: App) {
        let (mut one, mut two, mut three) = (app.sign_up("ann").await, app.sign_in("ann").await, app.sign_in("ann").await);
        let said = app.revolve(&["user", "sign-out", "ann@example.org", "--session", &two.session]).await.expect(0);
        assert!(said.out.contains("is over") && said.err.contains("session.signed_out"), "{said:?}");
        two.refresh().await.expect_problem(401, "session_revoked");
        revoked(&app, &two.session).await;
        one.refresh().await.expect(200);
        let said = app.revolve(&["user", "sign-out", "ann@example.org", "--session", &two.session]).await.expect(0);
        assert!(said.out.contains("was over already"), "{said:?}");
        let strange = app.sign_up("bob").await;
        app.revolve(&["user", "sign-out", "ann@example.org", "--session", &strange.session]).await.expect(1);
        let said = app.revolve(&["user", "sign-out", "ann@example.org"]).await.expect(0);
        assert_eq!(said.out, "ann@example.org is signed out everywhere\n");
        one.refresh().await.expect_problem(401, "session_revoked");
        three.get("/me").await.expect_problem(401, "session_revoked");
        three.refresh().await.expect_problem(401, "session_revoked");
        revoked(&app, &three.session).await;
        app.sign_in("ann").await.refresh().await.expect(200);
    }

    async fn what_nobody_confirmed_is_not_done(app: App) {
        let mut ann = app.sign_up("ann").await;
        for command in ["disable", "delete"] {
            // Standard input is no terminal: what is on it is no answer.
            let said = app.revolve_with(&["user", command, "ann@example.org"], "y\n").await.expect(2);
            assert!(said.err.contains("--yes") && said.out.is_empty(), "{said:?}");
        }
        ann.refresh().await.expect(200);
        for command in ["disable", "enable", "delete", "sign-out", "show"] {
            app.revolve(&["user", command, "neither"]).await.expect(2);
            app.revolve(&["user", command]).await.expect(2);
        }
        for command in ["enable", "sign-out", "show"] {
            app.revolve(&["user", command, "00000000-0000-4000-8000-000000000000"]).await.expect(1);
        }
    }
}

/// The end is a commit in the user database: a white list that is down neither stops it nor undoes it.
#[test]
fn a_user_is_disabled_while_redis_is_down() {
    with_one_redis("", async |app| {
        let mut ann = app.sign_up("ann").await;
        app.backing.server().redis.cut();
        let said = app
            .revolve(&["user", "disable", "ann@example.org", "--yes"])
            .await
            .expect(0);
        assert!(
            said.err.contains("the white list could not be told"),
            "{said:?}"
        );
        ann.get("/me").await.expect_problem(401, "session_revoked");
        let listed = app
            .revolve(&["sessions", "list", "ann@example.org", "--json"])
            .await
            .expect(0);
        assert!(
            listed.err.contains("the last use of sessions is not known"),
            "{listed:?}"
        );
        assert_eq!(listed.json()[0]["endReason"], "account_disabled");
        app.backing.server().redis.restore();
        ann.refresh().await.expect_problem(401, "session_revoked");
    });
}

//! `GET /api/account/activity` and `revolve events`

use crate::support::{Actor, App, PASSWORD, on_both_stores};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// The codes of the entries, the newest first.
fn events(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect()
}

async fn activity(actor: &Actor) -> Value {
    actor.get("/activity").await.expect(200).json()
}

/// Notes come within a second or so.
async fn until_noted(actor: &Actor, event: &str) -> Value {
    loop {
        let page = activity(actor).await;
        let noted = page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["event"] == event);
        if let Some(noted) = noted {
            return noted.clone();
        }
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
    async fn it_is_told_with_what_its_user_knows_it_by(app: App) {
        let ann = app.sign_up("ann").await;
        let body = json!({ "email": "ann@example.org", "password": PASSWORD, "deviceName": "Ann's phone" });
        app.anon().post("/signin", body).await.expect(200);
        ann.put("/details", json!({ "name": "Ann", "website": null })).await.expect(200);
        let page = activity(&ann).await;
        insta::assert_json_snapshot!(page, { ".**.id" => "[uuid]", ".entries[].at" => "[time]", ".entries[].session" => "[uuid]" }, @r#"
        {
          "entries": [
            {
              "actor": "user",
              "address": "127.0.0.1",
              "at": "[time]",
              "changed": [
                "name",
                "website"
              ],
              "count": 1,
              "device": null,
              "event": "account.changed",
              "id": "[uuid]",
              "session": "[uuid]"
            },
            {
              "actor": "user",
              "address": "127.0.0.1",
              "at": "[time]",
              "count": 1,
              "device": "Ann's phone",
              "event": "session.begun",
              "id": "[uuid]",
              "session": "[uuid]"
            },
            {
              "actor": "user",
              "address": "127.0.0.1",
              "at": "[time]",
              "count": 1,
              "device": null,
              "event": "account.created",
              "id": "[uuid]",
              "session": "[uuid]"
            }
          ],
          "next": null
        }
        "#);
    }

    async fn each_change_is_an_entry(app: App) {
        let ann = app.sign_up("ann").await;
        let other = app.sign_in("ann").await;
        ann.delete(&format!("/sessions/{}", other.session)).await.expect(204);
        let body = json!({ "currentPassword": PASSWORD, "newPassword": "staple battery correct" });
        ann.put("/password", body).await.expect(204);
        ann.sign_out("others").await.expect(204);
        let page = activity(&ann).await;
        assert_eq!(
            events(&page),
            ["sessions.ended", "sessions.ended", "password.changed", "session.signed_out", "session.begun", "account.created"]
        );
        let reasons: Vec<_> = page["entries"].as_array().unwrap().iter().filter_map(|entry| entry["reason"].as_str()).collect();
        assert_eq!(reasons, ["signed_out", "password_changed", "signed_out"]);
    }

    async fn a_refresh_is_none(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        let bound = activity(&ann).await;
        assert_eq!(events(&bound), ["session.bound", "account.created"], "the first one bound the session");
        for _ in 0..3 {
            ann.refresh_bound().await.expect(200);
        }
        assert_eq!(activity(&ann).await, bound);
    }

    async fn refused_sign_ins_are_counted(app: App) {
        let ann = app.sign_up("ann").await;
        for _ in 0..3 {
            app.anon().sign_in("ann@example.org", "wrong horse battery").await.expect_problem(401, "invalid_credentials");
        }
        loop {
            let page = activity(&ann).await;
            let noted = page["entries"].as_array().unwrap().iter().filter(|entry| entry["event"] == "sign_in.refused");
            // Two of them if a minute ended in between.
            let counts: u64 = noted.map(|entry| entry["count"].as_u64().unwrap()).sum();
            if counts == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let noted = until_noted(&ann, "sign_in.refused").await;
        assert_eq!((&noted["actor"], &noted["address"]), (&"stranger".into(), &"127.0.0.1".into()));
    }

    async fn what_was_noted_is_written_before_the_service_stops(app: App) {
        app.sign_up("ann").await;
        let replica = app.replica().await;
        let stranger = replica.anon();
        stranger.clone().sign_in("ann@example.org", "wrong horse battery").await.expect_problem(401, "invalid_credentials");
        replica.stop().await;
        let ann = app.sign_in("ann").await;
        assert!(events(&activity(&ann).await).contains(&"sign_in.refused"));
    }

    async fn pages_join(app: App) {
        let ann = app.sign_up("ann").await;
        for number in 0..7 {
            ann.put("/details", json!({ "name": format!("Ann {number}") })).await.expect(200);
        }
        let all = activity(&ann).await;
        assert_eq!(events(&all).len(), 8);
        let (mut joined, mut query) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = ann.get(&format!("/activity{query}")).await.expect(200).json();
            joined.extend(page["entries"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=3&after={next}");
        }
        assert_eq!(all["entries"].as_array().unwrap(), &joined);
        let nothing = ann.get("/activity?after=00000000-0000-4000-8000-000000000000").await.expect(200).json();
        assert_eq!(nothing, json!({ "entries": [], "next": null }));
        for bad in ["limit=0", "limit=101", "limit=x", "limit="] {
            ann.get(&format!("/activity?{bad}")).await.expect_problem(400, "invalid_limit");
        }
        for bad in ["after=x", "after=", "after=1-2"] {
            ann.get(&format!("/activity?{bad}")).await.expect_problem(400, "invalid_after");
        }
    }

    async fn it_is_ones_own(app: App) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        ann.put("/details", json!({ "name": "Ann" })).await.expect(200);
        assert_eq!(events(&activity(&bob).await), ["account.created"]);
        let anns = activity(&ann).await["entries"][0]["id"].as_str().unwrap().to_owned();
        // Another's entry is no way to their list: it is only a place in one's own.
        let page = bob.get(&format!("/activity?after={anns}")).await.expect(200).json();
        assert!(events(&page).len() <= 1, "{page}");
        app.anon().get("/activity").await.expect_problem(401, "unauthenticated");
    }

    async fn a_bound_session_needs_its_device(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        ann.get("/activity").await.expect(200);
        ann.without_device().get("/activity").await.expect_problem(401, "device_mismatch");
        until_noted(&ann, "device.mismatch").await;
    }

    async fn operators_read_and_follow_it(app: App) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let said = app.revolve(&["events", "--user", "Ann@example.org"]).await.expect(0);
        assert!(said.out.contains("account.created") && said.out.contains(&uid(&ann)) && !said.out.contains(&uid(&bob)), "{said:?}");
        ann.delete_account().await;
        let said = app.revolve(&["events", "--user", &uid(&ann), "--json"]).await.expect(0);
        let entries: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<_> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
        assert_eq!((names.first(), names.last()), (Some(&"account.created"), Some(&"account.deleted")));
        assert!(entries.iter().all(|entry| entry["address"].is_null()), "{said:?}");
        let said = app.revolve(&["events", "--user", "ann@example.org"]).await.expect(1);
        assert!(said.err.contains("there is no account ann@example.org"), "{said:?}");
        let said = app.revolve(&["events", "--limit", "1"]).await.expect(0);
        assert_eq!(said.out.lines().count(), 1, "{said:?}");
        let said = app.revolve(&["events", "--json", "--limit", "1000"]).await.expect(0);
        let names: BTreeSet<String> = said.out.lines().map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["event"].as_str().unwrap().to_owned()
        }).collect();
        assert!(names.contains("key.added"), "the keys are there, too: {names:?}");
        app.revolve(&["user", "disable", "bob@example.org", "--yes"]).await.expect(0);
        let said = app.revolve(&["events", "--user", &uid(&bob)]).await.expect(0);
        assert!(said.out.contains("account.disabled         operator"), "{said:?}");
    }
}

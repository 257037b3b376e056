//! `GET /events`

use crate::support::{App, Program, field_errors, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

fn names(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().expect("a list").iter();
    entries
        .map(|entry| entry["event"].as_str().expect("a text"))
        .collect()
}

/// The id of the newest entry.
async fn newest(program: &Program) -> String {
    let page = program.get("/events?limit=1").await.expect(200).json();
    page["entries"][0]["id"]
        .as_str()
        .expect("a text")
        .to_owned()
}

/// Follows the journal from here to this entry, which comes once nothing before it can still be committed; answers the ids, and where it stopped.
async fn follow(program: &Program, after: Option<&str>, last: &str) -> (Vec<String>, String) {
    let begun = Instant::now();
    let (mut ids, mut query) = (Vec::new(), String::new());
    if let Some(after) = after {
        query = format!("&after={after}");
    }
    loop {
        let operation = format!("/events?order=committed&limit=2{query}");
        let page = program.get(&operation).await.expect(200).json();
        let entries = page["entries"].as_array().expect("a list").iter();
        ids.extend(entries.map(|entry| entry["id"].as_str().expect("a text").to_owned()));
        let next = page["next"]
            .as_str()
            .expect("it is always there")
            .to_owned();
        if ids.iter().any(|id| id == last) {
            return (ids, next);
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{ids:?}");
        query = format!("&after={next}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

on_both_stores! {
    async fn the_journal_is_read_by_account_name_and_time(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for name in ["ann", "bob"] {
            app.sign_up(name).await;
            program.call(Method::POST, &format!("{}/sign-out", program.path_of(name).await)).await.expect(204);
        }
        let ann = program.user("ann").await["uid"].as_str().unwrap().to_owned();
        let all = program.get("/events").await.expect(200).json();
        assert!(names(&all).len() > 5 && names(&all).contains(&"api_key.created"), "{all:#}");
        let times: Vec<&str> = all["entries"].as_array().unwrap().iter().map(|entry| entry["at"].as_str().unwrap()).collect();
        let of_ann = program.get(&format!("/events?user={ann}")).await.expect(200).json();
        assert!(of_ann["entries"].as_array().unwrap().iter().all(|entry| entry["user"] == json!(ann)));
        assert_eq!(names(&of_ann).last(), Some(&"account.created"), "the newest first");
        let created = program.get("/events?name=account.created").await.expect(200).json();
        assert_eq!(names(&created), ["account.created"; 2]);
        let both = program.get(&format!("/events?name=account.created&user={ann}")).await.expect(200).json();
        assert_eq!(both["entries"].as_array().map(Vec::len), Some(1));
        for (query, expected) in [
            ("from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z".to_owned(), 0),
            ("from=2000-01-01T00:00:00%2B01:00".to_owned(), times.len()),
            (format!("to={}", times.last().unwrap()), 0),
        ] {
            let found = program.get(&format!("/events?{query}")).await.expect(200).json();
            assert_eq!(names(&found).len(), expected, "{query}");
        }
        let listed = app.revolve(&["events", "--name", "account.created", "--from", "2000-01-01T00:00:00Z", "--json"]).await.expect(0);
        assert_eq!(listed.out.lines().count(), 2, "{listed:?}");
    }

    async fn pages_are_whole_and_in_order(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for name in ["ann", "bob", "zoe"] {
            app.sign_up(name).await;
        }
        let all = program.get("/events?limit=200").await.expect(200).json();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = program.get(&format!("/events?limit=2{after}")).await.expect(200).json();
            found.extend(page["entries"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(json!(found), all["entries"]);
    }

    async fn who_follows_gets_every_entry_once(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'") {
        let program = app.program().await;
        let now = program.get("/events?order=committed&after=now").await.expect(200).json();
        assert_eq!(names(&now), [""; 0]);
        app.sign_up("ann").await;
        let last = newest(&program).await;
        let (first, at) = follow(&program, None, &last).await;
        let all = program.get("/events?limit=200").await.expect(200).json();
        assert_eq!(first.len(), names(&all).len(), "from the oldest on");
        let (since, _) = follow(&program, now["next"].as_str(), &last).await;
        assert!(first.ends_with(&since), "{since:?}");
        app.sign_up("bob").await;
        let (more, end) = follow(&program, Some(&at), &newest(&program).await).await;
        let once: BTreeSet<&String> = first.iter().chain(&more).collect();
        assert_eq!(once.len(), first.len() + more.len());
        let nothing = program.get(&format!("/events?order=committed&after={end}")).await.expect(200).json();
        assert_eq!((names(&nothing).len(), &nothing["next"]), (0, &json!(end)));
    }

    async fn what_can_t_be_asked_for_is_refused(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for (query, error) in [
            ("user=ann", "user: invalid_id"),
            ("name=Session", "name: invalid_event"),
            ("from=yesterday", "from: invalid_instant"),
            ("to=2026-01-02", "to: invalid_instant"),
            ("order=oldest", "order: invalid_choice"),
            ("after=now", "after: invalid_cursor"),
            ("order=committed&after=x", "after: invalid_cursor"),
            ("limit=0", "limit: invalid_number"),
            ("until=x", "until: unknown_field"),
        ] {
            let answer = program.get(&format!("/events?{query}")).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), [error], "{query}");
        }
    }
}

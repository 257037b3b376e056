//! `/webhooks`

use super::NOBODY;
use crate::support::{App, field_errors, on_both_stores};
use reqwest::Method;
use revolve_testkit::webhook_sink::{HookAnswer, WebhookSink};
use serde_json::json;

on_both_stores! {
    async fn a_program_manages_webhooks(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'\nwebhooks.allow_private = ['127.0.0.0/8']") {
        let program = app.program_with("webhooks:write,events:read").await;
        let sink = WebhookSink::start().await.unwrap();
        let new = json!({ "name": "crm", "url": sink.url(), "events": ["account.*"] });
        let made = program.post("/webhooks", new).await.expect(201);
        let id = made.json()["webhook"]["id"].as_str().unwrap().to_owned();
        assert_eq!(made.header("location"), format!("/api/admin/webhooks/{id}"));
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        let place = format!("/webhooks/{id}");
        let shown = program.get(&place).await.expect(200).json();
        assert_eq!((&shown["webhook"]["events"], &shown["secret"]), (&json!(["account.*"]), &json!(null)));
        assert_eq!(shown["deliveries"], json!({ "waiting": 0, "waitingSince": null, "givenUp": 0 }));
        assert_eq!(program.get("/webhooks").await.expect(200).json()["webhooks"], json!([shown["webhook"]]));

        let rotated = program.call(Method::POST, &format!("{place}/rotate")).await.expect(200).json();
        let event = program.call(Method::POST, &format!("{place}/test")).await.expect(202).json();
        let hook = sink.wait_for(1).await.remove(0);
        assert!(hook.is_signed_with(&secret) && hook.is_signed_with(rotated["secret"].as_str().unwrap()));
        assert_eq!(hook.header("webhook-id"), event["event"]);
        let again = program.post(&format!("{place}/replay"), json!({ "from": "2020-01-01T00:00:00Z" })).await;
        assert_eq!(again.expect(202).json(), json!({ "events": 0 }), "its filter has nothing of it");

        for no_time in [json!({ "from": "2999-01-01T00:00:00Z" }), json!({ "from": "2020-01-02T00:00:00Z", "to": "2020-01-01T00:00:00Z" })] {
            let answer = program.post(&format!("{place}/replay"), no_time).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["from: no_time"]);
        }

        let off = program.patch(&place, json!({ "enabled": false, "name": "CRM" })).await.expect(200).json();
        assert_eq!((&off["webhook"]["disabledReason"], &off["webhook"]["name"]), (&json!("operator"), &json!("CRM")));
        program.call(Method::POST, &format!("{place}/test")).await.expect_problem(409, "webhook_disabled");
        let told = program.get("/events?name=webhook.disabled").await.expect(200).json();
        assert_eq!((&told["entries"][0]["apiKey"], &told["entries"][0]["details"]["cause"]), (&json!(program.id), &json!("operator")));
        program.call(Method::DELETE, &place).await.expect(204);
        program.get(&place).await.expect_problem(404, "not_found");
    }

    async fn what_is_wrong_is_named(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'\nwebhooks.allow_private = ['127.0.0.0/8']") {
        let program = app.program_with("webhooks:write").await;
        for (body, errors) in [
            (json!({}), vec!["name: missing", "url: missing"]),
            (json!({ "name": "a", "url": "ftp://example.org" }), vec!["url: invalid_url"]),
            (json!({ "name": "a", "url": "https://10.0.0.1" }), vec!["url: target_refused"]),
            (json!({ "name": "a", "url": "https://[::ffff:169.254.169.254]" }), vec!["url: target_refused"]),
            (json!({ "name": "a", "url": "http://127.0.0.1", "events": ["session"] }), vec!["events: invalid_event"]),
            (json!({ "name": "a", "url": "http://127.0.0.1", "events": ["acount.*"] }), vec!["events: invalid_event"]),
            (json!({ "name": "a", "url": "http://127.0.0.1", "secret": "a" }), vec!["secret: unknown_field"]),
        ] {
            let answer = program.post("/webhooks", body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), errors, "{body}");
            // Where a name leads is nobody's business.
            assert!(!answer.text.contains("10.0.0.1") && !answer.text.contains("169.254"), "{answer:#?}");
        }
        program.patch(&format!("/webhooks/{NOBODY}"), json!({ "name": "b" })).await.expect_problem(404, "not_found");
        for number in 0..50 {
            program.post("/webhooks", json!({ "name": format!("{number}"), "url": "http://127.0.0.1" })).await.expect(201);
        }
        let one = json!({ "name": "too many", "url": "http://127.0.0.1" });
        program.post("/webhooks", one).await.expect_problem(409, "too_many_webhooks");
    }

    async fn an_endpoint_that_wants_no_more_is_seen_to_be_off(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'\nwebhooks.allow_private = ['127.0.0.0/8']") {
        let program = app.program_with("webhooks:write").await;
        let sink = WebhookSink::start().await.unwrap();
        sink.answer(HookAnswer::Status(410));
        let made = program.post("/webhooks", json!({ "name": "crm", "url": sink.url() })).await.expect(201).json();
        let place = format!("/webhooks/{}", made["webhook"]["id"].as_str().unwrap());
        program.call(Method::POST, &format!("{place}/test")).await.expect(202);
        sink.wait_for(1).await;
        let begun = std::time::Instant::now();
        while program.get(&place).await.expect(200).json()["webhook"]["disabledReason"] != "gone" {
            assert!(begun.elapsed() < std::time::Duration::from_mins(1));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

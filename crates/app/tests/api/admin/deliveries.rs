//! `GET /deliveries` and `POST /deliveries/{id}/retry`

use super::NOBODY;
use crate::support::{Mailing, Program, field_errors, on_both_stores_with_mail};
use reqwest::Method;
use revolve_testkit::smtp_sink::{SinkAnswer, SinkStage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Waits until the mails that a query finds are so.
async fn until(program: &Program, query: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = program
            .get(&format!("/deliveries{query}"))
            .await
            .expect(200)
            .json();
        let found = found["deliveries"].as_array().expect("a list").clone();
        if wanted(&found) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{found:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both_stores_with_mail! {
    async fn a_mail_that_was_given_up_is_seen_and_sent_anew(service: Mailing, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'") {
        let program = service.program().await;
        service.sink.fail(SinkStage::Rcpt, SinkAnswer::Reply("550 5.1.1 no such user".to_owned()));
        program.post("/users", json!({ "email": "ann@example.org", "invite": true })).await.expect(201);
        let [mail] = <[Value; 1]>::try_from(until(&program, "?state=given_up", |found| !found.is_empty()).await).unwrap();
        assert_eq!((&mail["mail"], &mail["to"], &mail["attempts"]), (&json!("invitation"), &json!("ann@example.org"), &json!(1)));
        assert_eq!(mail["user"], program.user("ann").await["uid"]);
        assert!(mail["lastError"].as_str().unwrap().contains("550"), "{mail}");
        until(&program, "?state=waiting", <[Value]>::is_empty).await;

        service.sink.recover();
        let id = mail["id"].as_str().unwrap();
        program.call(Method::POST, &format!("/deliveries/{id}/retry")).await.expect(204);
        service.mails_to("ann@example.org", 1).await;
        until(&program, "", <[Value]>::is_empty).await;
        program.call(Method::POST, &format!("/deliveries/{id}/retry")).await.expect_problem(404, "not_found");
        let told = program.get("/events?name=mail.retried").await.expect(200).json();
        assert_eq!((&told["entries"][0]["actor"], &told["entries"][0]["apiKey"]), (&json!("key"), &json!(program.id)));
    }

    async fn a_mail_that_is_being_sent_is_left_alone(service: Mailing, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = 'off'") {
        let program = service.program().await;
        service.sink.fail(SinkStage::Hello, SinkAnswer::Silence);
        program.post("/users", json!({ "email": "ann@example.org", "invite": true })).await.expect(201);
        let found = until(&program, "", |found| found.iter().any(|mail| mail["leasedUntil"].is_string())).await;
        let retry = format!("/deliveries/{}/retry", found[0]["id"].as_str().unwrap());
        program.call(Method::POST, &retry).await.expect_problem(409, "delivery_under_way");
        service.sink.recover();
    }

    async fn what_can_t_be_asked_for_is_refused(service: Mailing, "http.admin_listen = '127.0.0.1:0'") {
        let program = service.program().await;
        for (query, error) in [("state=sent", "state: invalid_choice"), ("limit=x", "limit: invalid_number"), ("user=1", "user: unknown_field")] {
            let answer = program.get(&format!("/deliveries?{query}")).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), [error], "{query}");
        }
        let answer = program.call(Method::POST, "/deliveries/x/retry").await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["id: invalid_id"]);
        program.call(Method::POST, &format!("/deliveries/{NOBODY}/retry")).await.expect_problem(404, "not_found");
    }
}

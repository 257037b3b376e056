//! What orchestrators and collectors ask: the health, the metrics.

use crate::support::{App, Store, on_both_stores, with_config};
use reqwest::Method;

on_both_stores! {
    async fn the_service_is_live_and_ready(app: App) {
        let anon = app.anon();
        anon.send(anon.request(Method::GET, "/health/live")).await.expect(200);
        let answer = anon.send(anon.request(Method::GET, "/health/ready")).await.expect(200);
        insta::assert_json_snapshot!(answer.json(), @r#"
        {
          "status": "ready",
          "stores": {
            "users": "ready",
            "whiteList": "ready"
          }
        }
        "#);
    }
}

#[test]
fn operators_see_events_and_the_gaps_of_retries() {
    with_config(
        Store::Embedded,
        "http.metrics_listen = '127.0.0.1:0'\n",
        |app| async move {
            let mut ann = app.sign_up("ann").await;
            let parent = ann.refresh_token.clone();
            ann.refresh().await.expect(200);
            ann.refresh_with(&parent).await.expect(200);
            let metrics = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap()))
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            for line in [
                "revolve_security_events_total{event=\"account.created\"} 1",
                "revolve_security_events_total{event=\"session.repeated\"} 1",
                "revolve_retry_gap_seconds_count{outcome=\"free\"} 1",
                "# EOF",
            ] {
                assert!(metrics.contains(line), "{line} in {metrics}");
            }
            let anon = app.anon();
            anon.send(anon.request(Method::GET, "/metrics"))
                .await
                .expect_problem(404, "not_found");
        },
    );
}

//! A store that is gone: 503, never 401, nothing half-made, and all works again when it is back.

use crate::support::{App, PASSWORD, Store, with_config};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// Tries until it works: a service may need a moment to see that its store is back, but no restart.
async fn until_ready(app: &App) {
    let anon = app.anon();
    let started = Instant::now();
    while anon.send(anon.request(Method::GET, "/health/ready")).await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(10), "the service does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn user_rows(app: &App) -> i64 {
    let url = app.backing.server().postgres_url.as_str();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    client.query_one("SELECT count(*) FROM users", &[]).await.unwrap().get(0)
}

#[test]
fn without_redis_nothing_is_half_made() {
    with_config(Store::Server, "redis.timeout = '500ms'", |app| async move {
        let mut ann = app.sign_up("ann").await;
        app.backing.server().redis.cut();

        app.anon().sign_up("bob@example.org").await.expect_problem(503, "unavailable");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(503, "unavailable");
        ann.refresh().await.expect_problem(503, "unavailable");
        app.anon().sign_in("ann@example.org", "not it").await.expect_problem(401, "invalid_credentials");
        assert_eq!(user_rows(&app).await, 1, "no row of the failed sign-up is left behind");
        ann.get("/me").await.expect(200);
        let anon = app.anon();
        anon.send(anon.request(Method::GET, "/health/ready")).await.expect(503);
        anon.send(anon.request(Method::GET, "/health/live")).await.expect(200);
        anon.send(anon.request(Method::GET, "/.well-known/jwks.json")).await.expect(200);

        app.backing.server().redis.restore();
        until_ready(&app).await;
        ann.refresh().await.expect(200);
        app.sign_up("bob").await.refresh().await.expect(200);
        app.sign_in("ann").await.refresh().await.expect(200);
    });
}

#[test]
fn without_redis_a_sign_out_is_final_all_the_same() {
    with_config(Store::Server, "redis.timeout = '500ms'", |app| async move {
        let (mut one, mut two, mut three) = (app.sign_up("ann").await, app.sign_in("ann").await, app.sign_in("ann").await);
        app.backing.server().redis.cut();
        one.sign_out("this").await.expect(204);
        one.get("/me").await.expect_problem(401, "session_revoked");
        two.sign_out("others").await.expect(204);

        app.backing.server().redis.restore();
        until_ready(&app).await;
        one.refresh().await.expect_problem(401, "session_revoked");
        three.refresh().await.expect_problem(401, "session_revoked");
        two.refresh().await.expect(200);
    });
}

#[test]
fn without_postgres_nothing_is_claimed_and_the_white_list_stays_as_it_was() {
    with_config(Store::Server, "postgres.timeout = '500ms'", |app| async move {
        let mut ann = app.sign_up("ann").await;
        app.backing.server().postgres.cut();
        ann.refresh().await.expect_problem(503, "unavailable");
        ann.get("/me").await.expect_problem(503, "unavailable");
        ann.sign_out("everywhere").await.expect_problem(503, "unavailable");
        ann.put("/details", json!({ "name": "Ann" })).await.expect_problem(503, "unavailable");
        app.anon().sign_up("bob@example.org").await.expect_problem(503, "unavailable");
        app.anon().sign_in("ann@example.org", PASSWORD).await.expect_problem(503, "unavailable");

        app.backing.server().postgres.restore();
        until_ready(&app).await;
        ann.refresh().await.expect(200);
        ann.get("/me").await.expect(200);
        app.sign_up("bob").await;
    });
}

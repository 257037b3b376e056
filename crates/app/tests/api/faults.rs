//! A store that is gone: 503, never 401, nothing half-made, and all works again when it is back.

use crate::support::{Actor, App, PASSWORD, Store, with_config, with_one_redis};
use deadpool_redis::redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// Tries until it works: a service may need a moment to see that its store is back, but no restart.
async fn until_ready(app: &App) {
    let anon = app.anon();
    let started = Instant::now();
    while anon
        .send(anon.request(Method::GET, "/health/ready"))
        .await
        .status
        != 200
    {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "the service does not recover"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn user_rows(app: &App) -> i64 {
    let url = app.backing.server().postgres_url.as_str();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    actix_web::rt::spawn(connection);
    client
        .query_one("SELECT count(*) FROM users", &[])
        .await
        .unwrap()
        .get(0)
}

#[test]
fn without_redis_nothing_is_half_made() {
    with_one_redis("", |app| async move {
        let mut ann = app.sign_up("ann").await;
        app.backing.server().redis.cut();

        app.anon()
            .sign_up("bob@example.org")
            .await
            .expect_problem(503, "unavailable");
        app.anon()
            .sign_in("ann@example.org", PASSWORD)
            .await
            .expect_problem(503, "unavailable");
        ann.refresh().await.expect_problem(503, "unavailable");
        app.anon()
            .sign_in("ann@example.org", "not it")
            .await
            .expect_problem(401, "invalid_credentials");
        assert_eq!(
            user_rows(&app).await,
            1,
            "no row of the failed sign-up is left behind"
        );
        ann.get("/me").await.expect(200);
        let anon = app.anon();
        anon.send(anon.request(Method::GET, "/health/ready"))
            .await
            .expect(503);
        anon.send(anon.request(Method::GET, "/health/live"))
            .await
            .expect(200);
        anon.send(anon.request(Method::GET, "/.well-known/jwks.json"))
            .await
            .expect(200);

        app.backing.server().redis.restore();
        until_ready(&app).await;
        ann.refresh().await.expect(200);
        app.sign_up("bob").await.refresh().await.expect(200);
        app.sign_in("ann").await.refresh().await.expect(200);
    });
}

#[test]
fn without_redis_a_sign_out_is_final_all_the_same() {
    with_one_redis("", |app| async move {
        let (mut one, mut two, mut three) = (
            app.sign_up("ann").await,
            app.sign_in("ann").await,
            app.sign_in("ann").await,
        );
        app.backing.server().redis.cut();
        one.sign_out("this").await.expect(204);
        one.get("/me").await.expect_problem(401, "session_revoked");
        two.sign_out("others").await.expect(204);

        app.backing.server().redis.restore();
        until_ready(&app).await;
        one.refresh().await.expect_problem(401, "session_revoked");
        three.refresh().await.expect_problem(401, "session_revoked");
        two.refresh().await.expect(200);
        // What could not be cleared then is cleared now, in the background.
        let started = Instant::now();
        while live_keys(&app, &two).await != 1 {
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "the white list is not cleared"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

/// How many refresh tokens of the actor's account are white-listed.
async fn live_keys(app: &App, actor: &Actor) -> usize {
    let uid = Actor::claims(&actor.refresh_token)["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut redis = app.backing.server().redis_of(&uid).await;
    let keys: Vec<String> = redis.keys(format!("\\{{{uid}}}:*")).await.unwrap();
    keys.iter()
        .filter(|key| !key.ends_with(":sessions"))
        .count()
}

#[test]
fn without_redis_every_other_end_is_final_too() {
    with_one_redis("", |app| async move {
        let (mut ann, mut ann_elsewhere) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let (mut bob, mut bob_elsewhere) = (app.sign_up("bob").await, app.sign_in("bob").await);
        let mut eve = app.sign_up("eve").await;
        app.backing.server().redis.cut();
        let new = json!({ "currentPassword": PASSWORD, "newPassword": "another horse battery" });
        ann.put("/password", new).await.expect(204);
        bob.sign_out("everywhere").await.expect(204);
        eve.delete_account().await.expect(204);

        app.backing.server().redis.restore();
        until_ready(&app).await;
        ann.refresh().await.expect(200);
        for gone in [&mut ann_elsewhere, &mut bob, &mut bob_elsewhere, &mut eve] {
            gone.refresh().await.expect_problem(401, "session_revoked");
        }
    });
}

#[test]
fn an_empty_redis_asks_for_a_sign_in_once_and_revives_nothing() {
    with_config(Store::Server, "", |app| async move {
        let (mut lost, ended) = (app.sign_up("ann").await, app.sign_in("ann").await);
        ended.sign_out("this").await.expect(204);
        let uid = Actor::claims(&lost.refresh_token)["uid"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut redis = app.backing.server().redis_of(&uid).await;
        let keys: Vec<String> = redis.keys(format!("\\{{{uid}}}:*")).await.unwrap();
        let _: () = redis.del(keys).await.unwrap();
        lost.refresh().await.expect_problem(401, "session_unknown");
        ended
            .refresh_with(&ended.refresh_token)
            .await
            .expect_problem(401, "session_revoked");
        app.sign_in("ann").await.refresh().await.expect(200);
    });
}

#[test]
fn without_postgres_nothing_is_claimed_and_the_white_list_stays_as_it_was() {
    with_config(Store::Server, "", |app| async move {
        let mut ann = app.sign_up("ann").await;
        app.backing.server().postgres.cut();
        ann.refresh().await.expect_problem(503, "unavailable");
        ann.get("/me").await.expect_problem(503, "unavailable");
        ann.sign_out("everywhere")
            .await
            .expect_problem(503, "unavailable");
        ann.put("/details", json!({ "name": "Ann" }))
            .await
            .expect_problem(503, "unavailable");
        app.anon()
            .sign_up("bob@example.org")
            .await
            .expect_problem(503, "unavailable");
        app.anon()
            .sign_in("ann@example.org", PASSWORD)
            .await
            .expect_problem(503, "unavailable");

        app.backing.server().postgres.restore();
        until_ready(&app).await;
        ann.refresh().await.expect(200);
        ann.get("/me").await.expect(200);
        app.sign_up("bob").await;
    });
}

//! A store that is gone or slow, and a client that is: nothing is claimed, and every token is as good as before.

use super::{INTROSPECT, REVOKE, USERINFO, form, refresh, refresh_with};
use crate::support::{App, Raw, Store, described::FORM, with_config, with_one_redis};
use reqwest::Method;
use std::time::Duration;
use tokio::time::sleep;

#[test]
fn without_redis_a_client_keeps_its_token() {
    with_one_redis("http.admin_listen = '127.0.0.1:0'", |app| async move {
        let (mut ann, mut other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let key = app.program_with("tokens:introspect").await.key;
        app.backing.server().redis.cut();
        let down = (503, "temporarily_unavailable", "unavailable");
        refresh(&mut ann).await.expect_oauth(down.0, down.1, down.2);
        let ask = |token: &str| form(&ann, INTROSPECT, &[("token", token)]).bearer_auth(&key);
        ann.send(ask(&ann.refresh_token))
            .await
            .expect_oauth(down.0, down.1, down.2);
        // What the user database says is enough for these.
        ann.send(ask(&ann.id_token)).await.expect(200);
        ann.send(form(&ann, REVOKE, &[("token", &other.refresh_token)]))
            .await
            .expect(200);

        app.backing.server().redis.restore();
        until_refreshed(&app, &mut ann).await;
        refresh(&mut other)
            .await
            .expect_oauth(400, "invalid_grant", "session_revoked");
    });
}

#[test]
fn without_postgres_nothing_is_claimed() {
    with_config(
        Store::Server,
        "http.admin_listen = '127.0.0.1:0'",
        |app| async move {
            let mut ann = app.sign_up("ann").await;
            let key = app.program_with("tokens:introspect").await.key;
            app.backing.server().postgres.cut();
            for request in [
                refresh_with(&ann, &ann.refresh_token),
                form(&ann, REVOKE, &[("token", &ann.refresh_token)]),
                form(&ann, REVOKE, &[("token", &ann.id_token)]),
                form(&ann, INTROSPECT, &[("token", &ann.id_token)]).bearer_auth(&key),
            ] {
                ann.send(request)
                    .await
                    .expect_oauth(503, "temporarily_unavailable", "unavailable");
            }
            let me = ann
                .request(Method::GET, USERINFO)
                .bearer_auth(&ann.id_token);
            ann.send(me).await.expect_problem(503, "unavailable");

            app.backing.server().postgres.restore();
            until_refreshed(&app, &mut ann).await;
        },
    );
}

/// A service may need a moment to see that its store is back.
async fn until_refreshed(app: &App, ann: &mut crate::support::Actor) {
    let anon = app.anon();
    for _ in 0..3000 {
        let ready = anon.request(Method::GET, "/health/ready");
        if anon.send(ready).await.status == 200 {
            let answer = refresh(ann).await;
            if answer.status != 503 {
                answer.expect(200);
                return;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("the service does not recover");
}

#[test]
fn a_refresh_that_takes_too_long_may_be_sent_again() {
    let quick = "http.request_timeout = '600ms'";
    with_config(Store::Server, quick, |app| async move {
        let mut ann = app.sign_up("ann").await;
        let stores = app.backing.server();
        let url = stores.postgres_url.as_str();
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        actix_web::rt::spawn(connection);
        let lock = format!("BEGIN; LOCK TABLE {}.sessions", stores.schema);
        client.batch_execute(&lock).await.unwrap();
        refresh(&mut ann)
            .await
            .expect_oauth(503, "temporarily_unavailable", "deadline_exceeded");
        client.batch_execute("ROLLBACK").await.unwrap();
        until_refreshed(&app, &mut ann).await;
    });
}

#[test]
fn a_client_that_is_too_slow_is_told_so_and_cut_off() {
    let quick = "http.request_timeout = '600ms'\nhttp.keep_alive = '60s'";
    with_config(Store::Embedded, quick, |app| async move {
        let mut client = Raw::connect(&app).await;
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 9000\r\n\r\n"
        );
        client.send(&head).await;
        let (answer, _) = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        let answer = answer.to_lowercase();
        for part in [
            "connection: close",
            "\"error\":\"invalid_request\"",
            "\"code\":\"body_too_slow\"",
        ] {
            assert!(answer.contains(part), "{part}: {answer}");
        }
    });
}

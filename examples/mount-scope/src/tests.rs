//! The example runs, on a free port: its own routes and Revolve's serve the same people.

use crate::serve;
use reqwest::{Client, StatusCode};
use revolve::config::Config;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Instant};
use tokio::sync::oneshot;

#[test]
fn own_routes_and_the_mounted_ones_serve_the_same_people() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "data_dir = '{}'\nhashing.memory_kib = 64\nhashing.passes = 1",
        folder.path().display()
    );
    let config = Config::from_toml(&config).unwrap();
    actix_web::rt::System::new().block_on(async move {
        let ((stop, stopped), (told, address)) = (oneshot::channel::<()>(), oneshot::channel());
        let stopped = async { drop(stopped.await) };
        let server = actix_web::rt::spawn(async move {
            let started = |address| told.send(address).unwrap();
            serve(
                config,
                SocketAddr::from(([127, 0, 0, 1], 0)),
                stopped,
                started,
            )
            .await
            .unwrap();
        });
        let base = format!("http://{}", address.await.unwrap());
        story(&base).await;

        // Somebody waits for the feed; the server stops all the same.
        let client = client();
        let feed = format!("{base}/.well-known/revocations");
        let tag = client.get(&feed).send().await.unwrap().headers()["etag"].clone();
        let waiting = actix_web::rt::spawn(
            client
                .get(format!("{feed}?wait=60"))
                .header("If-None-Match", tag)
                .send(),
        );
        let stopping = Instant::now();
        drop(stop);
        server.await.unwrap();
        assert!(
            stopping.elapsed().as_secs() < 20,
            "{:?}",
            stopping.elapsed()
        );
        drop(waiting.await);
    });
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn story(base: &str) {
    let client = client();
    let status = |answer: reqwest::Response| answer.status();
    let notes = format!("{base}/notes");
    assert_eq!(
        status(client.get(base).send().await.unwrap()),
        StatusCode::OK
    );
    assert_eq!(
        status(
            client
                .get(format!("{base}/.well-known/jwks.json"))
                .send()
                .await
                .unwrap()
        ),
        StatusCode::OK
    );
    assert_eq!(
        status(
            client
                .get(format!("{base}/health/ready"))
                .send()
                .await
                .unwrap()
        ),
        StatusCode::OK
    );
    let stranger = client.get(&notes).send().await.unwrap();
    assert!(
        stranger.status() == StatusCode::UNAUTHORIZED
            && stranger.headers().contains_key("www-authenticate")
    );
    // The server's own default stays its own: what Revolve does not have below the root is not answered by it.
    let elsewhere = client
        .get(format!("{base}/elsewhere"))
        .send()
        .await
        .unwrap();
    assert!(
        elsewhere.status() == StatusCode::NOT_FOUND && elsewhere.text().await.unwrap().is_empty()
    );

    let account = json!({ "email": "ann@example.org", "password": "correct horse battery" });
    let answer = client
        .post(format!("{base}/api/account/signup"))
        .json(&account)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    let token = answer["tokens"]["idToken"].as_str().unwrap();
    assert_eq!(
        status(
            client
                .post(&notes)
                .bearer_auth(token)
                .body("milk")
                .send()
                .await
                .unwrap()
        ),
        StatusCode::CREATED
    );
    let list: Value = client
        .get(&notes)
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list, json!({ "of": "ann@example.org", "notes": ["milk"] }));

    assert_eq!(
        status(
            client
                .post(format!("{base}/api/account/signout"))
                .bearer_auth(token)
                .send()
                .await
                .unwrap()
        ),
        StatusCode::NO_CONTENT
    );
    let refused = client.get(&notes).bearer_auth(token).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "at once");
    assert_eq!(
        refused.json::<Value>().await.unwrap()["code"],
        "session_revoked"
    );
}

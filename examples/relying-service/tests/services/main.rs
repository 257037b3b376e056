//! A real Revolve and both services, over HTTP.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod delays;
mod payments;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Response, StatusCode};
use revolve::{Application, config::Config};
use revolve_verify::{Clock, FeedConfig, SystemClock};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncBufReadExt, process::Command};

/// Starts Revolve; it lives until the runtime ends. `issuer` must be known before its port is, so it is a name here, and the services
/// are told where the key set is.
async fn revolve(folder: &Path, more: &str) -> String {
    revolve_with_admin(folder, more).await.0
}

/// The same, with the address of the admin API, if there is one.
async fn revolve_with_admin(folder: &Path, more: &str) -> (String, Option<SocketAddr>) {
    let config = format!(
        "data_dir = '{}'\nhttp.listen = '127.0.0.1:0'\nhttp.workers = 1\nhashing.memory_kib = 64\nhashing.passes = 1\n{more}\n",
        folder.display()
    );
    let application = Application::build(Config::from_toml(&config).unwrap())
        .await
        .unwrap();
    let base = format!("http://{}", application.address());
    let admin = application.admin_address();
    actix_web::rt::spawn(application.run(std::future::pending()));
    (base, admin)
}

/// Starts both services, without the feed.
async fn services(base: &str) -> [String; 2] {
    services_with(base, None).await
}

/// Starts both services.
async fn services_with(base: &str, feed: Option<FeedConfig>) -> [String; 2] {
    let mut config = revolve_verify::VerifierConfig::new("http://localhost:8080", "revolve");
    config.jwks_url = format!("{base}/.well-known/jwks.json");
    config.leeway = Duration::ZERO;
    config.feed = feed;
    serve(revolve_verify::Verifier::start(&config).unwrap()).await
}

async fn serve(verifier: revolve_verify::Verifier) -> [String; 2] {
    let (actix, axum) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let urls = [actix.local_addr().unwrap(), axum.local_addr().unwrap()]
        .map(|address| format!("http://{address}"));
    actix_web::rt::spawn(relying_service::actix_service(actix, verifier.clone()).unwrap());
    actix_web::rt::spawn(async move {
        axum::serve(axum, relying_service::axum_service(verifier)).await
    });
    urls
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn sign_up(base: &str) -> (String, String) {
    sign_up_as(base, "ann@example.org").await
}

async fn sign_up_as(base: &str, email: &str) -> (String, String) {
    let request = client().post(format!("{base}/api/account/signup"));
    let answer = request
        .json(&json!({ "email": email, "password": "correct horse battery" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    let token = |name: &str| answer["tokens"][name].as_str().unwrap().to_owned();
    (token("idToken"), token("refreshToken"))
}

async fn hello(service: &str, authorization: Option<&str>) -> Response {
    let mut request = client().get(format!("{service}/hello"));
    if let Some(field) = authorization {
        request = request.header("authorization", field);
    }
    request.send().await.unwrap()
}

async fn expect_problem(answer: Response, status: u16, code: &str) {
    assert_eq!(answer.status(), status);
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
            .to_owned()
    };
    assert_eq!(
        (
            header("content-type").as_str(),
            header("cache-control").as_str()
        ),
        ("application/problem+json", "no-store")
    );
    match (status, code) {
        (401, "unauthenticated") => {
            assert_eq!(header("www-authenticate"), "Bearer realm=\"revolve\"");
        }
        (403, _) => assert_eq!(header("www-authenticate"), ""),
        (401, _) => assert_eq!(
            header("www-authenticate"),
            "Bearer realm=\"revolve\", error=\"invalid_token\""
        ),
        _ => assert_eq!(
            (
                header("www-authenticate").as_str(),
                header("retry-after").as_str()
            ),
            ("", "1")
        ),
    }
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(
        (problem["status"].as_u64(), problem["code"].as_str()),
        (Some(u64::from(status)), Some(code))
    );
    assert!(
        problem["title"].is_string()
            && problem["type"].is_string()
            && problem["detail"].is_string()
    );
}

#[actix_web::test]
async fn both_services_let_in_who_has_signed_in_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let base = revolve(folder.path(), "").await;
    let (id, refresh) = sign_up(&base).await;
    let tampered = {
        let parts: Vec<&str> = id.split('.').collect();
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap())
            .unwrap()
            .replace("ann@", "eve@");
        [parts[0], &URL_SAFE_NO_PAD.encode(payload), parts[2]].join(".")
    };
    for service in services(&base).await {
        assert_eq!(
            client()
                .get(format!("{service}/"))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
            "for anybody"
        );
        let answer = hello(&service, Some(&format!("Bearer {id}"))).await;
        assert_eq!(
            (answer.status(), answer.text().await.unwrap().as_str()),
            (StatusCode::OK, "Hello ann@example.org")
        );
        let reports = client().get(format!("{service}/reports")).bearer_auth(&id);
        expect_problem(reports.send().await.unwrap(), 403, "role_required").await;
        for none in [None, Some("Basic YTpi"), Some(id.as_str())] {
            expect_problem(hello(&service, none).await, 401, "unauthenticated").await;
        }
        for bad in [tampered.as_str(), refresh.as_str(), "x", "a.b.c"] {
            expect_problem(
                hello(&service, Some(&format!("Bearer {bad}"))).await,
                401,
                "token_invalid",
            )
            .await;
        }
    }
}

fn claims(id: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(id.split('.').nth(1).unwrap());
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

#[actix_web::test]
async fn an_expired_token_is_refused_with_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let base = revolve(folder.path(), "tokens.id_lifetime = '1s'").await;
    let (id, _) = sign_up(&base).await;
    let exp = claims(&id)["exp"].as_u64().unwrap();
    while SystemClock.unix_seconds() < exp {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for service in services(&base).await {
        expect_problem(
            hello(&service, Some(&format!("Bearer {id}"))).await,
            401,
            "token_expired",
        )
        .await;
    }
}

#[actix_web::test]
async fn while_the_issuer_was_never_there_the_answer_is_503_and_clients_keep_their_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let (id, _) = sign_up(&revolve(folder.path(), "").await).await;
    // Nobody listens on a port whose listener is gone.
    let nowhere = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for service in services(&format!("http://{nowhere}")).await {
        expect_problem(
            hello(&service, Some(&format!("Bearer {id}"))).await,
            503,
            "unavailable",
        )
        .await;
        expect_problem(
            hello(&service, Some("Bearer a.b.c")).await,
            401,
            "token_invalid",
        )
        .await;
    }
}

#[actix_web::test]
async fn the_example_starts_while_the_issuer_is_away() {
    let verifier = relying_service::verifier("http://127.0.0.1:1", "revolve").unwrap();
    assert!(!verifier.is_ready());
    assert!(relying_service::verifier("http://accounts.example.org", "revolve").is_err());
}

/// The program itself, while there is no Revolve: it says where its services are, and what is for anybody is served.
#[actix_web::test]
async fn the_program_says_where_its_services_are() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_relying-service"));
    let mut child = program
        .env("ISSUER", "http://127.0.0.1:1")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["actix-web", "axum"] {
        let line = lines.next_line().await.unwrap().unwrap();
        let service = line
            .strip_suffix("/hello")
            .and_then(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .unwrap()
            .trim()
            .to_owned();
        assert_eq!(
            client()
                .get(format!("{service}/"))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
            "for anybody"
        );
        expect_problem(hello(&service, None).await, 401, "unauthenticated").await;
    }
    child.kill().await.unwrap();
}

//! What actix-web and axum services answer where the user's authentication is not enough.

use super::{MINUTE, PREFIX, authenticated, world};
use crate::support::{NOW, TestClock, TestKey, claims, serve_both};
use actix_web::{App, HttpServer, dev::Server, web};
use axum::{Extension, Router, body::Body, http::Response as AxumResponse, routing};
use reqwest::{Client, Response};
use revolve_verify::{
    Claims, RequiredAuthentication, Verifier,
    actix::{self, Identity},
    tower::{self, VerifyLayer},
};
use serde_json::{Value, json};
use std::{net::TcpListener, sync::Arc};

/// An actix-web service and one on axum, each with:
///
/// - `/recent` and `/strong`, behind a middleware or a layer that requires five minutes, or `mfa`;
/// - `/both` behind one that requires both, and `/nested` behind two;
/// - `/own`, whose handler requires both itself;
/// - `/role`, which requires a role first.
struct Services {
    key: Arc<TestKey>,
    clock: TestClock,
    urls: [String; 2],
    client: Client,
}

/// Starts both; they live until the runtime ends.
fn services() -> Services {
    let (key, verifier, clock) = world();
    let actix = verifier.clone();
    let urls = serve_both(
        |listener| actix_service(listener, actix),
        axum_service(verifier),
    );
    Services {
        key,
        clock,
        urls,
        client: Client::builder().no_proxy().build().unwrap(),
    }
}

fn both() -> RequiredAuthentication {
    RequiredAuthentication::by(&["mfa"]).within(MINUTE * 5)
}

fn actix_service(listener: TcpListener, verifier: Verifier) -> Server {
    let verifier = web::Data::new(verifier);
    let app = move || {
        let hello = || web::get().to(async |identity: Identity| identity.user.email.clone());
        let own = async |identity: Identity, verifier: web::Data<Verifier>| {
            verifier.require_authentication(&identity, &both())?;
            Ok::<_, actix::Rejection>(identity.user.email.clone())
        };
        let recent = || actix::require_recent(MINUTE * 5);
        let strong = || actix::require_amr(&["mfa"]);
        let scope = |path: &str| web::resource(path.to_owned());
        App::new()
            .app_data(verifier.clone())
            .route("/own", web::get().to(own))
            .service(scope("/recent").wrap(recent()).route(hello()))
            .service(scope("/strong").wrap(strong()).route(hello()))
            .service(
                scope("/both")
                    .wrap(actix::require_authentication(both()))
                    .route(hello()),
            )
            .service(
                scope("/nested")
                    .wrap(strong())
                    .wrap(recent())
                    .route(hello()),
            )
            .service(
                scope("/role")
                    .wrap(recent())
                    .wrap(actix::require_role("admin"))
                    .route(hello()),
            )
    };
    let server = HttpServer::new(app).workers(1).disable_signals();
    server.listen(listener).unwrap().run()
}

fn axum_service(verifier: Verifier) -> Router {
    let hello = || routing::get(async |Extension(claims): Extension<Claims>| claims.user.email);
    let own = async |Extension(verifier): Extension<Verifier>,
                     Extension(claims): Extension<Claims>| {
        let required = verifier.require_authentication(&claims, &both());
        required.map_err(AxumResponse::<Body>::from)?;
        Ok::<_, AxumResponse<Body>>(claims.user.email)
    };
    let recent = || tower::require_recent(MINUTE * 5);
    let strong = || tower::require_amr(&["mfa"]);
    Router::new()
        .route("/own", routing::get(own))
        .route("/recent", hello().layer(recent()))
        .route("/strong", hello().layer(strong()))
        .route(
            "/both",
            hello().layer(tower::require_authentication(both())),
        )
        .route("/nested", hello().route_layer(strong()).layer(recent()))
        .route(
            "/role",
            hello()
                .route_layer(recent())
                .layer(tower::require_role("admin")),
        )
        .layer(VerifyLayer::new(verifier))
        .route("/unprotected", hello().layer(recent()))
}

impl Services {
    /// The answers of both services.
    async fn get(&self, path: &str, claims: &Value) -> [Response; 2] {
        let get = async |url: &String| {
            let token = self.key.token(claims);
            let request = self.client.get(format!("{url}{path}")).bearer_auth(token);
            request.send().await.unwrap()
        };
        [get(&self.urls[0]).await, get(&self.urls[1]).await]
    }

    async fn expect_entry(&self, path: &str, claims: &Value) {
        for answer in self.get(path, claims).await {
            assert_eq!(answer.status(), 200, "{path} {claims}");
            assert_eq!(answer.text().await.unwrap(), "ann@example.org");
        }
    }

    async fn expect_challenge(&self, path: &str, claims: &Value, parameters: &str) -> Value {
        let mut problems = Vec::new();
        for answer in self.get(path, claims).await {
            assert_eq!(answer.status(), 401, "{path} {claims}");
            let challenges: Vec<_> = answer
                .headers()
                .get_all("www-authenticate")
                .iter()
                .collect();
            let [challenge] = challenges[..] else {
                panic!("{challenges:?}");
            };
            let challenge = challenge.to_str().unwrap();
            let (_, found) = challenge
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split_once("\", "))
                .unwrap();
            assert_eq!(found, parameters, "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            problems.push(answer.json().await.unwrap());
        }
        assert_eq!(problems[0], problems[1]);
        problems.remove(0)
    }
}

#[actix_web::test]
async fn who_was_authenticated_as_required_is_let_in_and_others_are_challenged() {
    let services = services();
    let good = authenticated(NOW, &["mfa", "otp", "pwd"]);
    for path in ["/recent", "/strong", "/both", "/nested", "/own"] {
        services.expect_entry(path, &good).await;
    }
    let weak = authenticated(NOW, &["pwd"]);
    services.expect_entry("/recent", &weak).await;
    let old = authenticated(NOW - 306, &["mfa", "otp", "pwd"]);
    services.expect_entry("/strong", &old).await;
    let (age, amr) = ("max_age=\"300\"", "acr_values=\"mfa\"");
    let problem = services.expect_challenge("/recent", &old, age).await;
    assert_eq!(
        problem,
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "code": "insufficient_user_authentication",
            "detail": "a more recent authentication is required.",
            "maxAge": 300,
        })
    );
    let problem = services.expect_challenge("/strong", &weak, amr).await;
    assert_eq!(problem["acrValues"], json!(["mfa"]));
    assert!(problem.get("maxAge").is_none());
    let all = format!("{age}, {amr}");
    for path in ["/both", "/own"] {
        for claims in [&old, &weak] {
            let problem = services.expect_challenge(path, claims, &all).await;
            assert_eq!(
                (&problem["maxAge"], &problem["acrValues"]),
                (&json!(300), &json!(["mfa"]))
            );
        }
    }
    // One behind the other: each says its own part.
    services.expect_challenge("/nested", &old, age).await;
    services.expect_challenge("/nested", &weak, amr).await;
}

#[actix_web::test]
async fn a_token_that_was_good_is_challenged_when_its_time_is_over() {
    let services = services();
    let claims = authenticated(NOW, &["pwd"]);
    for (now, expected) in [(NOW + 305, true), (NOW + 306, false)] {
        services.clock.set(now);
        if expected {
            services.expect_entry("/recent", &claims).await;
        } else {
            let age = "max_age=\"300\"";
            services.expect_challenge("/recent", &claims, age).await;
        }
    }
}

#[actix_web::test]
async fn who_has_no_good_token_is_not_asked_for_another_authentication() {
    let services = services();
    let mut expired = authenticated(NOW - 9000, &["pwd"]);
    expired["exp"] = json!(NOW - 60);
    for path in ["/recent", "/strong", "/both", "/nested", "/own"] {
        for answer in services.get(path, &expired).await {
            assert_eq!(answer.status(), 401);
            let challenge = "Bearer realm=\"revolve\", error=\"invalid_token\"";
            assert_eq!(answer.headers()["www-authenticate"], challenge);
        }
        for url in &services.urls {
            let answer = services.client.get(format!("{url}{path}")).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 401);
            let challenge = "Bearer realm=\"revolve\"";
            assert_eq!(answer.headers()["www-authenticate"], challenge);
        }
    }
}

#[actix_web::test]
async fn who_lacks_a_role_that_is_required_first_is_not_asked_either() {
    let services = services();
    let mut claims = authenticated(NOW - 9000, &["pwd"]);
    for answer in services.get("/role", &claims).await {
        assert_eq!(answer.status(), 403);
        assert!(!answer.headers().contains_key("www-authenticate"));
    }
    claims["roles"] = json!(["admin"]);
    let age = "max_age=\"300\"";
    services.expect_challenge("/role", &claims, age).await;
}

#[actix_web::test]
async fn without_the_layer_above_nobody_is_let_in() {
    let services = services();
    let token = services.key.token(&claims());
    let url = format!("{}/unprotected", services.urls[1]);
    let answer = services.client.get(url).bearer_auth(token).send().await;
    assert_eq!(answer.unwrap().status(), 500);
}

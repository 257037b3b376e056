//! What actix-web and axum services answer to who lacks a role, or whose token is outdated.

use crate::support::{
    FakeIssuer, ISSUER, IssuerResponse, NOW, TestClock, TestKey, USER, claims, config, key_set,
    serve_both,
};
use actix_web::{App, HttpServer, web};
use axum::{Extension, Router, routing};
use reqwest::{Client, Response};
use revolve_verify::{
    Algorithm, Claims, FeedConfig, Verifier,
    actix::{self, Identity},
    tower::{self, VerifyLayer},
};
use serde_json::{Value, json};
use std::{net::TcpListener, sync::Arc, time::Duration};

const CHALLENGE: &str = "Bearer realm=\"revolve\", error=\"invalid_token\", error_description=\"The token is outdated: refresh it\"";

struct Services {
    issuer: FakeIssuer,
    key: Arc<TestKey>,
    /// An actix-web service and one on axum: `/reports` behind a middleware or a layer, on actix-web `/own`, where the handler asks.
    urls: [String; 2],
    client: Client,
}

/// Starts both; they live until the runtime ends.
fn services() -> Services {
    let key = TestKey::of_issuer(Algorithm::Es256);
    let issuer = FakeIssuer::new(IssuerResponse::ok(key_set(&[&key])));
    issuer.set_feed(feed(&key, &json!([])));
    let mut config = config();
    config.feed = Some(FeedConfig::default());
    let clock = Arc::new(TestClock::new());
    let verifier = Verifier::start_with(&config, Arc::new(issuer.clone()), clock).unwrap();
    let actix = verifier.clone();
    let urls = serve_both(
        |listener| actix_service(listener, actix),
        axum_service(verifier),
    );
    Services {
        issuer,
        key,
        urls,
        client: Client::builder().no_proxy().build().unwrap(),
    }
}

fn actix_service(listener: TcpListener, verifier: Verifier) -> actix_web::dev::Server {
    let verifier = web::Data::new(verifier);
    let app = move || {
        let own = async |identity: Identity| {
            identity.require_role("reports:read")?;
            Ok::<_, actix::Rejection>(identity.user.email.clone())
        };
        let reports = web::get().to(async |identity: Identity| identity.user.email.clone());
        App::new()
            .app_data(verifier.clone())
            .route("/own", web::get().to(own))
            .service(
                web::resource("/reports")
                    .wrap(actix::require_role("reports:read"))
                    .route(reports),
            )
    };
    let server = HttpServer::new(app).workers(1).disable_signals();
    server.listen(listener).unwrap().run()
}

fn axum_service(verifier: Verifier) -> Router {
    let reports = routing::get(async |Extension(claims): Extension<Claims>| claims.user.email);
    Router::new()
        .route(
            "/reports",
            reports.layer(tower::require_role("reports:read")),
        )
        .layer(VerifyLayer::new(verifier))
        .route(
            "/unprotected",
            routing::get(async || "never").layer(tower::require_role("reports:read")),
        )
}

fn feed(key: &TestKey, outdated: &Value) -> IssuerResponse {
    let document = json!({
        "iss": ISSUER, "iat": NOW, "exp": NOW + 1020, "window": 1020, "sessions": [], "users": [], "outdated": outdated,
    });
    let header = key.header("revocations+jwt").to_string();
    IssuerResponse {
        hold: true,
        ..IssuerResponse::ok(key.token_of(header, document.to_string()))
    }
    .tagged(&format!("\"{}\"", outdated.to_string().len()))
}

impl Services {
    async fn get(&self, url: String, claims: &Value) -> Response {
        let token = self.key.token(claims);
        let request = self.client.get(url).bearer_auth(token);
        request.send().await.unwrap()
    }
}

fn header<'r>(answer: &'r Response, name: &str) -> &'r str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

async fn problem(answer: Response) -> Value {
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    answer.json().await.unwrap()
}

#[actix_web::test]
async fn who_has_the_role_is_let_in_and_others_get_403() {
    let services = services();
    let with = |roles: Value| {
        let mut claims = claims();
        claims["roles"] = roles;
        claims
    };
    let [actix, axum] = &services.urls;
    for url in [
        format!("{actix}/reports"),
        format!("{actix}/own"),
        format!("{axum}/reports"),
    ] {
        let claims = with(json!(["other", "reports:read"]));
        let answer = services.get(url.clone(), &claims).await;
        assert_eq!(answer.status(), 200, "{url}");
        assert_eq!(answer.text().await.unwrap(), "ann@example.org");
        for roles in [
            json!([]),
            json!(["reports", "reports:write", "reports:read2"]),
        ] {
            let answer = services.get(url.clone(), &with(roles)).await;
            assert_eq!(answer.status(), 403, "{url}");
            let problem = problem(answer).await;
            assert_eq!(problem["code"], "role_required");
            assert_eq!(problem["title"], "Forbidden");
            assert_eq!(problem["detail"], "This needs the role `reports:read`.");
        }
        // Who is nobody has no roles either.
        let answer = services.client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{url}");
        assert_eq!(
            header(&answer, "www-authenticate"),
            "Bearer realm=\"revolve\""
        );
        let forged = TestKey::generate(Algorithm::Es256);
        let forged = forged.token(&with(json!(["reports:read"])));
        let request = services.client.get(&url).bearer_auth(forged);
        assert_eq!(request.send().await.unwrap().status(), 401, "{url}");
    }
    // Without the layer above it nobody is let in.
    let claims = with(json!(["reports:read"]));
    let answer = services.get(format!("{axum}/unprotected"), &claims).await;
    assert_eq!(answer.status(), 500);
}

#[actix_web::test]
async fn an_outdated_token_gets_a_hint_to_refresh() {
    let services = services();
    let of_version = |version: u64| {
        let mut claims = claims();
        claims["roles"] = json!(["reports:read"]);
        claims["version"] = json!(version);
        claims
    };
    let urls = services.urls.each_ref().map(|url| format!("{url}/reports"));
    for url in &urls {
        let answer = services.get(url.clone(), &of_version(9)).await;
        assert_eq!(answer.status(), 200);
    }
    let feed = feed(&services.key, &json!([[USER, 10]]));
    services.issuer.set_feed(feed);
    for url in &urls {
        let refused = async {
            loop {
                let answer = services.get(url.clone(), &of_version(9)).await;
                if answer.status() != 200 {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let refused = tokio::time::timeout(Duration::from_secs(10), refused).await;
        let refused = refused.expect("the feed says so");
        assert_eq!(refused.status(), 401);
        assert_eq!(header(&refused, "www-authenticate"), CHALLENGE);
        let problem = problem(refused).await;
        assert_eq!(problem["code"], "token_outdated");
        assert_eq!(problem["detail"], "the token is outdated: refresh it.");
        let answer = services.get(url.clone(), &of_version(10)).await;
        assert_eq!(answer.status(), 200, "the next one is good");
    }
}

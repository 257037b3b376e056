//! What is required of the user's authentication, and what actix-web and axum services answer where it is not enough (RFC 9470).

use crate::support::{NOW, TestClock, TestKey, claims, verifier};
use actix_web::{App, HttpServer, dev::Server, web};
use axum::{Extension, Router, body::Body, http::Response as AxumResponse, routing};
use reqwest::{Client, Response};
use revolve_verify::{
    Algorithm, Claims, InsufficientAuthentication, RequiredAuthentication, Verifier,
    actix::{self, Identity},
    tower::{self, VerifyLayer},
};
use serde_json::{Value, json};
use std::{convert::Infallible, net::TcpListener, panic::catch_unwind, sync::Arc, time::Duration};

const MINUTE: Duration = Duration::from_mins(1);
const PREFIX: &str =
    "Bearer realm=\"revolve\", error=\"insufficient_user_authentication\", error_description=\"";

/// The user was authenticated at this time, by these methods.
fn authenticated(at: u64, amr: &[&str]) -> Value {
    let mut claims = claims();
    claims["auth_time"] = json!(at);
    claims["amr"] = json!(amr);
    claims
}

/// A key, a verifier that knows it, and its clock.
fn world() -> (Arc<TestKey>, Verifier, TestClock) {
    let key = TestKey::of_issuer(Algorithm::Es256);
    let (verifier, clock) = verifier(&[&key]);
    (key, verifier, clock)
}

/// What of a token that is shown when it is issued is asked later.
struct Judge {
    verifier: Verifier,
    clock: TestClock,
    claims: Claims,
}

impl Judge {
    fn of(claims: &Value) -> Self {
        let (key, verifier, clock) = world();
        let claims = verifier.verify_at_hand(&key.token(claims)).unwrap();
        Self {
            verifier,
            clock,
            claims,
        }
    }

    fn check(
        &self,
        required: &RequiredAuthentication,
        now: u64,
    ) -> Result<(), InsufficientAuthentication> {
        self.clock.set(now);
        self.verifier.require_authentication(&self.claims, required)
    }
}

#[test]
fn an_authentication_is_recent_up_to_its_age_and_the_leeway() {
    let judge = Judge::of(&authenticated(NOW - 100, &["pwd"]));
    let recent = RequiredAuthentication::recent;
    for (required, now, expected) in [
        (recent(MINUTE * 2), NOW, true),
        // 60 s and the leeway of 5 s.
        (recent(MINUTE), NOW - 100 + 65, true),
        (recent(MINUTE), NOW - 100 + 66, false),
        (recent(MINUTE), NOW, false),
        // A fraction of a second is dropped.
        (
            recent(MINUTE + Duration::from_millis(999)),
            NOW - 100 + 66,
            false,
        ),
        // None may pass, but for the leeway.
        (recent(Duration::ZERO), NOW - 100, true),
        (recent(Duration::ZERO), NOW - 100 + 5, true),
        (recent(Duration::ZERO), NOW - 100 + 6, false),
        (recent(Duration::from_millis(999)), NOW - 100 + 6, false),
        // The issuer's clock is ahead, by no more than the leeway.
        (recent(MINUTE), NOW - 100 - 5, true),
        (recent(MINUTE), NOW - 100 - 6, false),
        (recent(Duration::MAX), NOW, true),
        (recent(Duration::MAX), u64::MAX, true),
        (recent(MINUTE), u64::MAX, false),
        (recent(MINUTE), 0, false),
    ] {
        let found = judge.check(&required, now);
        assert_eq!(found.is_ok(), expected, "{required:?} at {now}");
    }
}

#[test]
fn a_time_at_the_ends_of_what_a_token_can_say_is_not_recent() {
    for at in [0, u64::MAX] {
        let judge = Judge::of(&authenticated(at, &["pwd"]));
        let recent = RequiredAuthentication::recent(MINUTE);
        judge.check(&recent, NOW).unwrap_err();
    }
}

#[test]
fn all_methods_that_are_named_are_needed_or_those_of_an_alternative() {
    let by = RequiredAuthentication::by;
    let passkey = RequiredAuthentication::by_one_of(&[&["hwk"], &["swk"]]);
    let mixed = RequiredAuthentication::by_one_of(&[&["pwd", "otp"], &["hwk"]]);
    for (required, amr, expected) in [
        (by(&["mfa"]), &["mfa", "otp", "pwd"][..], true),
        (by(&["mfa"]), &["otp", "pwd"], false),
        (by(&["mfa"]), &[], false),
        (by(&["mfa"]), &["MFA", "mfa2", "mf", "mfa "], false),
        (by(&["otp", "pwd"]), &["otp", "pwd"], true),
        (by(&["pwd", "otp"]), &["otp", "pwd", "x"], true),
        (by(&["otp", "pwd"]), &["otp"], false),
        (by(&["otp", "pwd"]), &["pwd"], false),
        (passkey.clone(), &["hwk", "mfa", "user"], true),
        (passkey.clone(), &["mfa", "swk", "user"], true),
        (passkey.clone(), &["mfa", "otp", "pwd"], false),
        (passkey, &[], false),
        (mixed.clone(), &["hwk", "otp"], true),
        (mixed.clone(), &["otp", "pwd"], true),
        (mixed, &["otp"], false),
        // Any other name will do that a service has.
        (by(&["geo"]), &["geo"], true),
    ] {
        let judge = Judge::of(&authenticated(NOW, amr));
        let found = judge.check(&required, NOW);
        assert_eq!(found.is_ok(), expected, "{required:?} of {amr:?}");
    }
}

#[test]
fn a_token_that_does_not_say_how_is_not_enough_where_methods_are_required() {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("amr");
    let judge = Judge::of(&claims);
    let insufficient = judge.check(&RequiredAuthentication::by(&["pwd"]), NOW);
    assert!(
        insufficient
            .unwrap_err()
            .to_string()
            .contains("other methods")
    );
    judge
        .check(&RequiredAuthentication::recent(MINUTE), NOW)
        .unwrap();
}

#[test]
fn a_challenge_says_all_that_is_required_and_why_it_is_made() {
    const RECENT: &str = "a more recent authentication is required";
    const METHODS: &str = "an authentication by other methods is required";
    const BOTH: &str = "a more recent authentication, by other methods, is required";
    let of = |required: &RequiredAuthentication, at: u64, amr: &[&str]| {
        let judge = Judge::of(&authenticated(at, amr));
        judge.check(required, NOW).unwrap_err()
    };
    let recent = RequiredAuthentication::recent(MINUTE * 5);
    let strong = RequiredAuthentication::by(&["mfa"]);
    let both = strong.clone().within(MINUTE * 5);
    let now = RequiredAuthentication::recent(Duration::ZERO);
    let passkey = RequiredAuthentication::by_one_of(&[&["hwk", "user"], &["swk"]]).within(MINUTE);
    let old = NOW - 1000;
    for (required, at, amr, reason, parameters) in [
        (&recent, old, &["pwd"][..], RECENT, "max_age=\"300\""),
        (&now, old, &["pwd"], RECENT, "max_age=\"0\""),
        (&strong, NOW, &["pwd"], METHODS, "acr_values=\"mfa\""),
        // Whichever it is that is missing: a new authentication must meet both.
        (
            &both,
            NOW,
            &["pwd"],
            METHODS,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &both,
            old,
            &["mfa"],
            RECENT,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &both,
            old,
            &["pwd"],
            BOTH,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &passkey,
            NOW,
            &["hwk"],
            METHODS,
            "max_age=\"60\", acr_values=\"hwk+user swk\"",
        ),
    ] {
        let insufficient = of(required, at, amr);
        assert_eq!(insufficient.to_string(), reason);
        let challenge = insufficient.challenge();
        assert_eq!(challenge, format!("{PREFIX}{reason}\", {parameters}"));
    }
    let insufficient = of(&both, old, &["pwd"]);
    assert_eq!(insufficient.code(), "insufficient_user_authentication");
    assert_eq!(insufficient.max_age(), Some(300));
    assert_eq!(insufficient.acr_values().as_deref(), Some("mfa"));
    let insufficient = of(&recent, old, &["pwd"]);
    assert_eq!(insufficient.acr_values(), None);
}

#[test]
fn names_that_are_none_are_found_where_they_are_written() {
    for bad in [
        &[][..],
        &[""],
        &["mfa", ""],
        &["hwk swk"],
        &["mfa\""],
        &["mfa\r\nx"],
        &["mfä"],
        &["hwk+user"],
    ] {
        let bad: Vec<String> = bad.iter().map(|name| (*name).to_owned()).collect();
        let message = format!("{bad:?}");
        let made = catch_unwind(|| {
            let names: Vec<&str> = bad.iter().map(String::as_str).collect();
            RequiredAuthentication::by_one_of(&[&["pwd"], &names])
        });
        assert!(made.is_err(), "{message}");
    }
    assert!(catch_unwind(|| RequiredAuthentication::by_one_of(&[])).is_err());
    let _ = RequiredAuthentication::by(&["a-Z_09"]);
}

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
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let urls = listeners.each_ref().map(url);
    let [actix, axum] = listeners;
    axum.set_nonblocking(true).unwrap();
    let axum = tokio::net::TcpListener::from_std(axum).unwrap();
    actix_web::rt::spawn(actix_service(actix, verifier.clone()));
    actix_web::rt::spawn(async move { axum::serve(axum, axum_service(verifier)).await });
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
        .route(
            "/nested",
            hello().layer::<_, Infallible>(strong()).layer(recent()),
        )
        .route(
            "/role",
            hello()
                .layer::<_, Infallible>(recent())
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

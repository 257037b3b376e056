//! Two small services for users who are signed in with Revolve: the same on actix-web and on axum. Each answers
//! `GET /hello` with the user's address, `GET /reports` to users with the role `reports:read`, `POST /payments` to users who were authenticated within
//! the last five minutes, and `GET /` to anybody.

use actix_web::{App, HttpServer, dev::Server, web};
use axum::{Extension, Router, routing};
use revolve_verify::{
    FeedConfig, User, Verifier, VerifierConfig,
    actix::{self, Identity},
    tower::{self, VerifyLayer},
};
use std::{io, net::TcpListener, time::Duration};

/// Who may read reports.
const READER: &str = "reports:read";

/// How long ago the user of a payment may have been authenticated.
const PAYMENT: Duration = Duration::from_mins(5);

/// What every relying service needs: whose tokens, for whom, and that sign-outs count within about a second.
pub fn verifier(
    issuer: &str,
    audience: &str,
) -> Result<Verifier, revolve_verify::VerifierConfigError> {
    let mut config = VerifierConfig::new(issuer, audience);
    config.feed = Some(FeedConfig::default());
    Verifier::start(&config)
}

/// The actix-web service: handlers that take an [`Identity`] are protected.
pub fn actix_service(listener: TcpListener, verifier: Verifier) -> io::Result<Server> {
    let verifier = web::Data::new(verifier);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(verifier.clone())
            .route("/", web::get().to(async || "for anybody"))
            .route(
                "/hello",
                web::get().to(async |identity: Identity| format!("Hello {}", identity.user.email)),
            )
            .service(
                web::resource("/reports")
                    .wrap(actix::require_role(READER))
                    .route(web::get().to(async |identity: Identity| report(&identity.user))),
            )
            .service(
                web::resource("/payments")
                    .wrap(actix::require_recent(PAYMENT))
                    .route(web::post().to(async |identity: Identity| payment(&identity.user))),
            )
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

/// The axum service: what is below the layer is protected.
pub fn axum_service(verifier: Verifier) -> Router {
    Router::new()
        .route(
            "/hello",
            routing::get(async |Extension(user): Extension<User>| format!("Hello {}", user.email)),
        )
        .route(
            "/reports",
            routing::get(async |Extension(user): Extension<User>| report(&user))
                .layer(tower::require_role(READER)),
        )
        .route(
            "/payments",
            routing::post(async |Extension(user): Extension<User>| payment(&user))
                .layer(tower::require_recent(PAYMENT)),
        )
        .layer(VerifyLayer::new(verifier))
        .route("/", routing::get(async || "for anybody"))
}

fn report(user: &User) -> String {
    format!("a report for {}", user.email)
}

fn payment(user: &User) -> String {
    format!("a payment of {}", user.email)
}

//! The HTTP API. A handler parses, calls one use case and maps its outcome; it decides nothing.

mod answer;
mod begin;
mod body;
mod caller;
mod discovery;
mod me;
mod password;
pub(crate) mod problem;
mod refresh;
mod revocations;
mod sessions;
mod sign_out;
mod signed_in;
mod use_case;
mod well_known;

pub(crate) use caller::CookieSettings;
pub(crate) use discovery::Discovery;
pub use signed_in::SignedIn;
pub(crate) use well_known::{Dependencies, Stopping};

use crate::{composition::Services, feed::Feed};
use actix_web::{HttpResponse, Resource, dev::HttpServiceFactory, http::header, middleware::DefaultHeaders, web};
use problem::Problem;

/// The path below which the API lives.
pub const BASE: &str = "/api/account";

/// The API below [`BASE`], with all that its handlers use.
pub(crate) fn api(services: &Services) -> impl HttpServiceFactory + 'static {
    web::scope(BASE)
        .configure(|config| services.register(config))
        .wrap(DefaultHeaders::new().add((header::CACHE_CONTROL, "no-store")))
        .service(only("/signup", "POST").route(web::post().to(begin::sign_up)))
        .service(only("/signin", "POST").route(web::post().to(begin::sign_in)))
        .service(only("/tokens", "POST").route(web::post().to(refresh::refresh)))
        .service(only("/signout", "POST").route(web::post().to(sign_out::sign_out)))
        .service(only("/me", "GET, DELETE").route(web::get().to(me::me)).route(web::delete().to(me::delete)))
        .service(only("/details", "PUT").route(web::put().to(me::details)))
        .service(only("/password", "PUT").route(web::put().to(password::change)))
        .service(only("/sessions", "GET").route(web::get().to(sessions::list)))
        .service(only("/sessions/{sid}", "DELETE").route(web::delete().to(sessions::end)))
        .default_service(web::to(nothing_here))
}

/// What other services look for outside the base.
pub(crate) fn well_known(config: &mut web::ServiceConfig, discovery: web::Data<Discovery>, feed: web::Data<Feed>) {
    config
        .service(only("/.well-known/jwks.json", "GET").app_data(discovery.clone()).route(web::get().to(discovery::jwks)))
        .service(only("/.well-known/openid-configuration", "GET").app_data(discovery).route(web::get().to(discovery::configuration)))
        .service(only("/.well-known/revocations", "GET").app_data(feed).route(web::get().to(revocations::revocations)));
}

/// What orchestrators ask.
pub(crate) fn health(config: &mut web::ServiceConfig, dependencies: web::Data<Dependencies>) {
    config
        .service(only("/health/live", "GET").route(web::get().to(well_known::live)))
        .service(only("/health/ready", "GET").app_data(dependencies).route(web::get().to(well_known::ready)));
}

/// What is answered at every other path.
pub(crate) fn nothing_else(config: &mut web::ServiceConfig) {
    config.default_service(web::to(nothing_here));
}

/// What the listener for operators has.
pub(crate) fn metrics(config: &mut web::ServiceConfig) {
    config.service(only("/metrics", "GET").route(web::get().to(well_known::metrics))).configure(nothing_else);
}

/// A resource that answers 405 to other methods than its own.
fn only(path: &'static str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move { Err::<HttpResponse, _>(Problem::method_not_allowed(allow)) }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}

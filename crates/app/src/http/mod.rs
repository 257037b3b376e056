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
mod sessions;
mod sign_out;
mod well_known;

pub(crate) use discovery::Discovery;
pub(crate) use well_known::Dependencies;

use actix_web::{HttpResponse, Resource, dev::HttpServiceFactory, http::header, middleware::DefaultHeaders, web};
use problem::Problem;
use std::future::Future;

/// The path below which the API lives.
pub const BASE: &str = "/api/account";

/// The API below [`BASE`].
pub(crate) fn api() -> impl HttpServiceFactory {
    web::scope(BASE)
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

/// What lives outside the base.
pub(crate) fn outside(config: &mut web::ServiceConfig) {
    config
        .service(only("/.well-known/jwks.json", "GET").route(web::get().to(discovery::jwks)))
        .service(only("/.well-known/openid-configuration", "GET").route(web::get().to(discovery::configuration)))
        .service(only("/health/live", "GET").route(web::get().to(well_known::live)))
        .service(only("/health/ready", "GET").route(web::get().to(well_known::ready)))
        .default_service(web::to(nothing_here));
}

/// What the listener for operators has.
pub(crate) fn metrics(config: &mut web::ServiceConfig) {
    config.service(only("/metrics", "GET").route(web::get().to(well_known::metrics))).default_service(web::to(nothing_here));
}

/// A resource that answers 405 to other methods than its own.
fn only(path: &'static str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move { Err::<HttpResponse, _>(Problem::method_not_allowed(allow)) }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}

/// Carries a use case to its end even if the client hangs up: what was begun in one store is finished in the other.
async fn complete<T: 'static>(work: impl Future<Output = T> + 'static) -> Result<T, Problem> {
    actix_web::rt::spawn(work).await.map_err(|error| Problem::internal(&error))
}

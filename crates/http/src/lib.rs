//! The HTTP API. A handler parses, calls one use case and maps its outcome; it decides nothing.

mod answer;
pub(crate) mod begin;
pub(crate) mod body;
mod cached;
mod caller;
mod cors;
mod deadline;
mod discovery;
mod forwarded;
pub(crate) mod me;
mod openapi;
pub(crate) mod password;
pub(crate) mod problem;
mod rate_limit;
pub(crate) mod refresh;
mod revocations;
mod sessions;
mod shield;
pub(crate) mod sign_out;
mod signed_in;
mod use_case;
mod watch;
mod well_known;

pub(crate) use caller::CookieSettings;
pub(crate) use cors::Origins;
pub(crate) use deadline::count;
pub(crate) use discovery::Discovery;
pub(crate) use forwarded::TrustedProxies;
pub(crate) use shield::Shield;
pub use signed_in::SignedIn;
#[cfg(feature = "otel")]
pub(crate) use watch::TraceParent;
pub(crate) use watch::{Watch, names};
pub(crate) use well_known::{Dependencies, Stopping};

use crate::{composition::Services, feed::Feed};
use actix_web::{
    HttpResponse, Resource,
    dev::HttpServiceFactory,
    http::header,
    middleware::{DefaultHeaders, from_fn},
    web,
};
use deadline::within;
use problem::Problem;
use std::time::Duration;

/// The path below which the API lives.
pub const BASE: &str = "/api/account";

/// What stands around the routes.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) shield: Shield,
    pub(crate) origins: Origins,
    /// The longest time from a request to its answer.
    pub(crate) limit: Duration,
    pub(crate) watch: Watch,
}

/// The API below [`BASE`], with all that its handlers use.
pub(crate) fn api(services: &Services) -> impl HttpServiceFactory + 'static {
    let layers = &services.layers;
    let limit = layers.limit;
    web::scope(BASE)
        .configure(|config| services.register(config))
        .wrap(DefaultHeaders::new().add((header::CACHE_CONTROL, "no-store")))
        .wrap(layers.origins.layer())
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .service(
            only("/signup", "POST")
                .wrap(from_fn(rate_limit::sign_up))
                .route(within(limit, web::post().to(begin::sign_up))),
        )
        .service(
            only("/signin", "POST")
                .wrap(from_fn(rate_limit::password))
                .route(within(limit, web::post().to(begin::sign_in))),
        )
        .service(
            only("/tokens", "POST")
                .wrap(from_fn(rate_limit::refresh))
                .route(within(limit, web::post().to(refresh::refresh))),
        )
        .service(only("/signout", "POST").route(within(limit, web::post().to(sign_out::sign_out))))
        .service(
            only("/me", "GET, DELETE")
                .route(within(limit, web::get().to(me::me)))
                .route(within(limit, web::delete().to(me::delete))),
        )
        .service(
            only("/details", "PUT")
                .wrap(from_fn(rate_limit::password))
                .route(within(limit, web::put().to(me::details))),
        )
        .service(
            only("/password", "PUT")
                .wrap(from_fn(rate_limit::password))
                .route(within(limit, web::put().to(password::change))),
        )
        .service(only("/sessions", "GET").route(within(limit, web::get().to(sessions::list))))
        .service(
            only("/sessions/{sid}", "DELETE").route(within(limit, web::delete().to(sessions::end))),
        )
        .default_service(web::to(nothing_here))
}

/// What other services look for outside the base. Whoever waits for the revocation feed has time; it has limits of its own.
pub(crate) fn well_known(
    config: &mut web::ServiceConfig,
    discovery: web::Data<Discovery>,
    feed: web::Data<Feed>,
    layers: &Layers,
) {
    let limit = layers.limit;
    let resource = |path| {
        only(path, "GET")
            .wrap(layers.origins.layer())
            .wrap(layers.shield)
            .wrap(layers.watch.clone())
    };
    let (jwks, configuration) = (
        web::get().to(discovery::jwks),
        web::get().to(discovery::configuration),
    );
    config
        .service(
            resource("/.well-known/jwks.json")
                .app_data(discovery.clone())
                .route(within(limit, jwks)),
        )
        .service(
            resource("/.well-known/openid-configuration")
                .app_data(discovery)
                .route(within(limit, configuration)),
        )
        .service(
            resource("/.well-known/revocations")
                .app_data(feed)
                .route(web::get().to(revocations::revocations)),
        );
}

/// The API described by itself.
pub(crate) fn documents(config: &mut web::ServiceConfig, layers: &Layers) {
    config
        .service(
            only(openapi::DOCUMENT, "GET")
                .wrap(layers.shield)
                .wrap(layers.watch.clone())
                .route(web::get().to(openapi::json)),
        )
        .service(
            only(openapi::PAGE, "GET")
                .wrap(layers.shield)
                .wrap(layers.watch.clone())
                .route(web::get().to(openapi::page)),
        );
}

/// What orchestrators ask.
pub(crate) fn health(
    config: &mut web::ServiceConfig,
    dependencies: web::Data<Dependencies>,
    layers: &Layers,
) {
    let (live, ready) = (
        web::get().to(well_known::live),
        web::get().to(well_known::ready),
    );
    config
        .service(
            only("/health/live", "GET")
                .wrap(layers.shield)
                .wrap(layers.watch.clone())
                .route(live),
        )
        .service(
            only("/health/ready", "GET")
                .wrap(layers.shield)
                .wrap(layers.watch.clone())
                .app_data(dependencies)
                .route(within(layers.limit, ready)),
        );
}

/// What is answered at every other path.
pub(crate) fn nothing_else(config: &mut web::ServiceConfig) {
    config.default_service(web::to(nothing_here));
}

/// What the listener for operators has.
pub(crate) fn metrics(config: &mut web::ServiceConfig) {
    config
        .service(only("/metrics", "GET").route(web::get().to(well_known::metrics)))
        .configure(nothing_else);
}

/// A resource that answers 405 to other methods than its own.
fn only(path: &'static str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        Err::<HttpResponse, _>(Problem::method_not_allowed(allow))
    }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}

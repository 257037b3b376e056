//! The table of routes: each operation once, with its method, path, handler, limits and documentation. The router and the OpenAPI
//! document are both made from it.

use crate::{
    BASE, Layers, Services, accounts,
    documents::{self, Documents},
    health, keys,
    kit::{
        deadline::within,
        openapi::{Documented, Operation},
        problem::Problem,
        rate_limit::with_policy,
    },
    revocations, sessions,
};
use actix_web::{
    Error, HttpResponse, Resource, Route,
    body::MessageBody,
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::{Condition, DefaultHeaders, from_fn},
    web,
};
use revolve_domain::limits::LimitName;

/// One operation.
pub(crate) struct Row {
    method: Method,
    path: &'static str,
    handler: fn() -> Route,
    describe: fn() -> Operation,
    limits: &'static [LimitName],
    has_deadline: bool,
}

impl Row {
    const fn new(
        method: Method,
        path: &'static str,
        handler: fn() -> Route,
        describe: fn() -> Operation,
    ) -> Self {
        Self {
            method,
            path,
            handler,
            describe,
            limits: &[],
            has_deadline: true,
        }
    }

    /// Counts against these limits, which every answer names.
    const fn limited(mut self, limits: &'static [LimitName]) -> Self {
        self.limits = limits;
        self
    }

    /// Answers at once, or has a limit of its own.
    const fn without_deadline(mut self) -> Self {
        self.has_deadline = false;
        self
    }
}

/// Below [`BASE`].
#[rustfmt::skip]
const ACCOUNT: &[Row] = &[
    Row::new(Method::POST, "/signup", || web::post().to(accounts::sign_up), accounts::sign_up_docs).limited(LimitName::SIGN_UP),
    Row::new(Method::POST, "/signin", || web::post().to(accounts::sign_in), accounts::sign_in_docs).limited(LimitName::PASSWORD),
    Row::new(Method::POST, "/tokens", || web::post().to(sessions::refresh), sessions::refresh_docs).limited(LimitName::REFRESH),
    Row::new(Method::GET, "/me", || web::get().to(accounts::me), accounts::me_docs),
    Row::new(Method::PUT, "/details", || web::put().to(accounts::details), accounts::details_docs).limited(LimitName::PASSWORD),
    Row::new(Method::PUT, "/password", || web::put().to(accounts::change_password), accounts::change_password_docs).limited(LimitName::PASSWORD),
    Row::new(Method::DELETE, "/me", || web::delete().to(accounts::delete), accounts::delete_docs),
    Row::new(Method::GET, "/sessions", || web::get().to(sessions::list), sessions::list_docs),
    Row::new(Method::DELETE, "/sessions/{sid}", || web::delete().to(sessions::end), sessions::end_docs),
    Row::new(Method::POST, "/signout", || web::post().to(sessions::sign_out), sessions::sign_out_docs),
];

/// For services that verify tokens, at the root of the issuer's URL.
#[rustfmt::skip]
const WELL_KNOWN: &[Row] = &[
    Row::new(Method::GET, keys::KEY_SET, || web::get().to(keys::jwks), keys::jwks_docs),
    Row::new(Method::GET, "/.well-known/openid-configuration", || web::get().to(keys::configuration), keys::configuration_docs),
    Row::new(Method::GET, "/.well-known/revocations", || web::get().to(revocations::revocations), revocations::revocations_docs).without_deadline(),
];

/// For orchestrators.
#[rustfmt::skip]
const HEALTH: &[Row] = &[
    Row::new(Method::GET, "/health/live", || web::get().to(health::live), health::live_docs).without_deadline(),
    Row::new(Method::GET, "/health/ready", || web::get().to(health::ready), health::ready_docs),
];

/// The API described by itself.
#[rustfmt::skip]
const DOCUMENTS: &[Row] = &[
    Row::new(Method::GET, "/openapi.json", || web::get().to(documents::json), documents::json_docs).without_deadline(),
    Row::new(Method::GET, "/docs", || web::get().to(documents::page), documents::page_docs).without_deadline(),
];

/// What the document says, in the order in which a reader wants it.
pub(crate) fn documented() -> Vec<Documented> {
    let rows = |base: &'static str, rows: &'static [Row]| {
        rows.iter().map(move |row| Documented {
            method: row.method.clone(),
            path: format!("{base}{}", row.path),
            is_private: base == BASE,
            operation: (row.describe)().limited_by(row.limits),
        })
    };
    rows(BASE, ACCOUNT)
        .chain(rows("", WELL_KNOWN))
        .chain(rows("", HEALTH))
        .chain(rows("", DOCUMENTS))
        .collect()
}

/// The account API below [`BASE`], with all that its handlers use.
pub fn api(services: &Services) -> impl HttpServiceFactory + 'static {
    let layers = &services.layers;
    web::scope(BASE)
        .configure(|config| services.register(config))
        .wrap(DefaultHeaders::new().add((header::CACHE_CONTROL, "no-store")))
        .wrap(layers.origins.layer())
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .configure(|config| {
            for resource in resources(ACCOUNT, layers) {
                config.service(resource);
            }
        })
        .default_service(web::to(nothing_here))
}

/// What other services look for outside the base.
pub fn well_known(config: &mut web::ServiceConfig, services: &Services) {
    let layers = &services.layers;
    for resource in resources(WELL_KNOWN, layers) {
        config.service(
            resource
                .app_data(services.discovery.clone())
                .app_data(services.feed.clone())
                .wrap(layers.origins.layer())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// The API described by itself.
pub fn description(config: &mut web::ServiceConfig, layers: &Layers) {
    let described = web::Data::new(Documents::new(documented));
    for resource in resources(DOCUMENTS, layers) {
        config.service(
            resource
                .app_data(described.clone())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// What orchestrators ask.
pub fn health_checks(config: &mut web::ServiceConfig, services: &Services) {
    let layers = &services.layers;
    for resource in resources(HEALTH, layers) {
        config.service(
            resource
                .app_data(services.dependencies.clone())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// What is answered at every other path.
pub fn nothing_else(config: &mut web::ServiceConfig) {
    config.default_service(web::to(nothing_here));
}

/// What the listener for operators has.
pub fn metrics(config: &mut web::ServiceConfig) {
    config
        .service(only("/metrics", "GET".to_owned()).route(web::get().to(health::metrics)))
        .configure(nothing_else);
}

/// The rows by their paths. A path answers 405 to other methods than its own.
fn resources(
    rows: &'static [Row],
    layers: &Layers,
) -> impl Iterator<
    Item = Resource<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + 'static>,
            Error = Error,
            InitError = (),
        > + 'static,
    >,
> {
    let deadline = layers.limit;
    let is_first = |&(index, row): &(usize, &'static Row)| {
        rows.iter().position(|other| other.path == row.path) == Some(index)
    };
    rows.iter()
        .enumerate()
        .filter(is_first)
        .map(move |(_, first)| {
            let same = || rows.iter().filter(|row| row.path == first.path);
            let allowed: Vec<&str> = same().map(|row| row.method.as_str()).collect();
            let limits = first.limits;
            let mut resource = only(first.path, allowed.join(", "));
            for row in same() {
                let route = (row.handler)();
                resource = resource.route(if row.has_deadline {
                    within(deadline, route)
                } else {
                    route
                });
            }
            resource.wrap(Condition::new(
                !limits.is_empty(),
                from_fn(move |request, next| with_policy(limits, request, next)),
            ))
        })
}

/// A resource that answers 405 to other methods than its own.
fn only(path: &'static str, allow: String) -> Resource {
    web::resource(path).default_service(web::to(move || {
        let problem = Problem::method_not_allowed(allow.clone());
        async move { Err::<HttpResponse, _>(problem) }
    }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}

//! The table of routes: each operation once, with its method, path, handler, limits and documentation. The router and the OpenAPI
//! document are both made from it. Pages are in it, too, and not in the document.

use crate::{
    BASE, Layers, Services, accounts,
    documents::{self, Documents},
    email, health, keys,
    kit::{
        cors,
        deadline::within,
        openapi::{Documented, Operation},
        problem::Problem,
        rate_limit::with_policy,
    },
    pages, recovery, revocations, sessions,
};
use actix_web::{
    Error, HttpResponse, Resource, Route,
    body::MessageBody,
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::{Method, header},
    middleware::{Condition, DefaultHeaders, from_fn},
    web,
};
use revolve_domain::limits::LimitName;
use std::sync::LazyLock;

/// One operation. Where GET is, HEAD is answered by the same handler.
pub(crate) struct RouteRow {
    method: Method,
    path: &'static str,
    handler: fn() -> Route,
    /// `None`: it is not in the document.
    describe: Option<fn() -> Operation>,
    limits: &'static [LimitName],
    has_deadline: bool,
}

impl RouteRow {
    const fn new(
        method: Method,
        path: &'static str,
        handler: fn() -> Route,
        describe: fn() -> Operation,
    ) -> Self {
        let mut row = Self::undescribed(method, path, handler);
        row.describe = Some(describe);
        row
    }

    const fn undescribed(method: Method, path: &'static str, handler: fn() -> Route) -> Self {
        Self {
            method,
            path,
            handler,
            describe: None,
            limits: &[],
            has_deadline: true,
        }
    }

    /// Names these limits in every answer and in the document; the use case enforces them.
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
const ACCOUNT: &[RouteRow] = &[
    RouteRow::new(Method::POST, "/signup", || web::to(accounts::sign_up), accounts::sign_up_docs).limited(LimitName::SIGN_UP),
    RouteRow::new(Method::POST, "/signup/confirm", || web::to(accounts::confirm), accounts::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/signin", || web::to(accounts::sign_in), accounts::sign_in_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/signin/code", || web::to(accounts::request_code), accounts::request_code_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/signin/code/confirm", || web::to(accounts::sign_in_by_code), accounts::sign_in_by_code_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/recovery", || web::to(recovery::request), recovery::request_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/recovery/confirm", || web::to(recovery::confirm), recovery::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/tokens", || web::to(sessions::refresh), sessions::refresh_docs).limited(LimitName::REFRESH),
    RouteRow::new(Method::GET, "/me", || web::to(accounts::me), accounts::me_docs),
    RouteRow::new(Method::PUT, "/details", || web::to(accounts::details), accounts::details_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/email/verify", || web::to(email::verify), email::verify_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/email/confirm", || web::to(email::confirm), email::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/email/disown", || web::to(email::disown), email::disown_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/email/undo/confirm", || web::to(recovery::undo), recovery::undo_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::PUT, "/password", || web::to(accounts::change_password), accounts::change_password_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/reauthenticate", || web::to(accounts::reauthenticate), accounts::reauthenticate_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::DELETE, "/me", || web::to(accounts::delete), accounts::delete_docs),
    RouteRow::new(Method::GET, "/activity", || web::to(accounts::activity), accounts::activity_docs),
    RouteRow::new(Method::GET, "/sessions", || web::to(sessions::list), sessions::list_docs),
    RouteRow::new(Method::DELETE, "/sessions/{sid}", || web::to(sessions::end), sessions::end_docs),
    RouteRow::new(Method::POST, "/signout", || web::to(sessions::sign_out), sessions::sign_out_docs),
];

/// For services that verify tokens, at the root of the issuer's URL.
#[rustfmt::skip]
const WELL_KNOWN: &[RouteRow] = &[
    RouteRow::new(Method::GET, keys::KEY_SET, || web::to(keys::jwks), keys::jwks_docs),
    RouteRow::new(Method::GET, "/.well-known/openid-configuration", || web::to(keys::configuration), keys::configuration_docs),
    RouteRow::new(Method::GET, "/.well-known/revocations", || web::to(revocations::revocations), revocations::revocations_docs).without_deadline(),
];

/// For orchestrators.
#[rustfmt::skip]
const HEALTH: &[RouteRow] = &[
    RouteRow::new(Method::GET, "/health/live", || web::to(health::live), health::live_docs).without_deadline(),
    RouteRow::new(Method::GET, "/health/ready", || web::to(health::ready), health::ready_docs),
];

/// The API described by itself.
#[rustfmt::skip]
const DOCUMENTS: &[RouteRow] = &[
    RouteRow::new(Method::GET, "/openapi.json", || web::to(documents::json), documents::json_docs).without_deadline(),
    RouteRow::new(Method::GET, "/docs", || web::to(documents::page), documents::page_docs).without_deadline(),
];

/// A page, and what its form does.
const fn page(path: &'static str, show: fn() -> Route, submit: fn() -> Route) -> [RouteRow; 2] {
    [
        RouteRow::undescribed(Method::GET, path, show).limited(LimitName::CONFIRMATIONS),
        RouteRow::undescribed(Method::POST, path, submit).limited(LimitName::CONFIRMATIONS),
    ]
}

/// For people, below [`pages::BASE`]. They are not in the document: a page is the only client of its form, whose fields are no contract.
#[rustfmt::skip]
const PAGES: &[[RouteRow; 2]] = &[
    page("/signup/confirm", || web::to(pages::confirm_sign_up::show), || web::to(pages::confirm_sign_up::submit)),
    page("/recovery", || web::to(pages::recovery::show), || web::to(pages::recovery::submit)),
    page("/email/confirm", || web::to(pages::confirm_email::show), || web::to(pages::confirm_email::submit)),
    page("/email/change", || web::to(pages::change_email::show), || web::to(pages::change_email::submit)),
    page("/email/undo", || web::to(pages::undo_email::show), || web::to(pages::undo_email::submit)),
    page("/email/disown", || web::to(pages::disown_email::show), || web::to(pages::disown_email::submit)),
];

/// What pages load.
const ASSETS: &[RouteRow] =
    &[
        RouteRow::undescribed(Method::GET, "/style.css", || web::to(pages::style))
            .without_deadline(),
    ];

/// What the document says, in the order in which a reader wants it.
pub(crate) fn documented() -> Vec<Documented> {
    let rows = |base: &'static str, rows: &'static [RouteRow]| {
        rows.iter().filter_map(move |row| {
            Some(Documented {
                method: row.method.clone(),
                path: format!("{base}{}", row.path),
                is_private: base == BASE,
                operation: (row.describe?)().limited_by(row.limits),
            })
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

/// The pages, unless they are switched off.
pub fn account_pages(config: &mut web::ServiceConfig, services: &Services) {
    let Some(settings) = services.pages.clone() else {
        return;
    };
    let layers = &services.layers;
    let registered = settings.clone();
    let scope = web::scope(pages::BASE)
        .configure(|config| services.register(config))
        .app_data(registered)
        .wrap(from_fn(move |request, next| {
            pages::layer(settings.clone(), request, next)
        }))
        .wrap(DefaultHeaders::new().add((header::CONTENT_SECURITY_POLICY, pages::POLICY)))
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .configure(|config| {
            for resource in resources(PAGES.as_flattened(), layers).chain(resources(ASSETS, layers))
            {
                config.service(resource);
            }
        })
        .default_service(web::to(nothing_here));
    config.service(scope);
}

/// What other services look for outside the base.
pub fn well_known(config: &mut web::ServiceConfig, services: &Services) {
    let layers = &services.layers;
    for resource in resources(WELL_KNOWN, layers) {
        config.service(
            resource
                .app_data(services.discovery.clone())
                .app_data(services.feed.clone())
                .app_data(services.proxies.clone())
                .app_data(services.rates.clone())
                .wrap(cors::published())
                .wrap(cors::readable_by_all())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// The API described by itself.
pub fn description(config: &mut web::ServiceConfig, layers: &Layers) {
    // Once for all workers.
    static DESCRIBED: LazyLock<web::Data<Documents>> =
        LazyLock::new(|| web::Data::new(Documents::new(documented)));
    for resource in resources(DOCUMENTS, layers) {
        config.service(
            resource
                .app_data(DESCRIBED.clone())
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
        .service(
            only("/metrics", allowed(&Method::GET))
                .route(answering(&Method::GET, web::to(health::metrics))),
        )
        .configure(nothing_else);
}

/// The rows by their paths. A path answers 405 to other methods than its own.
fn resources(
    rows: &'static [RouteRow],
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
    let deadline = layers.deadline;
    let is_first = |&(index, row): &(usize, &'static RouteRow)| {
        rows.iter().position(|other| other.path == row.path) == Some(index)
    };
    rows.iter()
        .enumerate()
        .filter(is_first)
        .map(move |(_, first)| {
            let same = || rows.iter().filter(|row| row.path == first.path);
            let limits = first.limits;
            let mut resource = only(first.path, same().flat_map(|row| allowed(&row.method)));
            for row in same() {
                let route = answering(&row.method, (row.handler)());
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

/// The route for a row's method, and for HEAD wherever GET is (RFC 9110 §9.3.2).
fn answering(method: &Method, route: Route) -> Route {
    if method == Method::GET {
        route.guard(guard::Any(guard::Get()).or(guard::Head()))
    } else {
        route.method(method.clone())
    }
}

/// What `Allow` names for a row's method.
fn allowed(method: &Method) -> impl Iterator<Item = &str> {
    let head = (method == Method::GET).then_some("HEAD");
    std::iter::once(method.as_str()).chain(head)
}

/// A resource that answers 405 to other methods than its own.
fn only<'a>(path: &'static str, allowed: impl Iterator<Item = &'a str>) -> Resource {
    let allow = allowed.collect::<Vec<_>>().join(", ");
    web::resource(path).default_service(web::to(move || {
        let problem = Problem::method_not_allowed(allow.clone());
        async move { Err::<HttpResponse, _>(problem) }
    }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A resource names its limits on every answer, that of a wrong method, too.
    #[test]
    fn the_rows_of_a_path_have_the_same_limits() {
        let tables = [
            ACCOUNT,
            WELL_KNOWN,
            HEALTH,
            DOCUMENTS,
            PAGES.as_flattened(),
            ASSETS,
        ];
        for (row, other) in tables.iter().flat_map(|rows| {
            rows.iter()
                .flat_map(|row| rows.iter().map(move |other| (row, other)))
        }) {
            assert!(
                row.path != other.path || row.limits == other.limits,
                "{}",
                row.path
            );
        }
    }
}

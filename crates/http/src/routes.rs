//! The table of routes: each operation once, with its method, path, handler, limits and documentation. The router and the OpenAPI
//! document are both made from it. Pages are in it, too, and not in the document.

use crate::{
    ADMIN_BASE, AdminServices, BASE, Layers, Services, accounts, admin,
    documents::{self, Documents},
    email, factors, health, keys,
    kit::{
        cors,
        openapi::{ABOUT_ACCOUNT, ABOUT_ADMIN, Documented},
        route_table::{RouteRow, allowed, answering, nothing_here, only, resources},
    },
    oauth, pages, passkeys, recovery, revocations, sessions,
};
use actix_web::{
    Route,
    dev::HttpServiceFactory,
    http::{Method, header},
    middleware::{DefaultHeaders, from_fn},
    web,
};
use revolve_domain::{limits::LimitName, model::ApiKeyScope};
use std::sync::LazyLock;

/// What a reauthentication counts: passwords and codes.
const REAUTHENTICATION: &[LimitName] = &[
    LimitName::PasswordPerAccount,
    LimitName::PasswordPerAddress,
    LimitName::PasswordPerDevice,
    LimitName::FactorsPerAccount,
    LimitName::FactorsPerDevice,
];

/// Below [`BASE`].
#[rustfmt::skip]
const ACCOUNT: &[RouteRow] = &[
    RouteRow::new(Method::POST, "/signup", || web::to(accounts::sign_up), accounts::sign_up_docs).limited(LimitName::SIGN_UP),
    RouteRow::new(Method::POST, "/signup/confirm", || web::to(accounts::confirm), accounts::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/signup/passkey/options", || web::to(passkeys::sign_up_options), passkeys::sign_up_options_docs).limited(LimitName::CHALLENGES),
    RouteRow::new(Method::POST, "/signin", || web::to(accounts::sign_in), accounts::sign_in_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/signin/code", || web::to(accounts::request_code), accounts::request_code_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/signin/code/confirm", || web::to(accounts::sign_in_by_code), accounts::sign_in_by_code_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/signin/factor", || web::to(factors::sign_in), factors::sign_in_docs).limited(LimitName::FACTORS),
    RouteRow::new(Method::POST, "/signin/passkey/options", || web::to(passkeys::sign_in_options), passkeys::sign_in_options_docs).limited(LimitName::CHALLENGES),
    RouteRow::new(Method::POST, "/signin/passkey", || web::to(passkeys::sign_in), passkeys::sign_in_docs).limited(LimitName::FACTORS),
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
    RouteRow::new(Method::POST, "/reauthenticate", || web::to(accounts::reauthenticate), accounts::reauthenticate_docs).limited(REAUTHENTICATION),
    RouteRow::new(Method::POST, "/reauthenticate/passkey/options", || web::to(accounts::begin_passkey), accounts::begin_passkey_docs),
    RouteRow::new(Method::GET, "/factors", || web::to(factors::list), factors::list_docs),
    RouteRow::new(Method::POST, "/factors/totp", || web::to(factors::set_up), factors::set_up_docs),
    RouteRow::new(Method::DELETE, "/factors/totp", || web::to(factors::remove), factors::remove_docs),
    RouteRow::new(Method::POST, "/factors/totp/confirm", || web::to(factors::confirm), factors::confirm_docs).limited(LimitName::FACTORS),
    RouteRow::new(Method::POST, "/factors/recovery-codes", || web::to(factors::replace), factors::replace_docs),
    RouteRow::new(Method::DELETE, "/factors/reset", || web::to(factors::stop), factors::stop_docs),
    RouteRow::new(Method::POST, "/factors/reset/stop", || web::to(factors::stop_by_proof), factors::stop_by_proof_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/passkeys/options", || web::to(passkeys::options), passkeys::options_docs),
    RouteRow::new(Method::POST, "/passkeys", || web::to(passkeys::add), passkeys::add_docs),
    RouteRow::new(Method::GET, "/passkeys", || web::to(passkeys::list), passkeys::list_docs),
    RouteRow::new(Method::PUT, "/passkeys/{id}", || web::to(passkeys::rename), passkeys::rename_docs),
    RouteRow::new(Method::DELETE, "/passkeys/{id}", || web::to(passkeys::remove), passkeys::remove_docs),
    RouteRow::new(Method::DELETE, "/me", || web::to(accounts::delete), accounts::delete_docs),
    RouteRow::new(Method::GET, "/export", || web::to(accounts::export), accounts::export_docs).limited(LimitName::EXPORTS),
    RouteRow::new(Method::GET, "/activity", || web::to(accounts::activity), accounts::activity_docs),
    RouteRow::new(Method::GET, "/sessions", || web::to(sessions::list), sessions::list_docs),
    RouteRow::new(Method::DELETE, "/sessions/{sid}", || web::to(sessions::end), sessions::end_docs),
    RouteRow::new(Method::POST, "/signout", || web::to(sessions::sign_out), sessions::sign_out_docs),
];

/// For OAuth clients, at the root of the issuer's URL.
#[rustfmt::skip]
const OAUTH: &[RouteRow] = &[
    RouteRow::new(Method::POST, oauth::TOKEN, || web::to(oauth::token), oauth::token_docs).for_oauth_clients().limited(LimitName::REFRESH),
    RouteRow::new(Method::POST, oauth::REVOKE, || web::to(oauth::revoke), oauth::revoke_docs).for_oauth_clients(),
    RouteRow::admin(Method::POST, oauth::INTROSPECT, ApiKeyScope::TokensIntrospect, || web::to(oauth::introspect), oauth::introspect_docs).for_oauth_clients(),
    RouteRow::new(Method::GET, oauth::USERINFO, || web::to(oauth::userinfo), oauth::userinfo_docs),
    RouteRow::new(Method::POST, oauth::USERINFO, || web::to(oauth::userinfo), oauth::post_userinfo_docs),
];

/// For services that verify tokens, at the root of the issuer's URL.
#[rustfmt::skip]
const WELL_KNOWN: &[RouteRow] = &[
    RouteRow::new(Method::GET, keys::KEY_SET, || web::to(keys::jwks), keys::jwks_docs),
    RouteRow::new(Method::GET, "/.well-known/openid-configuration", || web::to(oauth::configuration), oauth::configuration_docs),
    RouteRow::new(Method::GET, "/.well-known/oauth-authorization-server", || web::to(oauth::configuration), oauth::authorization_server_docs),
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
const fn page(
    path: &'static str,
    limits: &'static [LimitName],
    show: fn() -> Route,
    submit: fn() -> Route,
) -> [RouteRow; 2] {
    [
        RouteRow::undescribed(Method::GET, path, show).limited(limits),
        RouteRow::undescribed(Method::POST, path, submit).limited(limits),
    ]
}

/// For people, below [`pages::BASE`]. They are not in the document: a page is the only client of its form, whose fields are no contract.
#[rustfmt::skip]
const PAGES: &[[RouteRow; 2]] = &[
    page("", LimitName::PROOFS, || web::to(pages::own::home::show), || web::to(pages::own::home::submit)),
    page("/profile", &[], || web::to(pages::own::profile::show), || web::to(pages::own::profile::submit)),
    page("/profile/email", LimitName::PASSWORD, || web::to(pages::own::profile::show_address), || web::to(pages::own::profile::submit_address)),
    page("/password", LimitName::PASSWORD, || web::to(pages::own::password::show), || web::to(pages::own::password::submit)),
    page("/security", &[], || web::to(pages::own::security::show), || web::to(pages::own::security::submit)),
    page("/security/app", LimitName::FACTORS, || web::to(pages::own::security::totp::show), || web::to(pages::own::security::totp::submit)),
    page("/security/passkey", &[], || web::to(pages::own::security::passkey::show), || web::to(pages::own::security::passkey::submit)),
    page("/security/codes", &[], || web::to(pages::own::security::codes::show), || web::to(pages::own::security::codes::submit)),
    page("/security/rename", &[], || web::to(pages::own::security::rename::show), || web::to(pages::own::security::rename::submit)),
    page("/security/remove", &[], || web::to(pages::own::security::remove::show), || web::to(pages::own::security::remove::submit)),
    page("/reauthenticate", REAUTHENTICATION, || web::to(pages::own::reauthenticate::show), || web::to(pages::own::reauthenticate::submit)),
    page("/devices", &[], || web::to(pages::own::devices::show), || web::to(pages::own::devices::submit)),
    page("/export", LimitName::EXPORTS, || web::to(pages::own::export::show), || web::to(pages::own::export::submit)),
    page("/delete", LimitName::PASSWORD, || web::to(pages::own::delete::show), || web::to(pages::own::delete::submit)),
    page("/signout", &[], || web::to(pages::own::sign_out::show), || web::to(pages::own::sign_out::submit)),
    page("/signin", LimitName::PASSWORD, || web::to(pages::entry::sign_in::show), || web::to(pages::entry::sign_in::submit)),
    page("/signin/factor", LimitName::FACTORS, || web::to(pages::entry::second_step::show), || web::to(pages::entry::second_step::submit)),
    page("/signin/code", LimitName::CONFIRMATIONS, || web::to(pages::landing::sign_in_code::show), || web::to(pages::landing::sign_in_code::submit)),
    page("/signup", LimitName::SIGN_UP, || web::to(pages::entry::sign_up::show), || web::to(pages::entry::sign_up::submit)),
    page("/signup/confirm", LimitName::CONFIRMATIONS, || web::to(pages::landing::confirm_sign_up::show), || web::to(pages::landing::confirm_sign_up::submit)),
    page("/recovery", LimitName::CONFIRMATIONS, || web::to(pages::landing::recovery::show), || web::to(pages::landing::recovery::submit)),
    page("/password/choose", LimitName::CONFIRMATIONS, || web::to(pages::landing::choose_password::show), || web::to(pages::landing::choose_password::submit)),
    page("/email/confirm", LimitName::CONFIRMATIONS, || web::to(pages::landing::confirm_email::show), || web::to(pages::landing::confirm_email::submit)),
    page("/email/change", LimitName::CONFIRMATIONS, || web::to(pages::landing::change_email::show), || web::to(pages::landing::change_email::submit)),
    page("/email/undo", LimitName::CONFIRMATIONS, || web::to(pages::landing::undo_email::show), || web::to(pages::landing::undo_email::submit)),
    page("/email/disown", LimitName::CONFIRMATIONS, || web::to(pages::landing::disown_email::show), || web::to(pages::landing::disown_email::submit)),
    page("/factors/keep", LimitName::CONFIRMATIONS, || web::to(pages::landing::keep_factors::show), || web::to(pages::landing::keep_factors::submit)),
];

/// Pages without a form, what pages load, and the challenges that the module for passkeys asks for.
#[rustfmt::skip]
const PAGES_TO_READ: &[RouteRow] = &[
    RouteRow::undescribed(Method::GET, "/", || web::to(pages::own::home::show)),
    RouteRow::undescribed(Method::GET, "/activity", || web::to(pages::own::activity::show)),
    RouteRow::undescribed(Method::POST, "/reauthenticate/options", || web::to(pages::own::reauthenticate::options)),
    RouteRow::undescribed(Method::POST, "/security/passkey/options", || web::to(pages::own::security::passkey::options)),
    RouteRow::undescribed(Method::GET, "/style.css", || web::to(pages::style)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/passkeys.js", || web::to(pages::passkeys)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/icon.svg", || web::to(pages::icon)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/logo", || web::to(pages::logo)).without_deadline(),
];

/// For password managers, at the root of the issuer's URL, where there are pages.
#[rustfmt::skip]
const BESIDE_PAGES: &[RouteRow] = &[
    RouteRow::undescribed(Method::GET, "/.well-known/change-password", || web::to(pages::own::password::lead)).without_deadline(),
];

/// Below [`ADMIN_BASE`], on the listener for operators.
#[rustfmt::skip]
const ADMIN: &[RouteRow] = &[
    RouteRow::admin(Method::GET, "/users", ApiKeyScope::UsersRead, || web::to(admin::list), admin::list_docs),
    RouteRow::admin(Method::POST, "/users", ApiKeyScope::UsersWrite, || web::to(admin::create), admin::create_docs),
    RouteRow::admin(Method::GET, "/users/{uid}", ApiKeyScope::UsersRead, || web::to(admin::find), admin::find_docs),
    RouteRow::admin(Method::PATCH, "/users/{uid}", ApiKeyScope::UsersWrite, || web::to(admin::change), admin::change_docs),
    RouteRow::admin(Method::DELETE, "/users/{uid}", ApiKeyScope::UsersWrite, || web::to(admin::delete), admin::delete_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/disable", ApiKeyScope::UsersWrite, || web::to(admin::disable), admin::disable_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/enable", ApiKeyScope::UsersWrite, || web::to(admin::enable), admin::enable_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/recovery-link", ApiKeyScope::UsersWrite, || web::to(admin::recovery_link), admin::recovery_link_docs),
    RouteRow::admin(Method::GET, "/users/{uid}/sessions", ApiKeyScope::UsersRead, || web::to(admin::sessions), admin::sessions_docs),
    RouteRow::admin(Method::DELETE, "/users/{uid}/sessions/{sid}", ApiKeyScope::SessionsWrite, || web::to(admin::end_session), admin::end_session_docs),
    RouteRow::admin(Method::GET, "/users/{uid}/factors", ApiKeyScope::UsersRead, || web::to(admin::factors), admin::factors_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/factors/reset", ApiKeyScope::UsersWrite, || web::to(admin::reset_factors), admin::reset_factors_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/sign-out", ApiKeyScope::SessionsWrite, || web::to(admin::sign_out), admin::sign_out_docs),
    RouteRow::admin(Method::GET, "/events", ApiKeyScope::EventsRead, || web::to(admin::events), admin::events_docs),
    RouteRow::admin(Method::GET, "/deliveries", ApiKeyScope::DeliveriesRead, || web::to(admin::deliveries), admin::deliveries_docs),
    RouteRow::admin(Method::POST, "/deliveries/{id}/retry", ApiKeyScope::DeliveriesWrite, || web::to(admin::retry), admin::retry_docs),
    RouteRow::admin(Method::GET, "/webhooks", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::list), admin::webhooks::list_docs),
    RouteRow::admin(Method::POST, "/webhooks", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::create), admin::webhooks::create_docs),
    RouteRow::admin(Method::GET, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::find), admin::webhooks::find_docs),
    RouteRow::admin(Method::PATCH, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::change), admin::webhooks::change_docs),
    RouteRow::admin(Method::DELETE, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::delete), admin::webhooks::delete_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/test", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::test), admin::webhooks::test_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/rotate", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::rotate), admin::webhooks::rotate_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/replay", ApiKeyScope::WebhooksWrite, || web::to(admin::webhooks::replay), admin::webhooks::replay_docs),
];

/// What the document of the public listener says, in the order in which a reader wants it.
pub(crate) fn documented() -> Vec<Documented> {
    let private = described(&[(BASE, ACCOUNT), ("", OAUTH)], true);
    let others = described(&[("", WELL_KNOWN), ("", HEALTH), ("", DOCUMENTS)], false);
    private.into_iter().chain(others).collect()
}

/// What the document of the listener for operators says.
pub(crate) fn documented_admin() -> Vec<Documented> {
    let private = described(&[(ADMIN_BASE, ADMIN)], true);
    let others = described(&[("", DOCUMENTS)], false);
    private.into_iter().chain(others).collect()
}

/// `is_private`: no cache may keep an answer.
fn described(tables: &[(&'static str, &'static [RouteRow])], is_private: bool) -> Vec<Documented> {
    let rows = tables.iter().flat_map(|(base, rows)| {
        let documented = move |row: &RouteRow| row.documented(base, is_private);
        rows.iter().filter_map(documented)
    });
    rows.collect()
}

/// The account API below [`BASE`], with all that its handlers use.
pub fn api(services: &Services) -> impl HttpServiceFactory + 'static {
    let layers = &services.layers;
    web::scope(BASE)
        .configure(|config| services.register(config))
        .wrap(DefaultHeaders::new().add((header::CACHE_CONTROL, "no-store")))
        .wrap(cors::shared_with(&layers.origins))
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .configure(|config| {
            for resource in resources(ACCOUNT, layers) {
                config.service(resource);
            }
        })
        .default_service(web::to(nothing_here))
}

/// What discovery names for OAuth clients. Each path is taken by itself: others below `/oauth/` may be the host program's.
pub fn oauth_endpoints(config: &mut web::ServiceConfig, services: &Services) {
    let layers = &services.layers;
    for resource in resources(OAUTH, layers) {
        config.service(
            resource
                .app_data(services.use_cases.clone())
                .app_data(services.admin_use_cases.clone())
                .app_data(services.discovery.clone())
                .app_data(services.cookies.clone())
                .app_data(services.proxies.clone())
                .app_data(services.rates.clone())
                .app_data(services.in_flight.clone())
                // What caches of before `Cache-Control` understand (RFC 6749 §5.1).
                .wrap(DefaultHeaders::new().add((header::PRAGMA, "no-cache")))
                .wrap(cors::shared_with(&layers.origins))
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// The pages, unless they are switched off.
pub fn account_pages(config: &mut web::ServiceConfig, services: &Services) {
    let Some(settings) = services.pages.clone() else {
        return;
    };
    let layers = &services.layers;
    let registered = settings.clone();
    let origins = layers.origins.clone();
    let scope = web::scope(pages::BASE)
        .configure(|config| services.register(config))
        .app_data(registered)
        .wrap(from_fn(move |request, next| {
            pages::layer(settings.clone(), origins.clone(), request, next)
        }))
        .wrap(DefaultHeaders::new().add((header::CONTENT_SECURITY_POLICY, pages::POLICY)))
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .configure(|config| {
            for resource in
                resources(PAGES.as_flattened(), layers).chain(resources(PAGES_TO_READ, layers))
            {
                config.service(resource);
            }
        })
        .default_service(web::to(nothing_here));
    config.service(scope);
    for resource in resources(BESIDE_PAGES, layers) {
        config.service(
            resource
                .app_data(services.proxies.clone())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
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
        LazyLock::new(|| web::Data::new(Documents::new(&ABOUT_ACCOUNT, documented)));
    serve_documents(config, layers, &DESCRIBED);
}

fn serve_documents(
    config: &mut web::ServiceConfig,
    layers: &Layers,
    documents: &web::Data<Documents>,
) {
    for resource in resources(DOCUMENTS, layers) {
        config.service(
            resource
                .app_data(documents.clone())
                .wrap(layers.shield)
                .wrap(layers.watch.clone()),
        );
    }
}

/// The whole of the listener for operators: the admin API below [`ADMIN_BASE`], and its description. No origin's scripts may use it.
pub fn admin_api(config: &mut web::ServiceConfig, services: &AdminServices) {
    static DESCRIBED: LazyLock<web::Data<Documents>> =
        LazyLock::new(|| web::Data::new(Documents::new(&ABOUT_ADMIN, documented_admin)));
    let layers = &services.layers;
    let api = web::scope(ADMIN_BASE)
        .configure(|config| services.register(config))
        .wrap(DefaultHeaders::new().add((header::CACHE_CONTROL, "no-store")))
        .wrap(layers.shield)
        .wrap(layers.watch.clone())
        .configure(|config| {
            for resource in resources(ADMIN, layers) {
                config.service(resource);
            }
        })
        .default_service(web::to(nothing_here));
    config.service(api);
    serve_documents(config, layers, &DESCRIBED);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::route_table::are_limited_by_path;

    #[test]
    fn the_rows_of_a_path_have_the_same_limits() {
        let pages = PAGES.as_flattened();
        for rows in [
            ACCOUNT,
            OAUTH,
            WELL_KNOWN,
            HEALTH,
            DOCUMENTS,
            pages,
            ADMIN,
            PAGES_TO_READ,
            BESIDE_PAGES,
        ] {
            assert!(are_limited_by_path(rows));
        }
    }
}

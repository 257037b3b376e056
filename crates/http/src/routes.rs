//! The table of routes: each operation once, with its method, path, handler, limits and documentation. The router and the OpenAPI
//! document are both made from it. Pages are in it, too, and not in the document.

use crate::{
    ADMIN_BASE, AdminServices, BASE, Layers, Services, accounts, admin,
    documents::{self, Documents},
    email, factors, health, keys,
    kit::{
        cors,
        openapi::{ABOUT_ACCOUNT, ABOUT_ADMIN, Documented},
        route_table::{Handle, RouteRow, allowed, answering, nothing_here, only, resources, to},
    },
    oauth, pages, passkeys, recovery, revocations, sessions,
};
use actix_web::{
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
    RouteRow::new(Method::POST, "/signup", |request| to(accounts::sign_up, request), accounts::sign_up_docs).limited(LimitName::SIGN_UP),
    RouteRow::new(Method::POST, "/signup/confirm", |request| to(accounts::confirm, request), accounts::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/signup/passkey/options", |request| to(passkeys::sign_up_options, request), passkeys::sign_up_options_docs).limited(LimitName::CHALLENGES),
    RouteRow::new(Method::POST, "/signin", |request| to(accounts::sign_in, request), accounts::sign_in_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/signin/code", |request| to(accounts::request_code, request), accounts::request_code_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/signin/code/confirm", |request| to(accounts::sign_in_by_code, request), accounts::sign_in_by_code_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/signin/factor", |request| to(factors::sign_in, request), factors::sign_in_docs).limited(LimitName::FACTORS),
    RouteRow::new(Method::POST, "/signin/passkey/options", |request| to(passkeys::sign_in_options, request), passkeys::sign_in_options_docs).limited(LimitName::CHALLENGES),
    RouteRow::new(Method::POST, "/signin/passkey", |request| to(passkeys::sign_in, request), passkeys::sign_in_docs).limited(LimitName::FACTORS),
    RouteRow::new(Method::POST, "/recovery", |request| to(recovery::request, request), recovery::request_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/recovery/confirm", |request| to(recovery::confirm, request), recovery::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/tokens", |request| to(sessions::refresh, request), sessions::refresh_docs).limited(LimitName::REFRESH),
    RouteRow::new(Method::GET, "/me", |request| to(accounts::me, request), accounts::me_docs),
    RouteRow::new(Method::PUT, "/details", |request| to(accounts::details, request), accounts::details_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/email/verify", |request| to(email::verify, request), email::verify_docs).limited(LimitName::PROOFS),
    RouteRow::new(Method::POST, "/email/confirm", |request| to(email::confirm, request), email::confirm_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/email/disown", |request| to(email::disown, request), email::disown_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/email/undo/confirm", |request| to(recovery::undo, request), recovery::undo_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::PUT, "/password", |request| to(accounts::change_password, request), accounts::change_password_docs).limited(LimitName::PASSWORD),
    RouteRow::new(Method::POST, "/reauthenticate", |request| to(accounts::reauthenticate, request), accounts::reauthenticate_docs).limited(REAUTHENTICATION),
    RouteRow::new(Method::POST, "/reauthenticate/passkey/options", |request| to(accounts::begin_passkey, request), accounts::begin_passkey_docs),
    RouteRow::new(Method::GET, "/factors", |request| to(factors::list, request), factors::list_docs),
    RouteRow::new(Method::POST, "/factors/totp", |request| to(factors::set_up, request), factors::set_up_docs),
    RouteRow::new(Method::DELETE, "/factors/totp", |request| to(factors::remove, request), factors::remove_docs),
    RouteRow::new(Method::POST, "/factors/totp/confirm", |request| to(factors::confirm, request), factors::confirm_docs).limited(LimitName::FACTORS),
    RouteRow::new(Method::POST, "/factors/recovery-codes", |request| to(factors::replace, request), factors::replace_docs),
    RouteRow::new(Method::DELETE, "/factors/reset", |request| to(factors::stop, request), factors::stop_docs),
    RouteRow::new(Method::POST, "/factors/reset/stop", |request| to(factors::stop_by_proof, request), factors::stop_by_proof_docs).limited(LimitName::CONFIRMATIONS),
    RouteRow::new(Method::POST, "/passkeys/options", |request| to(passkeys::options, request), passkeys::options_docs),
    RouteRow::new(Method::POST, "/passkeys", |request| to(passkeys::add, request), passkeys::add_docs),
    RouteRow::new(Method::GET, "/passkeys", |request| to(passkeys::list, request), passkeys::list_docs),
    RouteRow::new(Method::PUT, "/passkeys/{id}", |request| to(passkeys::rename, request), passkeys::rename_docs),
    RouteRow::new(Method::DELETE, "/passkeys/{id}", |request| to(passkeys::remove, request), passkeys::remove_docs),
    RouteRow::new(Method::DELETE, "/me", |request| to(accounts::delete, request), accounts::delete_docs),
    RouteRow::new(Method::GET, "/export", |request| to(accounts::export, request), accounts::export_docs).limited(LimitName::EXPORTS),
    RouteRow::new(Method::GET, "/activity", |request| to(accounts::activity, request), accounts::activity_docs),
    RouteRow::new(Method::GET, "/sessions", |request| to(sessions::list, request), sessions::list_docs),
    RouteRow::new(Method::DELETE, "/sessions/{sid}", |request| to(sessions::end, request), sessions::end_docs),
    RouteRow::new(Method::POST, "/signout", |request| to(sessions::sign_out, request), sessions::sign_out_docs),
];

/// For OAuth clients, at the root of the issuer's URL.
#[rustfmt::skip]
const OAUTH: &[RouteRow] = &[
    RouteRow::new(Method::POST, oauth::TOKEN, |request| to(oauth::token, request), oauth::token_docs).for_oauth_clients().limited(LimitName::REFRESH),
    RouteRow::new(Method::POST, oauth::REVOKE, |request| to(oauth::revoke, request), oauth::revoke_docs).for_oauth_clients(),
    RouteRow::admin(Method::POST, oauth::INTROSPECT, ApiKeyScope::TokensIntrospect, |request| to(oauth::introspect, request), oauth::introspect_docs).for_oauth_clients(),
    RouteRow::new(Method::GET, oauth::USERINFO, |request| to(oauth::userinfo, request), oauth::userinfo_docs),
    RouteRow::new(Method::POST, oauth::USERINFO, |request| to(oauth::userinfo, request), oauth::post_userinfo_docs),
];

/// For services that verify tokens, at the root of the issuer's URL.
#[rustfmt::skip]
const WELL_KNOWN: &[RouteRow] = &[
    RouteRow::new(Method::GET, keys::KEY_SET, |request| to(keys::jwks, request), keys::jwks_docs),
    RouteRow::new(Method::GET, "/.well-known/openid-configuration", |request| to(oauth::configuration, request), oauth::configuration_docs),
    RouteRow::new(Method::GET, "/.well-known/oauth-authorization-server", |request| to(oauth::configuration, request), oauth::authorization_server_docs),
    RouteRow::new(Method::GET, "/.well-known/revocations", |request| to(revocations::revocations, request), revocations::revocations_docs).without_deadline(),
];

/// For orchestrators.
#[rustfmt::skip]
const HEALTH: &[RouteRow] = &[
    RouteRow::new(Method::GET, "/health/live", |request| to(health::live, request), health::live_docs).without_deadline(),
    RouteRow::new(Method::GET, "/health/ready", |request| to(health::ready, request), health::ready_docs),
];

/// The API described by itself.
#[rustfmt::skip]
const DOCUMENTS: &[RouteRow] = &[
    RouteRow::new(Method::GET, "/openapi.json", |request| to(documents::json, request), documents::json_docs).without_deadline(),
    RouteRow::new(Method::GET, "/docs", |request| to(documents::page, request), documents::page_docs).without_deadline(),
];

/// A page, and what its form does.
const fn page(
    path: &'static str,
    limits: &'static [LimitName],
    show: Handle,
    submit: Handle,
) -> [RouteRow; 2] {
    [
        RouteRow::undescribed(Method::GET, path, show).limited(limits),
        RouteRow::undescribed(Method::POST, path, submit).limited(limits),
    ]
}

/// For people, below [`pages::BASE`]. They are not in the document: a page is the only client of its form, whose fields are no contract.
#[rustfmt::skip]
const PAGES: &[[RouteRow; 2]] = &[
    page("", LimitName::PROOFS, |request| to(pages::own::home::show, request), |request| to(pages::own::home::submit, request)),
    page("/profile", &[], |request| to(pages::own::profile::show, request), |request| to(pages::own::profile::submit, request)),
    page("/profile/email", LimitName::PASSWORD, |request| to(pages::own::profile::show_address, request), |request| to(pages::own::profile::submit_address, request)),
    page("/password", LimitName::PASSWORD, |request| to(pages::own::password::show, request), |request| to(pages::own::password::submit, request)),
    page("/security", &[], |request| to(pages::own::security::show, request), |request| to(pages::own::security::submit, request)),
    page("/security/app", LimitName::FACTORS, |request| to(pages::own::security::totp::show, request), |request| to(pages::own::security::totp::submit, request)),
    page("/security/passkey", &[], |request| to(pages::own::security::passkey::show, request), |request| to(pages::own::security::passkey::submit, request)),
    page("/security/codes", &[], |request| to(pages::own::security::codes::show, request), |request| to(pages::own::security::codes::submit, request)),
    page("/security/rename", &[], |request| to(pages::own::security::rename::show, request), |request| to(pages::own::security::rename::submit, request)),
    page("/security/remove", &[], |request| to(pages::own::security::remove::show, request), |request| to(pages::own::security::remove::submit, request)),
    page("/reauthenticate", REAUTHENTICATION, |request| to(pages::own::reauthenticate::show, request), |request| to(pages::own::reauthenticate::submit, request)),
    page("/devices", &[], |request| to(pages::own::devices::show, request), |request| to(pages::own::devices::submit, request)),
    page("/export", LimitName::EXPORTS, |request| to(pages::own::export::show, request), |request| to(pages::own::export::submit, request)),
    page("/delete", LimitName::PASSWORD, |request| to(pages::own::delete::show, request), |request| to(pages::own::delete::submit, request)),
    page("/signout", &[], |request| to(pages::own::sign_out::show, request), |request| to(pages::own::sign_out::submit, request)),
    page("/signin", LimitName::PASSWORD, |request| to(pages::entry::sign_in::show, request), |request| to(pages::entry::sign_in::submit, request)),
    page("/signin/factor", LimitName::FACTORS, |request| to(pages::entry::second_step::show, request), |request| to(pages::entry::second_step::submit, request)),
    page("/signin/code", LimitName::CONFIRMATIONS, |request| to(pages::landing::sign_in_code::show, request), |request| to(pages::landing::sign_in_code::submit, request)),
    page("/signup", LimitName::SIGN_UP, |request| to(pages::entry::sign_up::show, request), |request| to(pages::entry::sign_up::submit, request)),
    page("/signup/confirm", LimitName::CONFIRMATIONS, |request| to(pages::landing::confirm_sign_up::show, request), |request| to(pages::landing::confirm_sign_up::submit, request)),
    page("/recovery", LimitName::CONFIRMATIONS, |request| to(pages::landing::recovery::show, request), |request| to(pages::landing::recovery::submit, request)),
    page("/password/choose", LimitName::CONFIRMATIONS, |request| to(pages::landing::choose_password::show, request), |request| to(pages::landing::choose_password::submit, request)),
    page("/email/confirm", LimitName::CONFIRMATIONS, |request| to(pages::landing::confirm_email::show, request), |request| to(pages::landing::confirm_email::submit, request)),
    page("/email/change", LimitName::CONFIRMATIONS, |request| to(pages::landing::change_email::show, request), |request| to(pages::landing::change_email::submit, request)),
    page("/email/undo", LimitName::CONFIRMATIONS, |request| to(pages::landing::undo_email::show, request), |request| to(pages::landing::undo_email::submit, request)),
    page("/email/disown", LimitName::CONFIRMATIONS, |request| to(pages::landing::disown_email::show, request), |request| to(pages::landing::disown_email::submit, request)),
    page("/factors/keep", LimitName::CONFIRMATIONS, |request| to(pages::landing::keep_factors::show, request), |request| to(pages::landing::keep_factors::submit, request)),
];

/// Pages without a form, what pages load, and the challenges that the module for passkeys asks for.
#[rustfmt::skip]
const PAGES_TO_READ: &[RouteRow] = &[
    RouteRow::undescribed(Method::GET, "/", |request| to(pages::own::home::show, request)),
    RouteRow::undescribed(Method::GET, "/activity", |request| to(pages::own::activity::show, request)),
    RouteRow::undescribed(Method::POST, "/reauthenticate/options", |request| to(pages::own::reauthenticate::options, request)),
    RouteRow::undescribed(Method::POST, "/security/passkey/options", |request| to(pages::own::security::passkey::options, request)),
    RouteRow::undescribed(Method::GET, "/style.css", |request| to(pages::style, request)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/passkeys.js", |request| to(pages::passkeys, request)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/icon.svg", |request| to(pages::icon, request)).without_deadline(),
    RouteRow::undescribed(Method::GET, "/logo", |request| to(pages::logo, request)).without_deadline(),
];

/// For password managers, at the root of the issuer's URL, where there are pages.
#[rustfmt::skip]
const BESIDE_PAGES: &[RouteRow] = &[
    RouteRow::undescribed(Method::GET, "/.well-known/change-password", |request| to(pages::own::password::lead, request)).without_deadline(),
];

/// Below [`ADMIN_BASE`], on the listener for operators.
#[rustfmt::skip]
const ADMIN: &[RouteRow] = &[
    RouteRow::admin(Method::GET, "/users", ApiKeyScope::UsersRead, |request| to(admin::list, request), admin::list_docs),
    RouteRow::admin(Method::POST, "/users", ApiKeyScope::UsersWrite, |request| to(admin::create, request), admin::create_docs),
    RouteRow::admin(Method::GET, "/users/{uid}", ApiKeyScope::UsersRead, |request| to(admin::find, request), admin::find_docs),
    RouteRow::admin(Method::PATCH, "/users/{uid}", ApiKeyScope::UsersWrite, |request| to(admin::change, request), admin::change_docs),
    RouteRow::admin(Method::DELETE, "/users/{uid}", ApiKeyScope::UsersWrite, |request| to(admin::delete, request), admin::delete_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/disable", ApiKeyScope::UsersWrite, |request| to(admin::disable, request), admin::disable_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/enable", ApiKeyScope::UsersWrite, |request| to(admin::enable, request), admin::enable_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/recovery-link", ApiKeyScope::UsersWrite, |request| to(admin::recovery_link, request), admin::recovery_link_docs),
    RouteRow::admin(Method::GET, "/users/{uid}/sessions", ApiKeyScope::UsersRead, |request| to(admin::sessions, request), admin::sessions_docs),
    RouteRow::admin(Method::DELETE, "/users/{uid}/sessions/{sid}", ApiKeyScope::SessionsWrite, |request| to(admin::end_session, request), admin::end_session_docs),
    RouteRow::admin(Method::GET, "/users/{uid}/factors", ApiKeyScope::UsersRead, |request| to(admin::factors, request), admin::factors_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/factors/reset", ApiKeyScope::UsersWrite, |request| to(admin::reset_factors, request), admin::reset_factors_docs),
    RouteRow::admin(Method::POST, "/users/{uid}/sign-out", ApiKeyScope::SessionsWrite, |request| to(admin::sign_out, request), admin::sign_out_docs),
    RouteRow::admin(Method::GET, "/events", ApiKeyScope::EventsRead, |request| to(admin::events, request), admin::events_docs),
    RouteRow::admin(Method::GET, "/deliveries", ApiKeyScope::DeliveriesRead, |request| to(admin::deliveries, request), admin::deliveries_docs),
    RouteRow::admin(Method::POST, "/deliveries/{id}/retry", ApiKeyScope::DeliveriesWrite, |request| to(admin::retry, request), admin::retry_docs),
    RouteRow::admin(Method::GET, "/webhooks", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::list, request), admin::webhooks::list_docs),
    RouteRow::admin(Method::POST, "/webhooks", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::create, request), admin::webhooks::create_docs),
    RouteRow::admin(Method::GET, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::find, request), admin::webhooks::find_docs),
    RouteRow::admin(Method::PATCH, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::change, request), admin::webhooks::change_docs),
    RouteRow::admin(Method::DELETE, "/webhooks/{id}", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::delete, request), admin::webhooks::delete_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/test", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::test, request), admin::webhooks::test_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/rotate", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::rotate, request), admin::webhooks::rotate_docs),
    RouteRow::admin(Method::POST, "/webhooks/{id}/replay", ApiKeyScope::WebhooksWrite, |request| to(admin::webhooks::replay, request), admin::webhooks::replay_docs),
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

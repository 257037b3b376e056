//! All operations, put together.

use super::{
    operation::{self, API_KEY, API_KEY_BASIC, DEVICE_COOKIE, ID_TOKEN, TOKEN_COOKIE},
    response,
};
use crate::kit::problem::{Document, FieldProblem};
use actix_web::http::Method;
use std::{collections::BTreeMap, mem};
use utoipa::{
    ToSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
        Server,
        header::HeaderBuilder,
        path::{HttpMethod, Operation, PathItem, Paths},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

/// An API: what it is, how its callers authenticate, and its parts.
pub(crate) struct AboutApi {
    title: &'static str,
    description: &'static str,
    security: fn(&mut Components),
    /// Each with a sentence, in the order of the page.
    tags: &'static [(&'static str, &'static str)],
}

/// The API of the public listener.
pub(crate) const ABOUT_ACCOUNT: AboutApi = AboutApi {
    title: "Revolve",
    description: "An account service: people sign up and sign in, services verify short-lived ID tokens by public key, and a refresh \
                     token buys the next pair until the session ends.\n\nBodies are JSON objects of at most 16 KiB, read strictly: a \
                     member that is not described here is refused. Whatever is not carried out is answered with a problem document \
                     (RFC 9457) whose `code` is stable; a 4xx changes nothing, but for `factor_required`, with which a sign-in goes on. Another path is answered with 404 `not_found`, another \
                     method with 405 `method_not_allowed` and `Allow`. HEAD is answered wherever GET is, and not listed here. An \
                     empty body needs no `Content-Type`. 503 and 429 name in `Retry-After` when to try again: keep your \
                     tokens meanwhile.\n\nBelow `/oauth/` everything is as OAuth clients know it: bodies are forms, and errors are objects of RFC 6749 \
                     with the same stable `code` beside `error`.\n\n`/metrics` for operators is on a listener of its own (`http.metrics_listen`) and no part of this.",
    security: for_accounts,
    tags: &[
        (
            "account",
            "Signing up and in, refreshing, and the account itself.",
        ),
        (
            "factors",
            "What proves who a user is besides a password: authenticator apps and recovery codes, and the second step of a sign-in.",
        ),
        (
            "passkeys",
            "Signing in and up with passkeys, and those of an account.",
        ),
        ("sessions", "Seeing one's sessions and ending them."),
        (
            "oauth",
            "For OAuth clients and OpenID Connect libraries, at the root of the issuer's URL.",
        ),
        ("verification", "For services that verify ID tokens."),
        ("health", "For orchestrators."),
        ("documents", "This description."),
    ],
};

/// The API of the listener for operators.
pub(crate) const ABOUT_ADMIN: AboutApi = AboutApi {
    title: "Revolve admin",
    description: "The admin API, for support staff and back-office programs: find, make, change and watch accounts. It is on a listener of its \
                  own (`http.admin_listen`), never on the public one.\n\nEach request shows an API key: `Authorization: Bearer rvk…`, made by \
                  `revolve api-keys create`. Each operation names the scope that its key needs; the journal names the key with every change. \
                  Bodies are JSON objects, read strictly, and so are queries: a member or a parameter that is not described here is refused. \
                  Whatever is not carried out is answered with a problem document (RFC 9457) whose `code` is stable; a 4xx changes nothing. \
                  Lists are read page by page: `next` of a page is `after` of the following one.",
    security: for_operators,
    tags: &[
        ("users", "Finding, making and changing accounts."),
        (
            "sessions",
            "Seeing the sessions of an account and ending them.",
        ),
        (
            "factors",
            "Seeing the factors of an account and resetting them.",
        ),
        ("events", "What happened."),
        ("deliveries", "Mails on their way."),
        (
            "webhooks",
            "Endpoints of your programs that are sent what happens.",
        ),
        ("documents", "This description."),
    ],
};

/// An operation where it is.
pub(crate) struct Documented {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// No cache may keep an answer.
    pub(crate) is_private: bool,
    pub(crate) operation: operation::Operation,
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The document of these operations, in their order.
pub(crate) fn document(about: &AboutApi, operations: Vec<Documented>) -> OpenApi {
    let mut components = shared();
    (about.security)(&mut components);
    let mut placed = Vec::new();
    for Documented {
        method,
        path,
        is_private,
        operation,
    } in operations
    {
        let (mut operation, schemas) = operation.build();
        if is_private {
            operation
                .responses
                .responses
                .values_mut()
                .for_each(not_kept);
        }
        components.schemas.extend(schemas);
        placed.push((http_method(&method), path, operation));
    }
    let operations = placed.iter_mut().map(|(_, _, operation)| operation);
    components.responses.extend(say_once(operations.collect()));
    let mut paths = Paths::new();
    for (method, path, operation) in placed {
        let item = PathItem::new(method, operation);
        match paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(path, item)),
        }
    }
    let license = LicenseBuilder::new()
        .name("MIT or Apache-2.0")
        .identifier(Some(env!("CARGO_PKG_LICENSE")))
        .build();
    let info = InfoBuilder::new()
        .title(about.title)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about.description))
        .license(Some(license));
    let api = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([Server::new("/")]))
        .paths(paths);
    let tags = about.tags.iter().map(|(name, description)| {
        TagBuilder::new()
            .name(*name)
            .description(Some(*description))
            .build()
    });
    api.components(Some(components))
        .tags(Some(tags.collect::<Vec<_>>()))
        .build()
}

/// Takes out what several operations answer alike, under the name of the first of them and the status; each refers to it instead.
fn say_once(operations: Vec<&mut Operation>) -> BTreeMap<String, RefOr<Response>> {
    let mut same: BTreeMap<String, Vec<(String, &mut RefOr<Response>)>> = BTreeMap::new();
    for operation in operations {
        let Some(id) = &operation.operation_id else {
            continue;
        };
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(said) = response
                && let Ok(said) = serde_json::to_string(said)
            {
                let name = format!("{id}.{status}");
                same.entry(said).or_default().push((name, response));
            }
        }
    }
    let mut taken = BTreeMap::new();
    for places in same.into_values().filter(|places| places.len() > 1) {
        let name = places[0].0.clone();
        for (_, place) in places {
            let reference = RefOr::Ref(Ref::from_response_name(&name));
            taken.insert(name.clone(), mem::replace(place, reference));
        }
    }
    taken
}

/// What is below the base is never kept by a cache.
fn not_kept(response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response {
        let header = HeaderBuilder::new()
            .description(Some("Caches must not store it."))
            .example(Some("no-store".into()));
        response.headers.insert(
            "Cache-Control".to_owned(),
            RefOr::T(header.extensions(Some(response::always())).build()),
        );
    }
}

fn shared() -> Components {
    let mut components = Components::new();
    let mut schemas = Vec::new();
    Document::schemas(&mut schemas);
    FieldProblem::schemas(&mut schemas);
    schemas.push((
        Document::name().into_owned(),
        <Document as utoipa::PartialSchema>::schema(),
    ));
    components.schemas.extend(schemas);
    components
        .responses
        .extend(response::shared().map(|(name, response)| (name.to_owned(), RefOr::T(response))));
    components
}

fn for_accounts(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT");
    let bearer = bearer
        .description(Some(
            "`tokens.idToken` of a sign-up, a sign-in or a refresh.",
        ))
        .build();
    components.add_security_scheme(ID_TOKEN, SecurityScheme::Http(bearer));
    let cookie = "The device credential of a browser, set by a sign-up or a sign-in. The end of its name is the installation's; over https \
                  the name begins with `__Host-`. Clients other than browsers send the header `Revolve-Device` instead, which goes before the cookie.";
    let cookie = ApiKeyValue::with_description("revolve-device-hH3v0vYq1bJt", cookie);
    components.add_security_scheme(
        DEVICE_COOKIE,
        SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
    );
    for_operators(components);
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "The API key as the password, with any name; both are encoded as in a form before (RFC 6749 §2.3.1).",
        ));
    components.add_security_scheme(API_KEY_BASIC, SecurityScheme::Http(key.build()));
    let cookie = "The refresh token of a browser that asked for it with `Revolve-Tokens: cookie`. It counts beside that header only. The name ends as \
                  that header says.";
    let cookie = ApiKeyValue::with_description("revolve-refresh-hH3v0vYq1bJt", cookie);
    components.add_security_scheme(TOKEN_COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
}

fn for_operators(components: &mut Components) {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("rvk_…")
        .description(Some(
            "An API key, as `revolve api-keys create` has printed it.",
        ));
    components.add_security_scheme(API_KEY, SecurityScheme::Http(key.build()));
}

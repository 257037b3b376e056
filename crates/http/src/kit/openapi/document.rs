//! All operations, put together.

use super::{
    operation::{DEVICE_COOKIE, ID_TOKEN, Operation},
    response,
};
use crate::kit::problem::{Document, FieldProblem};
use actix_web::http::Method;
use utoipa::{
    ToSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, RefOr, Response, Server,
        header::HeaderBuilder,
        path::{HttpMethod, PathItem, Paths},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::{Tag, TagBuilder},
    },
};

const ABOUT: &str = "An account service: people sign up and sign in, services verify short-lived ID tokens by public key, and a refresh \
                     token buys the next pair until the session ends.\n\nBodies are JSON objects of at most 16 KiB, read strictly: a \
                     member that is not described here is refused. Whatever is not carried out is answered with a problem document \
                     (RFC 9457) whose `code` is stable; a 4xx changes nothing. Another path is answered with 404 `not_found`, another \
                     method with 405 `method_not_allowed` and `Allow`. HEAD is answered wherever GET is, and not listed here. An \
                     empty body needs no `Content-Type`. 503 and 429 name in `Retry-After` when to try again: keep your \
                     tokens meanwhile.\n\n`/metrics` for operators is on a listener of its own (`http.metrics_listen`) and no part of this.";

/// An operation where it is.
pub(crate) struct Documented {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// No cache may keep an answer.
    pub(crate) is_private: bool,
    pub(crate) operation: Operation,
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
pub(crate) fn document(operations: Vec<Documented>) -> OpenApi {
    let mut components = shared();
    let mut paths = Paths::new();
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
        let item = PathItem::new(http_method(&method), operation);
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
        .title("Revolve")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license));
    let api = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([Server::new("/")]))
        .paths(paths);
    api.components(Some(components)).tags(Some(tags())).build()
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
    components
}

fn tags() -> [Tag; 5] {
    let tag = |name: &str, description: &str| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    };
    [
        tag(
            "account",
            "Signing up and in, refreshing, and the account itself.",
        ),
        tag("sessions", "Seeing one's sessions and ending them."),
        tag("verification", "For services that verify ID tokens."),
        tag("health", "For orchestrators."),
        tag("documents", "This description."),
    ]
}

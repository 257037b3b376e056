//! The members of an account in request bodies.

use crate::kit::{
    body::Body,
    openapi::{Member, label, language, schema_of, web_url},
};
use revolve_domain::model::{
    AppData, DetailsChange, FieldError, Label, Locale, Role, Roles, WebUrl,
};
use serde_json::{Map, Value, json};

/// Name, links and language, each of which may be null.
pub(super) fn details(body: &mut Body) -> DetailsChange {
    DetailsChange {
        name: body.nullable("name", Label::parse),
        website: body.nullable("website", WebUrl::parse),
        image_url: body.nullable("imageUrl", WebUrl::parse_public),
        locale: body.nullable("locale", |tag| Ok(tag.parse::<Locale>()?)),
        email: None,
    }
}

/// All roles; null is none.
pub(super) fn roles(body: &mut Body) -> Option<Roles> {
    if body.take_null("roles") {
        return Some(Roles::default());
    }
    let roles = body.list("roles", Role::parse)?;
    body.note("roles", Roles::new(roles))
}

/// An object, or null.
#[expect(
    clippy::option_option,
    reason = "missing, null and a value are three things"
)]
pub(super) fn app(body: &mut Body) -> Option<Option<Map<String, Value>>> {
    if body.take_null("app") {
        return Some(None);
    }
    let object = body.any("app", |value| match value {
        Value::Object(object) => Ok(object),
        _ => Err(FieldError::NotAnObject),
    });
    object.map(Some)
}

/// What they are, for the documentation.
pub(super) fn members() -> [Member; 7] {
    let roles = schema_of(json!({
        "type": ["array", "null"],
        "description": "All of its roles; `null` is none. `invalid_role`, `too_many`",
        "maxItems": Roles::MAX,
        "items": { "type": "string", "minLength": 1, "maxLength": Role::MAX, "pattern": "^[a-z0-9:_.-]+$" },
        "examples": [["billing:read"]],
    }));
    let app = schema_of(json!({
        "type": ["object", "null"],
        "description": format!(
            "What applications keep with the account, at most {} bytes as JSON, nested at most {} deep; `null` is nothing. `too_large`, \
             `too_deep`",
            AppData::MAX,
            AppData::MAX_DEPTH
        ),
        "additionalProperties": true,
        "examples": [{ "plan": "pro" }],
    }));
    let verified = schema_of(json!({
        "type": "boolean",
        "description": "Whether its owner is known to read the address.",
        "examples": [true],
    }));
    [
        Member::nullable("name", label("The name to show.", "Ann")),
        Member::nullable("website", web_url("A home page.", "https://example.org/")),
        Member::nullable(
            "imageUrl",
            web_url(
                "A picture. Its host is neither this machine nor in a private network.",
                "https://example.org/ann.png",
            ),
        ),
        Member::nullable("locale", language("The language of the mails.")),
        Member::of("emailVerified", verified),
        Member::of("roles", roles),
        Member::of("app", app),
    ]
}

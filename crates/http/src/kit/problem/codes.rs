//! The codes of field errors, for the documentation. The domain's own are among them, by `FieldError::code`.

use utoipa::openapi::{RefOr, Schema, Type, schema::ObjectBuilder};

/// Each code and what it means.
pub(crate) const FIELD_CODES: [(&str, &str); 25] = [
    ("missing", "The member is needed."),
    ("unknown_field", "There is no such member here."),
    ("wrong_type", "The member has another type."),
    (
        "invalid_choice",
        "The word is none of those that are allowed.",
    ),
    (
        "invalid_id",
        "The member or parameter is no UUID, or the nil or max one where an account gets it.",
    ),
    (
        "invalid_code",
        "The text is no such code: six digits of a mail or an app, or 16 letters and digits of a recovery code.",
    ),
    ("invalid_email", "The text is no e-mail address."),
    (
        "invalid_url",
        "The text is no absolute http or https URL, or names a host that it may not.",
    ),
    ("invalid_locale", "The text is no language tag."),
    (
        "too_short",
        "The text has too few characters; `detail` says how many it needs.",
    ),
    (
        "too_long",
        "The text has too many characters; `detail` says how many it may have.",
    ),
    (
        "control_characters",
        "The text has control characters, invisible ones, or such that change the direction of text.",
    ),
    ("invalid_role", "The text is no role."),
    (
        "target_refused",
        "The URL leads to an address that events must not be sent to; `detail` says why.",
    ),
    (
        "invalid_number",
        "The parameter is no whole number, or out of the range that `detail` says.",
    ),
    ("invalid_instant", "The parameter is no instant (RFC 3339)."),
    (
        "no_time",
        "The time from there on has not begun, or ends before it begins.",
    ),
    (
        "invalid_event",
        "The text can't be the name of an event, or of a group of them.",
    ),
    (
        "invalid_cursor",
        "The parameter is not the `next` of such a page.",
    ),
    ("repeated", "The parameter is there twice."),
    (
        "too_many",
        "There are too many; `detail` says how many there may be.",
    ),
    (
        "too_large",
        "The object is too long as JSON; `detail` says how many bytes it may have.",
    ),
    (
        "too_deep",
        "Arrays and objects are nested too deep; `detail` says how deep they may be.",
    ),
    (
        "too_common",
        "The password is a common one, or follows a common pattern.",
    ),
    (
        "contains_own_details",
        "The password is made of what others know: the address, the name, the device, this service.",
    ),
];

pub(super) fn field_code() -> RefOr<Schema> {
    let codes = FIELD_CODES.map(|(code, _)| code);
    let described = FIELD_CODES
        .map(|(code, meaning)| format!("`{code}`: {meaning}"))
        .join(" ");
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(described))
        .enum_values(Some(codes));
    RefOr::T(Schema::Object(schema.build()))
}

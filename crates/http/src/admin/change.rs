//! `PATCH /users/{uid}`

use super::{
    answer::{account, sample},
    fields, no_account,
};
use crate::{
    accounts::email_taken,
    kit::{
        body::NestedBody,
        key_caller::KeyCaller,
        openapi::{Member, Operation, email},
        path_id::path_id,
        problem::{FieldProblem, Problem},
        use_case::AdminCase,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use revolve_domain::{
    model::{AccountVersion, AppData, AppPatch, DetailsChange, EmailAddress, RolesPatch, UserId},
    use_cases::{AccountPatch, ChangeAccount, ChangeAccountError},
};
use serde_json::json;
use utoipa::openapi::{Type, path::ParameterIn, schema::ObjectBuilder};

/// `PATCH /users/{uid}`
pub(crate) async fn change(
    use_case: AdminCase<ChangeAccount>,
    caller: KeyCaller,
    uid: web::Path<String>,
    http: HttpRequest,
    body: NestedBody,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let expected = expected(&http)?;
    let patch = parse(body)?;
    let user = use_case
        .run(async move |case| case.execute(uid, &patch, expected, caller.actor()).await)
        .await??;
    Ok(account(HttpResponse::Ok(), &user))
}

/// The version that `If-Match` names (RFC 9110 §13.1.1): the tag of one answer, or `*` for any.
fn expected(http: &HttpRequest) -> Result<Option<AccountVersion>, Problem> {
    let mut values = http.headers().get_all(header::IF_MATCH);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if values.next().is_some() {
        return Err(invalid_match());
    }
    if text == "*" {
        return Ok(None);
    }
    let version = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| AccountVersion::new(digits.parse().ok()?));
    version.map(Some).ok_or_else(invalid_match)
}

fn invalid_match() -> Problem {
    Problem::malformed(
        "invalid_if_match",
        "`If-Match` must be the `ETag` of one answer with the account, or `*`.",
    )
}

fn parse(NestedBody { mut body, .. }: NestedBody) -> Result<AccountPatch, Problem> {
    let email = match body.nullable("email", EmailAddress::parse) {
        Some(None) => {
            body.refuse("email", "missing", "can't be removed");
            None
        }
        email => email.flatten(),
    };
    let details = DetailsChange {
        email,
        ..fields::details(&mut body)
    };
    let email_verified = body.flag("emailVerified");
    let roles = fields::roles(&mut body).map(RolesPatch::Set);
    let app = fields::app(&mut body)
        .map(|object| object.map_or_else(|| AppPatch::Set(AppData::default()), AppPatch::Merge));
    body.finish(Some(AccountPatch {
        details,
        email_verified,
        roles,
        app,
    }))
}

impl From<ChangeAccountError> for Problem {
    fn from(error: ChangeAccountError) -> Self {
        match error {
            ChangeAccountError::NotFound => no_account(),
            ChangeAccountError::EmailTaken => email_taken(),
            ChangeAccountError::VersionMismatch { .. } => version_mismatch(),
            ChangeAccountError::Invalid { field, error } => {
                Self::fields(vec![FieldProblem::invalid(field, error)])
            }
            ChangeAccountError::Failed(failure) => failure.into(),
        }
    }
}

fn version_mismatch() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "version_mismatch",
        "The account has another version than `If-Match` says: it was changed meanwhile. Look again and retry.",
    )
}

pub(crate) fn change_docs() -> Operation {
    let description = "Changes an account by a merge patch (RFC 7396): a member that is missing stays as it is, `null` removes it, and `app` is merged \
                       member by member. With `If-Match` nothing changes unless the account still has that version. Another address is not \
                       verified unless the patch says so, and its owner is told. Services that follow the revocation feed refuse ID tokens from \
                       before a change of roles, app data or address.\n\nThe body may also be sent as `application/merge-patch+json`.";
    let if_match = ObjectBuilder::new().schema_type(Type::String);
    Operation::new("changeUser", "users", "Change an account", description)
        .of_account()
        .parameter(
            ParameterIn::Header,
            "If-Match",
            "The `ETag` of the account as you know it.",
            if_match,
            sample::TAG,
        )
        .body(
            "AccountChange",
            "What to change.",
            [Member::optional("email", email())]
                .into_iter()
                .chain(fields::members()),
            [
                ("Other roles", json!({ "roles": ["admin", "billing:read"] })),
                (
                    "One member of the app data, and no name",
                    json!({ "app": { "plan": "free" }, "name": null }),
                ),
                (
                    "Another address",
                    json!({ "email": "ann@example.net", "emailVerified": true }),
                ),
            ],
        )
        .answers_account(200, "The account as it is now.")
        .problems([invalid_match(), email_taken(), version_mismatch()])
}

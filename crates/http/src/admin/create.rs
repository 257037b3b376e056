//! `POST /users`

use super::{
    answer::{account, sample},
    fields,
};
use crate::{
    ADMIN_BASE,
    accounts::email_taken,
    kit::{
        body::NestedBody,
        caller::Bearer,
        key_caller::KeyCaller,
        openapi::{Member, Operation, email, new_password, schema_of},
        problem::{FieldProblem, Problem},
        proof::mail_not_configured,
        use_case::AdminCase,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use revolve_domain::{
    model::{AppData, Details, DetailsChange, EmailAddress, Fingerprint, Password, UserId},
    policy::PasswordPolicy,
    use_cases::{
        AddAccountError, AddAccountRequest, CreateAccount, CreateAccountError, FirstAccess,
        RequestName,
    },
};
use secrecy::SecretString;
use serde_json::json;
use utoipa::openapi::{SchemaFormat, Type, path::ParameterIn, schema::ObjectBuilder};

/// The header by whose value a request can be repeated (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The longest of its values in bytes.
const LONGEST: usize = 255;

/// `POST /users`
pub(crate) async fn create(
    use_case: AdminCase<CreateAccount>,
    caller: KeyCaller,
    Bearer(key): Bearer,
    policy: Data<PasswordPolicy>,
    http: HttpRequest,
    body: NestedBody,
) -> Result<HttpResponse, Problem> {
    let named = name(&http, caller, &key, &body.bytes)?;
    let request = parse(body, policy.min_length)?;
    let user = use_case
        .run(async move |case| case.execute(request, named, caller.actor()).await)
        .await??;
    let mut created = HttpResponse::Created();
    created.insert_header((header::LOCATION, format!("{ADMIN_BASE}/users/{}", user.id)));
    Ok(account(created, &user))
}

/// The name of the request, if it has one. It counts for one key and operation.
fn name(
    http: &HttpRequest,
    caller: KeyCaller,
    key: &SecretString,
    content: &[u8],
) -> Result<Option<RequestName>, Problem> {
    let mut values = http.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    let sound = text.filter(|text| {
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match sound {
        Some(text) if values.next().is_none() => Ok(Some(RequestName {
            name: Fingerprint::of_request(caller.0, &format!("create user {text}")),
            content: Fingerprint::of_content(key, content),
        })),
        _ => Err(invalid_name()),
    }
}

fn invalid_name() -> Problem {
    Problem::malformed(
        "invalid_idempotency_key",
        "`Idempotency-Key` must be there once and have 1 to 255 visible ASCII characters.",
    )
}

fn parse(
    NestedBody { mut body, .. }: NestedBody,
    min_length: usize,
) -> Result<AddAccountRequest, Problem> {
    let email = body.required("email", EmailAddress::parse);
    let is_invited = body.flag("invite").unwrap_or_default();
    let access = if is_invited {
        if body.has("password") {
            body.refuse("password", "unknown_field", "is not known beside `invite`");
        }
        Some(FirstAccess::Invitation)
    } else if body.has("password") {
        body.secret("password", |text| Password::choose(text, min_length))
            .map(FirstAccess::Password)
    } else {
        body.refuse(
            "password",
            "missing",
            "is needed, unless `invite` is true: then a mail lets its reader choose one",
        );
        None
    };
    let DetailsChange {
        name,
        website,
        image_url,
        locale,
        ..
    } = fields::details(&mut body);
    let email_verified = body.flag("emailVerified").unwrap_or_default();
    let roles = fields::roles(&mut body).unwrap_or_default();
    let app = fields::app(&mut body).flatten();
    let app = app.and_then(|object| body.note("app", AppData::new(object)));
    let id = body.optional("uid", UserId::choose);
    let request = email.zip(access).map(|(email, access)| AddAccountRequest {
        email,
        access,
        details: Details {
            name: name.flatten(),
            website: website.flatten(),
            image_url: image_url.flatten(),
            locale: locale.flatten(),
        },
        email_verified,
        roles,
        app: app.unwrap_or_default(),
        id,
    });
    body.finish(request)
}

impl From<CreateAccountError> for Problem {
    fn from(error: CreateAccountError) -> Self {
        match error {
            CreateAccountError::Refused(refused) => refused.into(),
            CreateAccountError::NameTaken => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "Another request has had this `Idempotency-Key` within a day.",
            ),
            CreateAccountError::Gone => Self::new(
                StatusCode::GONE,
                "account_deleted",
                "The account that this request has made is deleted.",
            ),
        }
    }
}

impl From<AddAccountError> for Problem {
    fn from(error: AddAccountError) -> Self {
        match error {
            AddAccountError::EmailTaken => email_taken(),
            AddAccountError::IdTaken => Self::new(
                StatusCode::CONFLICT,
                "uid_taken",
                "An account with this `uid` exists already.",
            ),
            AddAccountError::WeakPassword(fault) => {
                Self::fields(vec![FieldProblem::invalid("password", fault)])
            }
            AddAccountError::MailNotConfigured => mail_not_configured(),
            AddAccountError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn create_docs() -> Operation {
    let description = "Makes an account, by the rules of a sign-up: with a password, or with `invite`, by a mail that lets its reader choose one \
                       within three days. With `Idempotency-Key` the request can be repeated for a day: it makes one account, and answers it as it \
                       is then.";
    let invite = schema_of(json!({
        "type": "boolean",
        "description": "Sends a mail with a link to choose a password (`mail.links.choose_password`), instead of setting one.",
        "default": false,
        "examples": [true],
    }));
    let uid = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".into())))
        .description(Some(
            "The id to have, such as that of another system; a new one by default. `invalid_id`",
        ))
        .max_length(Some(36))
        .examples([sample::UID.to_string()]);
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(LONGEST));
    let first = [
        Member::required("email", email()),
        Member::optional("password", new_password()),
        Member::of("invite", invite),
        Member::nullable("uid", uid),
    ];
    Operation::new("createUser", "users", "Make an account", description)
        .parameter(
            ParameterIn::Header,
            IDEMPOTENCY_KEY,
            "A name for this request, that no other has within a day: 1 to 255 visible ASCII characters.",
            key,
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
        )
        .body(
            "NewAccount",
            "The account. It needs `password`, unless there is `invite`.",
            first.into_iter().chain(fields::members()),
            [
                ("With an invitation", json!({ "email": "ann@example.org", "invite": true, "name": "Ann", "roles": ["billing:read"] })),
                ("With a password", json!({ "email": "ann@example.org", "password": "correct horse battery", "emailVerified": true })),
            ],
        )
        .answers_account(201, "The account.")
        .header(
            [201],
            "Location",
            "Where it is.",
            "/api/admin/users/5f0d2c1e-8a3c-4f1b-9e9d-4c21019a7c0e",
        )
        .problems([
            invalid_name(),
            email_taken(),
            AddAccountError::IdTaken.into(),
            mail_not_configured(),
            CreateAccountError::NameTaken.into(),
            CreateAccountError::Gone.into(),
        ])
}

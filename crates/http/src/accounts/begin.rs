//! `POST /signup` and `POST /signin`: the same request, the same answer.

use super::{
    begun::{answer, answer_with, begun_docs, device_name, second_step, second_step_docs},
    email_taken,
};
use crate::kit::{
    answer::sample,
    body::{Body, NestedBody},
    caller::RequestClient,
    factor::{
        CHALLENGE, REGISTRATION, challenge, challenge_gone, challenge_schema, credential,
        credential_refused, credential_schema, passkey_name, passkey_name_schema,
        registration_example,
    },
    openapi::{
        Member, Operation, email, example, known_password, language, new_password, schema_of,
    },
    problem::{FieldProblem, Problem},
    proof::{requested, requested_docs},
    token_mode::TokenMode,
    use_case::UseCase,
};
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use revolve_domain::{
    model::{EmailAddress, FieldError, Label, Locale, Password},
    policy::PasswordPolicy,
    use_cases::{
        PasskeySignUpRequest, SignIn, SignInError, SignInRequest, SignUp, SignUpError, SignedUp,
    },
};
use secrecy::SecretString;
use serde_json::json;
use utoipa::openapi::{Type, schema::SchemaType};

/// `POST /signup`
pub(crate) async fn sign_up(
    use_case: UseCase<SignUp>,
    caller: RequestClient,
    mode: TokenMode,
    policy: Data<PasswordPolicy>,
    NestedBody { mut body, .. }: NestedBody,
) -> Result<HttpResponse, Problem> {
    let locale = body.optional("locale", |tag| Ok(tag.parse::<Locale>()?));
    let signed_up = if body.has("passkey") {
        let mut request = parse_with_passkey(body, &caller)?;
        request.locale = locale.or(caller.language.clone());
        use_case
            .run(async move |case| case.by_passkey(request).await)
            .await??
    } else {
        let mut request = parse(body, &caller, EmailAddress::parse, |text| {
            Password::choose(text, policy.min_length)
        })?;
        request.locale = locale.or(caller.language.clone());
        request.proof_cookie = caller.asker().cookie;
        use_case
            .run(async move |case| case.execute(request).await)
            .await??
    };
    Ok(match signed_up {
        SignedUp::Begun(begun, proof) => {
            answer_with(StatusCode::CREATED, &begun, proof.as_ref(), &caller, &mode)
        }
        SignedUp::Asked(proof) => requested(&caller, &proof),
    })
}

/// `POST /signin`
pub(crate) async fn sign_in(
    use_case: UseCase<SignIn>,
    caller: RequestClient,
    mode: TokenMode,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = parse(body, &caller, EmailAddress::present, Password::present)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    match begun {
        Ok(begun) => Ok(answer(StatusCode::OK, &begun, &caller, &mode)),
        Err(SignInError::FactorRequired(step)) => Err(second_step(&step, &caller, &mode)),
        Err(error) => Err(error.into()),
    }
}

/// Reads a sign-up with a passkey; not its language.
pub(crate) fn parse_with_passkey(
    mut body: Body,
    caller: &RequestClient,
) -> Result<PasskeySignUpRequest, Problem> {
    let email = body.required("email", EmailAddress::parse);
    let passkey = body.nested("passkey", |passkey| {
        let (challenge, credential) = (challenge(passkey), credential(passkey));
        let name = passkey.optional("name", passkey_name);
        Some((challenge?, credential?, name))
    });
    let password = body.optional_secret("password", |_| Ok(()));
    if password.is_some() {
        body.refuse("password", "unknown_field", "is not known beside `passkey`");
    }
    let device_name = body.optional("deviceName", Label::parse);
    let (email, (challenge, credential, passkey_name)) = body.finish(email.zip(passkey))?;
    Ok(PasskeySignUpRequest {
        email,
        challenge,
        credential,
        passkey_name,
        device_name,
        device_credentials: caller.device_credentials.clone(),
        proof_cookie: caller.asker().cookie,
        locale: None,
        client: caller.described(),
    })
}

pub(crate) fn parse(
    body: Body,
    caller: &RequestClient,
    email: fn(&str) -> Result<EmailAddress, FieldError>,
    password: impl FnOnce(&SecretString) -> Result<Password, FieldError>,
) -> Result<SignInRequest, Problem> {
    let (email, password, device_name) = fields(body, email, password)?;
    let (device_credentials, client) = (caller.device_credentials.clone(), caller.described());
    Ok(SignInRequest {
        email,
        password,
        device_name,
        device_credentials,
        proof_cookie: None,
        locale: None,
        client,
    })
}

pub(crate) fn fields(
    mut body: Body,
    email: fn(&str) -> Result<EmailAddress, FieldError>,
    password: impl FnOnce(&SecretString) -> Result<Password, FieldError>,
) -> Result<(EmailAddress, Password, Option<Label>), Problem> {
    let email = body.required("email", email);
    let password = body.secret("password", password);
    let device_name = body.optional("deviceName", Label::parse);
    let (email, password) = body.finish(email.zip(password))?;
    Ok((email, password, device_name))
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::EmailTaken => email_taken(),
            SignUpError::WeakPassword(fault) => {
                Problem::fields(vec![FieldProblem::invalid("password", fault)])
            }
            SignUpError::ChallengeGone => challenge_gone(),
            SignUpError::CredentialRefused => credential_refused(),
            SignUpError::Limited(limited) => limited.into(),
            SignUpError::Failed(failure) => failure.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::InvalidCredentials => Problem::without_token(
                "invalid_credentials",
                "The e-mail address or the password is wrong.",
            ),
            SignInError::Superseded => {
                let detail =
                    "Sessions of the account were ended during this sign-in; sign in again.";
                Problem::new(StatusCode::UNAUTHORIZED, "sign_in_superseded", detail)
            }
            SignInError::Limited(limited) => limited.into(),
            SignInError::FactorRequired(step) => Problem::factor_required(&step),
            SignInError::Failed(failure) => failure.into(),
        }
    }
}

fn passkey() -> Member {
    let challenge =
        challenge_schema("What `POST /signup/passkey/options` answered as `challenge`.");
    let name = passkey_name_schema(
        "What to call the passkey; otherwise the name of the authenticator's model. `too_long`",
    )
    .schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let schema = json!({
        "type": "object",
        "description": "A passkey in place of a password.",
        "required": ["challenge", "credential"],
        "properties": {
            "challenge": example(&challenge.build()),
            "credential": credential_schema(REGISTRATION),
            "name": example(&name.build()),
        },
        "additionalProperties": false,
    });
    Member::of("passkey", schema_of(schema))
}

fn locale() -> Member {
    Member::nullable(
        "locale",
        language("The language of the mails; otherwise the first of `Accept-Language`."),
    )
}

pub(crate) fn sign_up_docs() -> Operation {
    let description = "Makes an account and signs in. Keep `device.credential`: only what begins a session hands it out. An address that is taken is 409 (a sign-up can't hide that), so sign in then.\n\nWith `passkey` in place of `password` the account has no password; the answer has `recoveryCodes`, to be shown to the user. The authenticator is asked once: first `POST /signup/passkey/options`.\n\nWhere `accounts.verification` is `required`, there is no account before its mailbox is proved: the answer is 202 with a `proof` for `POST /signup/confirm`, the same whether or not the address is taken, and the proof lives a day. Where it is `optional`, a mail to verify the address is sent, and the answer has its `proof`.\n\nAfter a 503 or \
                       without an answer, send the same again: nothing is half-made, and 409 says that it was made.";
    let operation = Operation::new("signUp", "account", "Sign up", description)
        .device()
        .body(
            "SignUp",
            "Who signs up: with `password` or with `passkey`.",
            [Member::required("email", email()), Member::optional("password", new_password()), passkey(), device_name(), locale()],
            [
                ("The least", json!({ "email": "ann@example.org", "password": "correct horse battery" })),
                (
                    "With a name for the device",
                    json!({ "email": "ann@example.org", "password": "correct horse battery", "deviceName": "Ann's phone" }),
                ),
                (
                    "With a passkey",
                    json!({ "email": "ann@example.org", "passkey": { "challenge": CHALLENGE, "credential": registration_example(), "name": "Ann's phone" } }),
                ),
            ],
        )
        .problems(
            [SignUpError::EmailTaken, SignUpError::ChallengeGone, SignUpError::CredentialRefused].map(Problem::from),
        );
    let done = "The account is made, and a session has begun.";
    requested_docs(begun_docs(operation, 201, done, &[]))
}

pub(crate) fn sign_in_docs() -> Operation {
    let description = "Begins a session. Show the device credential, if there is one: the session replaces the one that the same client (by \
                       its `Origin`) had on the device, and is bound to it. A credential that this user has not signed in with, or not since a \
                       change of password, a sign-out everywhere or reuse, is not kept: keep the new `device.credential` in its place.\n\n\
                       A user has so many sessions at most (`sessions.max_per_user`); the one that was refreshed longest ago makes room, and \
                       is named in `evicted`.\n\nAn account with a factor gets 403 `factor_required` in place of a session; \
                       `POST /signin/factor` goes on from there, within five minutes.";
    let password =
        known_password("The account's password. One that is too short is merely wrong. `too_long`");
    let operation = Operation::new("signIn", "account", "Sign in", description)
        .device()
        .body(
            "SignIn",
            "Who signs in.",
            [Member::required("email", email()), Member::required("password", password), device_name()],
            [
                ("The least", json!({ "email": "ann@example.org", "password": "correct horse battery" })),
                (
                    "With a name for the device",
                    json!({ "email": "ann@example.org", "password": "correct horse battery", "deviceName": "Ann's phone" }),
                ),
            ],
        )
        .problems([SignInError::InvalidCredentials, SignInError::Superseded].map(Problem::from));
    second_step_docs(begun_docs(
        operation,
        200,
        "A session has begun.",
        &[sample::OTHER_SESSION],
    ))
}

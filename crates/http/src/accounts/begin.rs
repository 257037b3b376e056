//! `POST /signup` and `POST /signin`: the same request, the same answer.

use super::email_taken;
use crate::kit::{
    answer::{SessionAnswer, TokensAnswer, sample},
    body::Body,
    caller::RequestClient,
    openapi::{Member, Operation, email, example, known_password, label, language, new_password},
    problem::{FieldProblem, Problem},
    proof::{ProofMembers, requested, requested_docs},
    token_mode::{TokenMode, mode_docs},
    use_case::UseCase,
};
use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode, web::Data};
use revolve_domain::{
    model::{DeviceId, EmailAddress, FieldError, Label, Locale, Password, SessionId},
    policy::PasswordPolicy,
    use_cases::{
        Begun, RequestedProof, SignIn, SignInError, SignInRequest, SignUp, SignUpError, SignedUp,
    },
};
use revolve_observe::telemetry::identify;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// A session has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = Begun)]
pub(crate) struct BegunAnswer<'a> {
    tokens: TokensAnswer<'a>,
    session: SessionAnswer<'a>,
    device: DeviceAnswer<'a>,
    /// What verifies the address, with the code of the mail that is under way; only where a sign-up asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    proof: Option<ProofMembers>,
}

/// The device that the session is on.
#[derive(Serialize, ToSchema)]
#[schema(as = NewDevice)]
struct DeviceAnswer<'a> {
    /// The device, the same at each sign-in that keeps its credential.
    #[schema(value_type = String, format = "uuid")]
    id: DeviceId,
    /// What to send as `Revolve-Device` from now on. Not for browsers: they get a cookie that scripts can't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential: Option<&'a str>,
}

/// `POST /signup`
pub(crate) async fn sign_up(
    use_case: UseCase<SignUp>,
    caller: RequestClient,
    mode: TokenMode,
    policy: Data<PasswordPolicy>,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let locale = body.optional("locale", |tag| Ok(tag.parse::<Locale>()?));
    let mut request = parse(body, &caller, EmailAddress::parse, |text| {
        Password::choose(text, policy.min_length)
    })?;
    request.locale = locale.or(caller.language.clone());
    request.proof_cookie = caller.asker().cookie;
    let signed_up = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
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
        .await??;
    Ok(answer(StatusCode::OK, &begun, &caller, &mode))
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

/// A session has begun.
pub(crate) fn answer(
    status: StatusCode,
    begun: &Begun,
    caller: &RequestClient,
    mode: &TokenMode,
) -> HttpResponse {
    answer_with(status, begun, None, caller, mode)
}

fn answer_with(
    status: StatusCode,
    begun: &Begun,
    proof: Option<&RequestedProof>,
    caller: &RequestClient,
    mode: &TokenMode,
) -> HttpResponse {
    // No token was shown that would have identified the session in the log.
    identify(begun.session.user, begun.session.id);
    let credential = &begun.device.credential;
    let has_cookies = caller.is_browser || mode.cookie().is_some();
    let mut response = HttpResponseBuilder::new(status);
    let of_device = caller.device_cookies(&begun.device).into_iter();
    for cookie in of_device.chain(mode.cookies(&begun.tokens)) {
        response.cookie(cookie);
    }
    response.json(BegunAnswer {
        tokens: mode.tokens(&begun.tokens),
        session: SessionAnswer::new(&begun.session, Some(&begun.evicted)),
        device: DeviceAnswer {
            id: begun.device.id,
            credential: (!has_cookies).then(|| credential.expose_secret()),
        },
        proof: proof.map(ProofMembers::from),
    })
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::EmailTaken => email_taken(),
            SignUpError::WeakPassword(fault) => {
                Problem::fields(vec![FieldProblem::invalid("password", fault)])
            }
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
            SignInError::Failed(failure) => failure.into(),
        }
    }
}

const COOKIE: &str = "The device credential for browsers, which scripts can't read, before those of other accounts in the same \
                      browser. The end of its name is the installation's; over https the name begins with `__Host-`. With `Revolve-Tokens: cookie` \
                      another cookie has the refresh token.";

pub(crate) fn device_name() -> Member {
    Member::nullable(
        "deviceName",
        label(
            "What to call the device in the list of sessions.",
            "Ann's phone",
        ),
    )
}

fn locale() -> Member {
    Member::nullable(
        "locale",
        language("The language of the mails; otherwise the first of `Accept-Language`."),
    )
}

pub(crate) fn sign_up_docs() -> Operation {
    let description = "Makes an account and signs in. Keep `device.credential`: only what begins a session hands it out. An address that is taken is 409 (a sign-up can't hide that), so sign in then.\n\nWhere `accounts.verification` is `required`, there is no account before its mailbox is proved: the answer is 202 with a `proof` for `POST /signup/confirm`, the same whether or not the address is taken, and the proof lives a day. Where it is `optional`, a mail to verify the address is sent, and the answer has its `proof`.\n\nAfter a 503 or \
                       without an answer, send the same again: nothing is half-made, and 409 says that it was made.";
    let operation = Operation::new("signUp", "account", "Sign up", description)
        .device()
        .body(
            "SignUp",
            "Who signs up.",
            [Member::required("email", email()), Member::required("password", new_password()), device_name(), locale()],
            [
                ("The least", json!({ "email": "ann@example.org", "password": "correct horse battery" })),
                (
                    "With a name for the device",
                    json!({ "email": "ann@example.org", "password": "correct horse battery", "deviceName": "Ann's phone" }),
                ),
            ],
        )
        .problems([Problem::from(SignUpError::EmailTaken)]);
    let done = "The account is made, and a session has begun.";
    requested_docs(begun_docs(operation, 201, done, &[]))
}

pub(crate) fn sign_in_docs() -> Operation {
    let description = "Begins a session. Show the device credential, if there is one: the session replaces the one that the same client (by \
                       its `Origin`) had on the device, and is bound to it. A credential that this user has not signed in with, or not since a \
                       change of password, a sign-out everywhere or reuse, is not kept: keep the new `device.credential` in its place.\n\n\
                       A user has so many sessions at most (`sessions.max_per_user`); the one that was refreshed longest ago makes room, and \
                       is named in `evicted`.";
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
    begun_docs(
        operation,
        200,
        "A session has begun.",
        &[sample::OTHER_SESSION],
    )
}

/// Describes the answer of an operation that begins a session; `evicted`: those that may have to make room.
pub(crate) fn begun_docs(
    operation: Operation,
    status: u16,
    description: &str,
    evicted: &[SessionId],
) -> Operation {
    let answer = |tokens, evicted: &[SessionId], credential| {
        example(&BegunAnswer {
            tokens,
            session: sample::session(Some(evicted)),
            device: DeviceAnswer {
                id: sample::DEVICE,
                credential,
            },
            proof: None,
        })
    };
    let in_cookie = sample::tokens().without_refresh_token();
    let examples = [
        (
            "For an app",
            answer(sample::tokens(), &[], Some(sample::CREDENTIAL)),
        ),
        ("For a browser", answer(sample::tokens(), evicted, None)),
        (
            "Where the cookie has the refresh token",
            answer(in_cookie, &[], None),
        ),
    ];
    let operation = operation
        .json::<BegunAnswer<'_>, 3>(status, description, examples)
        .header([status], "Set-Cookie", COOKIE, sample::COOKIE);
    mode_docs(operation)
}

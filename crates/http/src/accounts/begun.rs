//! A session has begun, or a factor has to begin it: the answer of whatever signs in.

use crate::kit::{
    answer::{SessionAnswer, TokensAnswer, sample},
    caller::RequestClient,
    factor::{CHALLENGE_ID, request_example},
    openapi::{Member, Operation, example, label},
    problem::Problem,
    proof::ProofMembers,
    token_mode::{TokenMode, mode_docs},
};
use actix_web::{HttpResponse, HttpResponseBuilder, cookie::Cookie, http::StatusCode};
use revolve_domain::{
    model::{Challenge, DeviceId, FactorKind, SessionId},
    use_cases::{Begun, IssuedDevice, RequestedProof, SecondStep, ShownRecoveryCodes},
};
use revolve_observe::telemetry::identify;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

/// A session has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Begun)]
pub(crate) struct BegunAnswer<'a> {
    tokens: TokensAnswer<'a>,
    session: SessionAnswer<'a>,
    device: DeviceAnswer<'a>,
    /// What verifies the address, with the code of the mail that is under way; only where a sign-up asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    proof: Option<ProofMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = sample::recovery_codes, required = false)]
    recovery_codes: Option<Vec<&'a str>>,
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

/// A session has begun.
pub(crate) fn answer(
    status: StatusCode,
    begun: &Begun,
    caller: &RequestClient,
    mode: &TokenMode,
) -> HttpResponse {
    answer_with(status, begun, None, caller, mode)
}

/// The same for an account that was made, with what verifies its address.
pub(crate) fn answer_with(
    status: StatusCode,
    begun: &Begun,
    proof: Option<&RequestedProof>,
    caller: &RequestClient,
    mode: &TokenMode,
) -> HttpResponse {
    // No token was shown that would have identified the session in the log.
    identify(begun.session.user, begun.session.id);
    let device = handed_out(&begun.device, caller, mode);
    let mut response = HttpResponseBuilder::new(status);
    for cookie in device
        .cookies
        .into_iter()
        .chain(mode.cookies(&begun.tokens))
    {
        response.cookie(cookie);
    }
    let codes = begun.recovery_codes.as_ref();
    response.json(BegunAnswer {
        tokens: mode.tokens(&begun.tokens),
        session: SessionAnswer::new(&begun.session, Some(&begun.evicted)),
        device: DeviceAnswer {
            id: begun.device.id,
            credential: device.credential.as_ref().map(ExposeSecret::expose_secret),
        },
        proof: proof.map(ProofMembers::from),
        recovery_codes: codes.map(shown_codes),
    })
}

/// Recovery codes, as they are shown once.
pub(crate) fn shown_codes(codes: &ShownRecoveryCodes) -> Vec<&str> {
    let codes = codes.codes().iter();
    codes.map(ExposeSecret::expose_secret).collect()
}

/// What was proved is right, and a factor begins the session. The client gets its device, as with a session.
pub(crate) fn second_step(step: &SecondStep, caller: &RequestClient, mode: &TokenMode) -> Problem {
    let device = handed_out(&step.device, caller, mode);
    Problem::factor_required(step).on_device(step.device.id, device.credential, device.cookies)
}

/// How a client gets the credential of its device.
struct HandedOut {
    /// In the body, for a client that does not keep it in the cookies.
    credential: Option<SecretString>,
    cookies: Vec<Cookie<'static>>,
}

fn handed_out(device: &IssuedDevice, caller: &RequestClient, mode: &TokenMode) -> HandedOut {
    let has_cookies = caller.is_browser || mode.cookie().is_some();
    HandedOut {
        credential: (!has_cookies).then(|| device.credential.clone()),
        cookies: caller.device_cookies(device),
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
            recovery_codes: None,
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

/// Describes that an operation may lead to a second step instead of a session.
pub(crate) fn second_step_docs(operation: Operation) -> Operation {
    let step = SecondStep {
        challenge: CHALLENGE_ID,
        factors: FactorKind::ALL.to_vec(),
        public_key: Some(request_example()),
        expires_in: Challenge::LIFETIME,
        device: IssuedDevice {
            id: sample::DEVICE,
            credential: sample::CREDENTIAL.into(),
            others: Vec::new(),
        },
    };
    let credential = Some(step.device.credential.clone());
    let required =
        Problem::factor_required(&step).on_device(sample::DEVICE, credential, Vec::new());
    operation
        .problems([required])
        .empty(403, "A factor is needed, too, or the request is refused.")
        .maybe_header([403], "Set-Cookie", COOKIE, sample::COOKIE)
}

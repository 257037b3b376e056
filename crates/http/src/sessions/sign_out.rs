//! `POST /signout`: the end of this session, of the others, or of all.

use crate::kit::{
    answer::sample,
    body::{Body, OptionalBody},
    caller::BearerCaller,
    openapi::{Member, Operation, choice},
    problem::Problem,
    token_cookie::{TokenCookie, is_over},
    token_mode::{CLEARED, TokenMode, cookie_docs},
    use_case::UseCase,
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::header,
};
use revolve_domain::use_cases::{Caller, Refused, SignOut, SignOutScope};
use secrecy::SecretString;
use serde_json::json;
use std::future::{Ready, ready};
use tracing::{Instrument, info_span};

pub(crate) const SCOPES: [(&str, SignOutScope); 3] = [
    ("this", SignOutScope::This),
    ("others", SignOutScope::Others),
    ("everywhere", SignOutScope::Everywhere),
];

/// Who signs out.
pub(crate) struct SigningOut {
    shown: ShownToken,
    mode: TokenMode,
}

/// What says whose session it is.
enum ShownToken {
    Id(Caller),
    /// The refresh token of the cookie, where no ID token is sent.
    Refresh(SecretString),
}

impl FromRequest for SigningOut {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut caller = || {
            let mode = TokenMode::from_request(request, payload).into_inner()?;
            let has_bearer = request.headers().contains_key(header::AUTHORIZATION);
            let shown = match mode.cookie().filter(|_| !has_bearer) {
                Some(cookie) => ShownToken::Refresh(cookie.needed()?),
                None => {
                    ShownToken::Id(BearerCaller::from_request(request, payload).into_inner()?.0)
                }
            };
            Ok(Self { shown, mode })
        };
        ready(caller())
    }
}

/// `POST /signout`
pub(crate) async fn sign_out(
    use_case: UseCase<SignOut>,
    SigningOut { shown, mode }: SigningOut,
    body: OptionalBody,
) -> Result<HttpResponse, Problem> {
    let scope = parse(body.0)?;
    if matches!(shown, ShownToken::Refresh(_)) && scope != SignOutScope::This {
        return Err(Problem::unauthenticated());
    }
    let kept = mode.cookie().and_then(TokenCookie::token).cloned();
    let (ended, is_over) = use_case
        .run(async move |case| {
            let ended = match &shown {
                ShownToken::Id(caller) => case.execute(caller, scope).await,
                ShownToken::Refresh(token) => case.by_refresh_token(token).await,
            };
            let is_over = match (&ended, &shown, &kept) {
                (Ok(()), ShownToken::Refresh(_), _) => true,
                (Err(Refused::Token(refusal)), ShownToken::Refresh(_), _) => is_over(*refusal),
                // The cookie may be of another session than the ID token: of whoever has signed in last in this browser. Its span keeps it out
                // of the request's.
                (Ok(()) | Err(Refused::Token(_)), ShownToken::Id(_), Some(kept)) => {
                    let refusal = case.refusal_of(kept).instrument(info_span!("kept"));
                    refusal.await.is_some_and(is_over)
                }
                _ => false,
            };
            (ended, is_over)
        })
        .await?;
    let answer = match ended {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(refused) => Problem::from(refused).error_response(),
    };
    match mode.cookie().filter(|_| is_over) {
        Some(cookie) => cookie.cleared(answer),
        None => Ok(answer),
    }
}

pub(crate) fn parse(mut body: Body) -> Result<SignOutScope, Problem> {
    let scope = body.choice("scope", &SCOPES).unwrap_or_default();
    body.finish(Some(scope))
}

pub(crate) fn sign_out_docs() -> Operation {
    let description = "Ends this session, all others, or all. It is final: after the answer no token of an ended session is accepted here, \
                       and services that follow `/.well-known/revocations` hear of it within about a second. This session is ended without the device \
                       credential, too.\n\nWith `Revolve-Tokens: cookie` the browser forgets the refresh token if its session has ended; and without an ID \
                       token the cookie says which session to end: this one alone.";
    let scope = choice(
        "Which sessions: this one, all but this one, or all of the account.",
        SCOPES.map(|(word, _)| word),
        "this",
    );
    let operation = Operation::new("signOut", "sessions", "Sign out", description)
        .bearer_to_set_up()
        .token_cookie()
        .optional_body(
            "SignOut",
            "Which sessions to end; nothing counts as `{}`.",
            [Member::optional("scope", scope)],
            [
                ("This session", json!({})),
                ("All others", json!({ "scope": "others" })),
                ("All", json!({ "scope": "everywhere" })),
            ],
        )
        .empty(204, "They have ended.")
        .maybe_header([204], "Set-Cookie", CLEARED, sample::NO_TOKEN_COOKIE);
    cookie_docs(operation)
}

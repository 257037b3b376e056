//! Which operator's key a request shows, and whether it may.

use crate::kit::{
    caller::{self, Bearer},
    problem::Problem,
};
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, Route,
    body::BoxBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{Next, from_fn},
    web::Data,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use revolve_domain::{
    journal::Actor,
    model::{ApiKeyId, ApiKeyScope},
    use_cases::{AdminUseCases, KeyRefused},
};
use secrecy::{SecretString, zeroize::Zeroizing};
use std::future::{Ready, ready};
use url::form_urlencoded;

/// On whose behalf a request to the admin API is: its key's.
#[derive(Clone, Copy)]
pub(crate) struct KeyCaller(pub(crate) ApiKeyId);

impl KeyCaller {
    /// As the journal names it.
    pub(crate) const fn actor(self) -> Actor {
        Actor::Key(self.0)
    }
}

/// The route lacks its scope in the table.
#[derive(Debug, thiserror::Error)]
#[error("the request was let in without a key")]
struct NotAdmitted;

impl FromRequest for KeyCaller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request.extensions().get::<Self>().copied();
        ready(admitted.ok_or_else(|| Problem::internal(&NotAdmitted)))
    }
}

/// A route that only keys with this scope reach. `takes_basic`: as the password of HTTP Basic authentication, too.
pub(crate) fn admitted(scope: ApiKeyScope, takes_basic: bool, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| {
        admit(scope, takes_basic, request, next)
    }))
}

async fn admit(
    scope: ApiKeyScope,
    takes_basic: bool,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let (http, payload) = request.parts_mut();
    let bearer = Bearer::from_request(http, payload).await;
    let basic = || client_secret(http).filter(|_| takes_basic);
    let Some(key) = bearer.ok().map(|Bearer(key)| key).or_else(basic) else {
        return Err(no_key().into());
    };
    let client = caller::address(request.request());
    let Some(all) = request.app_data::<Data<AdminUseCases>>().cloned() else {
        return Err(Problem::internal(&NotAdmitted).into());
    };
    let admitted = all.authenticate_key.execute(&key, scope, &client).await;
    let id = admitted.map_err(Problem::from)?;
    request.extensions_mut().insert(KeyCaller(id));
    next.call(request).await
}

/// The password of HTTP Basic authentication as OAuth clients write it: name and password are encoded as in a form before that (RFC 6749
/// §2.3.1). The name is the client's own and says nothing here.
fn client_secret(request: &HttpRequest) -> Option<SecretString> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Zeroizing::new(STANDARD.decode(pair.trim()).ok()?);
    let at = pair.iter().position(|byte| *byte == b':')?;
    // A form with one field, and that without a value.
    let (name, _) = form_urlencoded::parse(&pair[at + 1..]).next()?;
    Some(SecretString::from(name.into_owned()))
}

fn no_key() -> Problem {
    Problem::without_token(
        "key_missing",
        "Send an API key: `Authorization: Bearer rvk_…`.",
    )
}

impl From<KeyRefused> for Problem {
    fn from(refused: KeyRefused) -> Self {
        match refused {
            KeyRefused::Unknown => Self::new(
                StatusCode::UNAUTHORIZED,
                "key_invalid",
                "The API key is none of this service; make one with `revolve api-keys create`.",
            ),
            KeyRefused::Expired => Self::new(
                StatusCode::UNAUTHORIZED,
                "key_expired",
                "The API key has expired; make another one with `revolve api-keys create`.",
            ),
            KeyRefused::Revoked => Self::new(
                StatusCode::UNAUTHORIZED,
                "key_revoked",
                "The API key was revoked.",
            ),
            KeyRefused::ScopeMissing(scope) => Self::scope_missing(scope),
            KeyRefused::Limited(limited) => limited.into(),
            KeyRefused::Failed(failure) => failure.into(),
        }
    }
}

/// What every operation of the admin API may answer because of the key.
pub(crate) fn problems(scope: ApiKeyScope) -> [Problem; 5] {
    [
        no_key(),
        KeyRefused::Unknown.into(),
        KeyRefused::Expired.into(),
        KeyRefused::Revoked.into(),
        Problem::scope_missing(scope),
    ]
}

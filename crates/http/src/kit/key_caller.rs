//! Which operator's key a request shows, and whether it may.

use crate::kit::{
    caller::{self, Bearer},
    problem::Problem,
};
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, Route,
    body::BoxBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{Next, from_fn},
    web::Data,
};
use revolve_domain::{
    journal::Actor,
    model::{ApiKeyId, ApiKeyScope},
    use_cases::{AdminUseCases, KeyRefused},
};
use std::future::{Ready, ready};

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

/// A route that only keys with this scope reach.
pub(crate) fn admitted(scope: ApiKeyScope, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| admit(scope, request, next)))
}

async fn admit(
    scope: ApiKeyScope,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let (http, payload) = request.parts_mut();
    let shown = Bearer::from_request(http, payload).await;
    let Ok(Bearer(key)) = shown else {
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

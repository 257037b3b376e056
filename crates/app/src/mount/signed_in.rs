//! Who is calling, for the handlers of a server that the service is mounted in.

use super::Service;
use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, web::Data};
use revolve_domain::{
    model::{Session, User},
    use_cases::Authenticated,
};
use revolve_http::{Bearer, Problem};
use std::{future::Future, pin::Pin};

/// A caller whose ID token and session are both good at this moment: a session that was signed out is refused at once.
///
/// An extractor for handlers of a server that has `Data<Service>` in its app data. Requests without a good token are
/// answered as the service itself answers them: 401 with `WWW-Authenticate` and a problem document, or 503 if the user
/// database does not answer.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account.
    pub user: User,
    /// The session.
    pub session: Session,
}

#[derive(Debug, thiserror::Error)]
#[error("the app data of this server lacks `Data<revolve::Service>`")]
struct NotMounted;

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let service = request
            .app_data::<Data<Service>>()
            .cloned()
            .ok_or_else(|| Problem::internal(&NotMounted));
        let bearer = Bearer::from_request(request, payload);
        Box::pin(async move {
            let Authenticated { user, session } = service?
                .authenticate(&bearer.await?.0)
                .await
                .map_err(Problem::from)?;
            Ok(Self { user, session })
        })
    }
}

//! How a handler calls its use case.

use crate::kit::problem::{Panicked, Problem};
use actix_web::{FromRequest, HttpRequest, dev::Payload, rt, web::Data};
use std::future::{Ready, ready};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The one use case that a handler asks for.
pub(crate) struct UseCase<T: 'static> {
    case: Data<T>,
    in_flight: Data<TaskTracker>,
}

impl<T> UseCase<T> {
    /// Carries it to its end even if the client hangs up: what was begun in one store is finished in the other.
    pub(crate) async fn run<R: 'static>(
        self,
        work: impl AsyncFnOnce(&T) -> R + 'static,
    ) -> Result<R, Problem> {
        let Self { case, in_flight } = self;
        let work = in_flight.track_future(async move { work(&case).await });
        // The runtime's own error would quote the panic.
        rt::spawn(work.in_current_span())
            .await
            .map_err(|_| Problem::internal(&Panicked))
    }
}

impl<T> FromRequest for UseCase<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (case, in_flight) = (
            request.app_data::<Data<T>>(),
            request.app_data::<Data<TaskTracker>>(),
        );
        ready(match (case, in_flight) {
            (Some(case), Some(in_flight)) => Ok(Self {
                case: case.clone(),
                in_flight: in_flight.clone(),
            }),
            _ => Err(Problem::internal(&NotWired(std::any::type_name::<T>()))),
        })
    }
}

/// The composition root forgot something.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not registered")]
struct NotWired(&'static str);

//! How a handler calls its use case.

use crate::kit::problem::{Panicked, Problem};
use actix_web::{FromRequest, HttpRequest, dev::Payload, rt, web::Data};
use futures_util::future::LocalBoxFuture;
use revolve_domain::use_cases::{AdminUseCases, UseCases};
use std::{
    future::{Ready, ready},
    marker::PhantomData,
};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The one use case that a handler asks for, of all that its API has.
pub(crate) struct UseCase<T: 'static, All: 'static = UseCases> {
    all: Data<All>,
    in_flight: Data<TaskTracker>,
    one: PhantomData<T>,
}

/// The one that a handler of the admin API asks for.
pub(crate) type AdminCase<T> = UseCase<T, AdminUseCases>;

impl<T, All> Clone for UseCase<T, All> {
    fn clone(&self) -> Self {
        Self {
            all: self.all.clone(),
            in_flight: self.in_flight.clone(),
            one: PhantomData,
        }
    }
}

impl<T, All: AsRef<T>> UseCase<T, All> {
    /// For what only reads: it ends when the client hangs up.
    pub(crate) fn get(&self) -> &T {
        self.all.get_ref().as_ref()
    }

    /// Carries it to its end even if the client hangs up: what was begun in one store is finished in the other.
    pub(crate) async fn run<R: 'static>(
        self,
        work: impl AsyncFnOnce(&T) -> R + 'static,
    ) -> Result<R, Problem> {
        let Self { all, in_flight, .. } = self;
        let (tell, told) = oneshot::channel();
        // One type for all use cases: the runtime's code is there once.
        let work: LocalBoxFuture<'static, ()> = Box::pin(async move {
            // Nobody hears it once the client has hung up.
            drop(tell.send(work(all.get_ref().as_ref()).await));
        });
        rt::spawn(in_flight.track_future(work).in_current_span());
        // It is dropped unsaid by a panic alone, which the runtime's own error would quote.
        told.await.map_err(|_| Problem::internal(&Panicked))
    }
}

impl<T, All: AsRef<T>> FromRequest for UseCase<T, All> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (all, in_flight) = (
            request.app_data::<Data<All>>(),
            request.app_data::<Data<TaskTracker>>(),
        );
        ready(match (all, in_flight) {
            (Some(all), Some(in_flight)) => Ok(Self {
                all: all.clone(),
                in_flight: in_flight.clone(),
                one: PhantomData,
            }),
            _ => Err(Problem::internal(&NotRegistered)),
        })
    }
}

/// The composition root forgot something.
#[derive(Debug, thiserror::Error)]
#[error("the use cases are not registered")]
struct NotRegistered;

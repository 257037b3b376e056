//! A store whose failures are switched on and off.

use super::lock;
use revolve_domain::ports::{Decorator, PortFuture, StoreError};
use std::sync::Mutex;

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before it takes effect: the store can't be reached.
    Before,
    /// After it took effect: the answer is lost.
    After,
    /// Before it takes effect, and no further call: the row that this one needs is corrupt.
    Corrupt,
}

/// Wraps a store; each failure is of kind `Unavailable`, but that of a corrupt row. Operations have the names that [`Decorator`] gives them.
#[derive(Debug)]
pub struct Faulty<T> {
    inner: T,
    fault: Mutex<Option<(Fault, Option<&'static str>)>>,
}

impl<T> Faulty<T> {
    /// A store without failures.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            fault: Mutex::new(None),
        }
    }

    /// The store itself, which never fails.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// Makes every call fail.
    pub fn fail(&self, fault: Fault) {
        *lock(&self.fault) = Some((fault, None));
    }

    /// Makes the calls of this operation fail, and no others.
    pub fn fail_on(&self, operation: &'static str, fault: Fault) {
        *lock(&self.fault) = Some((fault, Some(operation)));
    }

    /// Ends the failures.
    pub fn recover(&self) {
        *lock(&self.fault) = None;
    }
}

impl<T: Send + Sync> Decorator for Faulty<T> {
    type Port = T;

    async fn call<'a, R: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a T) -> PortFuture<'a, R> + Send + 'a,
    ) -> Result<R, StoreError> {
        let fault = *lock(&self.fault);
        match fault.filter(|(_, only)| only.is_none_or(|only| only == operation)) {
            None => work(&self.inner).await,
            Some((Fault::Before, _)) => Err(StoreError::unavailable(
                "faulty",
                operation,
                "told to fail before it takes effect",
            )),
            Some((Fault::Corrupt, _)) => {
                self.recover();
                Err(StoreError::broken(
                    "faulty",
                    operation,
                    "told to be corrupt",
                ))
            }
            Some((Fault::After, _)) => {
                work(&self.inner).await?;
                Err(StoreError::unavailable(
                    "faulty",
                    operation,
                    "told to lose the answer",
                ))
            }
        }
    }
}

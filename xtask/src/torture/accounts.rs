//! Accounts that exist already, each for one round at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::harness::profile::Account;

#[derive(Debug)]
pub(crate) struct AccountPool {
    free: Arc<Mutex<Vec<Account>>>,
    permits: Arc<Semaphore>,
}

impl AccountPool {
    /// There must be one at least, or rounds would wait for ever.
    pub(crate) fn new(accounts: Vec<Account>) -> Option<Self> {
        let permits = Arc::new(Semaphore::new(accounts.len()));
        let free = Arc::new(Mutex::new(accounts));
        (permits.available_permits() > 0).then_some(Self { free, permits })
    }

    /// Waits for a free one.
    pub(crate) async fn lease(&self) -> AccountLease {
        loop {
            // The semaphore is never closed.
            if let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await
                && let Some(lease) = self.take(permit)
            {
                return lease;
            }
        }
    }

    /// One, if one is free.
    pub(crate) fn lease_now(&self) -> Option<AccountLease> {
        self.take(Arc::clone(&self.permits).try_acquire_owned().ok()?)
    }

    fn take(&self, permit: OwnedSemaphorePermit) -> Option<AccountLease> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        Some(AccountLease {
            account: free.pop()?,
            free: Arc::clone(&self.free),
            _permit: permit,
        })
    }
}

/// Gives its account back when it is dropped.
#[derive(Debug)]
pub(crate) struct AccountLease {
    account: Account,
    free: Arc<Mutex<Vec<Account>>>,
    _permit: OwnedSemaphorePermit,
}

impl AccountLease {
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }
}

impl Drop for AccountLease {
    fn drop(&mut self) {
        // Fields are dropped after this, so that there is an account for each permit.
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.account.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_has_one_holder_at_a_time() {
        let account = Account {
            user: "ann@example.org".to_owned(),
            password: String::new(),
        };
        assert!(AccountPool::new(Vec::new()).is_none());
        let pool = AccountPool::new(vec![account]).unwrap();
        let first = pool.lease().await;
        assert!(pool.lease_now().is_none());
        let waiting = pool.lease();
        drop(first);
        assert_eq!(waiting.await.account().user, "ann@example.org");
        assert!(pool.lease_now().is_some());
    }
}

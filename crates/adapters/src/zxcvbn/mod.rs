//! Password strength by zxcvbn, which knows the lists that attackers use and the usual variations of words. Its estimate of the guesses that
//! a password withstands is compared with one number. That takes milliseconds of CPU time, so it runs on blocking threads, a few at once, and
//! is shared fairly.

mod estimate;

use crate::fair_queue::semaphore::FairSemaphore;
use async_trait::async_trait;
use revolve_domain::{
    model::Password,
    ports::{HashFlow, PasswordStrength, PasswordVerdict, StoreError},
};
use secrecy::{ExposeSecret, SecretString};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::task;

const STORE: &str = "password strength";
const OPERATION: &str = "judge a password";

/// Limits of judging.
#[derive(Clone, Copy, Debug)]
pub struct JudgingConfig {
    /// Most passwords that are judged at once, a core for each.
    pub threads: NonZeroUsize,
    /// Longest wait for a thread.
    pub patience: Duration,
}

impl Default for JudgingConfig {
    /// One thread, so that a flood of sign-ups uses one core at most for this; 2 s.
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            patience: Duration::from_secs(2),
        }
    }
}

/// Judges passwords.
pub struct ZxcvbnStrength {
    /// Words of the service, which its users know.
    words: Arc<[String]>,
    permits: FairSemaphore,
}

impl ZxcvbnStrength {
    /// `words` are those that users know the service by: its name, its host.
    pub fn new(words: impl IntoIterator<Item = String>, config: JudgingConfig) -> Self {
        Self {
            words: words.into_iter().collect(),
            permits: FairSemaphore::new(config.threads, config.patience),
        }
    }
}

#[async_trait]
impl PasswordStrength for ZxcvbnStrength {
    async fn judge(
        &self,
        flow: &HashFlow,
        password: &Password,
        own: &[&str],
    ) -> Result<PasswordVerdict, StoreError> {
        let permit = self.permits.acquire(flow).await.map_err(overloaded)?;
        let own: Vec<String> = own.iter().map(|&word| word.to_owned()).collect();
        let (password, words) = (
            SecretString::from(password.expose()),
            Arc::clone(&self.words),
        );
        let judging = task::spawn_blocking(move || {
            // Held until the work is done, also if the client is gone: it uses the core until then.
            let _permit = permit;
            let own: Vec<&str> = own.iter().chain(words.iter()).map(String::as_str).collect();
            estimate::verdict(password.expose_secret(), &own)
        });
        // Not the error: it quotes the panic's message, which may contain a part of the password.
        judging
            .await
            .map_err(|_| StoreError::broken(STORE, OPERATION, "judging the password panicked"))
    }
}

/// With the estimated wait.
fn overloaded(wait: Duration) -> StoreError {
    StoreError::unavailable(
        STORE,
        OPERATION,
        "more passwords wait to be judged than can be in time",
    )
    .retry_after(wait)
}

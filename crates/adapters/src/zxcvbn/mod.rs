//! Passwords judged by zxcvbn, which knows the lists that guessers use and the ways in which people change words: its estimate of
//! how many guesses a password withstands is compared with one number. Judging takes milliseconds of CPU time, so it happens on
//! threads of its own, few at once.

mod estimate;

use async_trait::async_trait;
use revolve_domain::{
    model::Password,
    ports::{PasswordStrength, PasswordVerdict, StoreError},
};
use secrecy::{ExposeSecret, SecretString};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task, time::timeout};

const STORE: &str = "password strength";
const OPERATION: &str = "judge a password";

/// How much may be judged at once.
#[derive(Clone, Copy, Debug)]
pub struct JudgingConfig {
    /// Passwords judged at the same time, a core for each.
    pub threads: NonZeroUsize,
    /// Longest wait for a place among them.
    pub patience: Duration,
}

impl Default for JudgingConfig {
    /// One thread, so that a flood of sign-ups takes no more than a core for this; 2 s.
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            patience: Duration::from_secs(2),
        }
    }
}

/// A judge of passwords.
pub struct ZxcvbnStrength {
    /// Words of the service, which everybody there knows.
    words: Arc<[String]>,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl ZxcvbnStrength {
    /// A judge for a service that others know by `words`: its name, its host.
    pub fn new(words: impl IntoIterator<Item = String>, config: JudgingConfig) -> Self {
        Self {
            words: words.into_iter().collect(),
            places: Arc::new(Semaphore::new(config.threads.get())),
            patience: config.patience,
        }
    }
}

#[async_trait]
impl PasswordStrength for ZxcvbnStrength {
    async fn judge(
        &self,
        password: &Password,
        own: &[&str],
    ) -> Result<PasswordVerdict, StoreError> {
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|late| StoreError::unavailable(STORE, OPERATION, late))?;
        let place = place.map_err(|closed| StoreError::unavailable(STORE, OPERATION, closed))?;
        let own: Vec<String> = own.iter().map(|&word| word.to_owned()).collect();
        let (password, words) = (
            SecretString::from(password.expose()),
            Arc::clone(&self.words),
        );
        let judging = task::spawn_blocking(move || {
            // Given back only when the work is done: who hangs up frees no core.
            let _place = place;
            let own: Vec<&str> = own.iter().chain(words.iter()).map(String::as_str).collect();
            estimate::verdict(password.expose_secret(), &own)
        });
        // Not the error: it quotes what a panic said, which may be a piece of the password.
        judging
            .await
            .map_err(|_| StoreError::broken(STORE, OPERATION, "judging the password panicked"))
    }
}

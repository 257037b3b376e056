//! A system that accounts came from.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    model::{EmailAddress, Password},
    ports::{LegacyVerifier, StoreError},
};
use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Knows passwords, and remembers whose it was asked for.
#[derive(Debug, Default)]
pub struct FormerSystem {
    passwords: Mutex<HashMap<EmailAddress, String>>,
    asked: Mutex<Vec<EmailAddress>>,
    down: AtomicBool,
}

impl FormerSystem {
    /// It knows this password.
    pub fn know(&self, email: EmailAddress, password: &Password) {
        lock(&self.passwords).insert(email, password.expose().to_owned());
    }

    /// Whether to answer nothing.
    pub fn fail(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Whose passwords it was asked for since this was called last.
    pub fn take_asked(&self) -> Vec<EmailAddress> {
        std::mem::take(&mut lock(&self.asked))
    }
}

#[async_trait]
impl LegacyVerifier for FormerSystem {
    async fn verify(&self, email: &EmailAddress, password: &Password) -> Result<bool, StoreError> {
        lock(&self.asked).push(email.clone());
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable(
                "import.verifier",
                "check a password",
                "told to answer nothing",
            ));
        }
        let passwords = lock(&self.passwords);
        Ok(passwords.get(email).map(String::as_str) == Some(password.expose()))
    }
}

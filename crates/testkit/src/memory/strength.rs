//! A judge of passwords with a short list.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    model::Password,
    ports::{HashFlow, PasswordStrength, PasswordVerdict, StoreError},
};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The most common passwords.
const COMMON: [&str; 8] = [
    "12345678",
    "123456789",
    "password",
    "qwertyuiop",
    "iloveyou",
    "password1",
    "11111111",
    "sunshine",
];

/// Refuses a few common passwords and the owner's details, each as a whole. For tests only.
#[derive(Debug, Default)]
pub struct ShortList {
    calls: AtomicU64,
    overloaded: AtomicBool,
    flows: Mutex<Vec<HashFlow>>,
}

impl ShortList {
    /// How many passwords have been judged.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// For whom passwords were judged since this was called last.
    pub fn take_flows(&self) -> Vec<HashFlow> {
        std::mem::take(&mut lock(&self.flows))
    }

    /// Whether to refuse calls like an overloaded judge.
    pub fn overload(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::SeqCst);
    }
}

#[async_trait]
impl PasswordStrength for ShortList {
    async fn judge(
        &self,
        flow: &HashFlow,
        password: &Password,
        own: &[&str],
    ) -> Result<PasswordVerdict, StoreError> {
        if self.overloaded.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable(
                "strength",
                "judge a password",
                "told to be overloaded",
            ));
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        lock(&self.flows).push(flow.clone());
        let text = password.expose().to_lowercase();
        Ok(if own.iter().any(|word| word.to_lowercase() == text) {
            PasswordVerdict::OwnDetails
        } else if COMMON.contains(&text.as_str()) {
            PasswordVerdict::TooCommon
        } else {
            PasswordVerdict::Fine
        })
    }
}

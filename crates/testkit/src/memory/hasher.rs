//! A password "hasher" that does not hash, and that a test can pause.

use super::tag::{encode, scramble, tag};
use async_trait::async_trait;
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{HashFlow, PasswordCheck, PasswordHasher, StoreError},
};
use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// Makes `$plain$v=<version>$<salt>$<checksum>`. For tests only: this is not a password hash.
#[derive(Debug)]
pub struct PlainHasher {
    version: AtomicU32,
    calls: AtomicU64,
    overloaded: AtomicBool,
    overloaded_with_strangers: AtomicBool,
    busy: AtomicBool,
    flows: Mutex<Vec<HashFlow>>,
    gate: watch::Sender<Gate>,
}

/// Calls take a number when they arrive; those with a number in `held` wait.
#[derive(Clone, Debug, Default)]
struct Gate {
    arrived: u64,
    waiting: usize,
    held: Range<u64>,
}

/// A closed gate in front of the hasher; opens when dropped.
#[derive(Debug)]
#[must_use = "the gate opens again when this is dropped"]
pub struct HeldHasher<'a> {
    hasher: &'a PlainHasher,
}

impl Default for PlainHasher {
    fn default() -> Self {
        Self {
            version: AtomicU32::new(1),
            calls: AtomicU64::new(0),
            overloaded: AtomicBool::new(false),
            overloaded_with_strangers: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            flows: Mutex::default(),
            gate: watch::Sender::new(Gate::default()),
        }
    }
}

impl PlainHasher {
    /// Closes the gate: calls that come from now on wait until the answer is dropped.
    pub fn hold(&self) -> HeldHasher<'_> {
        self.gate
            .send_modify(|gate| gate.held = gate.arrived..u64::MAX);
        HeldHasher { hasher: self }
    }

    /// Makes all present hashes outdated.
    pub fn change_parameters(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether to refuse calls like an overloaded hasher.
    pub fn overload(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::SeqCst);
    }

    /// Whether to refuse calls for strangers.
    pub fn overload_with_strangers(&self, overloaded: bool) {
        self.overloaded_with_strangers
            .store(overloaded, Ordering::SeqCst);
    }

    /// Whether what comes has to wait, in no time here.
    pub fn occupy(&self, busy: bool) {
        self.busy.store(busy, Ordering::SeqCst);
    }

    /// How many passwords have been hashed or checked.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// For whom passwords were hashed or checked since this was called last.
    pub fn take_flows(&self) -> Vec<HashFlow> {
        std::mem::take(&mut self.flows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn work(&self, flow: &HashFlow) -> Result<u64, StoreError> {
        self.admit(flow)?;
        self.flows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(flow.clone());
        let mut number = 0;
        self.gate.send_modify(|gate| {
            number = gate.arrived;
            gate.arrived += 1;
            gate.waiting += 1;
        });
        let mut gate = self.gate.subscribe();
        // Fails only without the sender, which is in `self`.
        drop(gate.wait_for(|gate| !gate.held.contains(&number)).await);
        self.gate.send_modify(|gate| gate.waiting -= 1);
        Ok(self.calls.fetch_add(1, Ordering::SeqCst))
    }
}

impl HeldHasher<'_> {
    /// Waits until this many calls wait at the gate.
    pub async fn wait_for(&self, waiting: usize) {
        let mut gate = self.hasher.gate.subscribe();
        drop(gate.wait_for(|gate| gate.waiting >= waiting).await);
    }

    /// Lets later calls pass; those that wait keep waiting.
    pub fn only_these(&self) {
        self.hasher
            .gate
            .send_modify(|gate| gate.held.end = gate.arrived);
    }

    /// Opens the gate.
    pub fn release(self) {}
}

impl Drop for HeldHasher<'_> {
    fn drop(&mut self) {
        self.hasher
            .gate
            .send_modify(|gate| gate.held = Range::default());
    }
}

fn phc(version: u32, salt: &str, password: &Password) -> String {
    format!("$plain$v={version}${salt}${}", tag(salt, password.expose()))
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    fn admit(&self, flow: &HashFlow) -> Result<(), StoreError> {
        let with_strangers = self.overloaded_with_strangers.load(Ordering::SeqCst);
        if self.overloaded.load(Ordering::SeqCst) || (with_strangers && !flow.known) {
            return Err(StoreError::unavailable(
                "hasher",
                "hash a password",
                "told to be overloaded",
            ));
        }
        Ok(())
    }

    async fn hash(&self, flow: &HashFlow, password: &Password) -> Result<PasswordHash, StoreError> {
        let salt = encode(&scramble(self.work(flow).await?).to_be_bytes());
        Ok(PasswordHash::from_phc(phc(
            self.version.load(Ordering::SeqCst),
            &salt,
            password,
        )))
    }

    async fn try_hash(
        &self,
        flow: &HashFlow,
        password: &Password,
    ) -> Result<Option<PasswordHash>, StoreError> {
        if self.busy.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.hash(flow, password).await.map(Some)
    }

    async fn check(
        &self,
        flow: &HashFlow,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError> {
        self.work(flow).await?;
        let Some(hash) = hash else {
            return Ok(PasswordCheck::Mismatch);
        };
        let broken = || {
            StoreError::broken(
                "hasher",
                "check a password",
                "not a hash of the test hasher",
            )
        };
        let mut parts = hash.expose().split('$').skip(2);
        let (version, salt) = (
            parts.next().and_then(|part| part.strip_prefix("v=")),
            parts.next(),
        );
        let version: u32 = version
            .and_then(|version| version.parse().ok())
            .ok_or_else(broken)?;
        if phc(version, salt.ok_or_else(broken)?, password) != hash.expose() {
            return Ok(PasswordCheck::Mismatch);
        }
        Ok(PasswordCheck::Match {
            outdated: version != self.version.load(Ordering::SeqCst),
        })
    }
}

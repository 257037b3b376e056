//! Clients that refresh, read their account and fetch the key set without a pause, and record what fails.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use super::balancer::Balancer;
use crate::harness::http::{HttpClient, Request, Response};

/// The clients; they run until they are stopped.
pub(super) struct Load {
    shared: Arc<Shared>,
    clients: JoinHandle<()>,
}

struct Shared {
    balancer: Balancer,
    http: HttpClient,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    stop: AtomicBool,
    counted: Notify,
}

impl Shared {
    fn failures(&self) -> MutexGuard<'_, Vec<String>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    pub(super) async fn start(balancer: Balancer, clients: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            balancer,
            http: HttpClient::new()?,
            requests: AtomicU64::new(0),
            failures: Mutex::default(),
            stop: AtomicBool::new(false),
            counted: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let client = LoadClient::sign_up(Arc::clone(&shared), number).await?;
            tasks.spawn(client.run());
        }
        let clients = tokio::spawn(async move { while tasks.join_next().await.is_some() {} });
        Ok(Self { shared, clients })
    }

    pub(super) fn balancer(&self) -> &Balancer {
        &self.shared.balancer
    }

    /// Requests so far, failed ones included.
    pub(super) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> usize {
        self.shared.failures().len()
    }

    pub(super) fn first_failure(&self) -> String {
        self.shared.failures().first().cloned().unwrap_or_default()
    }

    /// Waits for a hundred more requests.
    pub(super) async fn next_hundred(&self) {
        let goal = self.requests() + 100;
        while self.requests() < goal {
            self.shared.counted.notified().await;
        }
    }

    /// Stops the clients; the number of requests, and what failed.
    pub(super) async fn stop(self) -> (u64, Vec<String>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(self.clients.await);
        let failures = std::mem::take(&mut *self.shared.failures());
        (self.shared.requests.load(Ordering::Relaxed), failures)
    }
}

struct LoadClient {
    shared: Arc<Shared>,
    id_token: String,
    refresh_token: String,
}

impl LoadClient {
    async fn sign_up(shared: Arc<Shared>, number: usize) -> Result<Self> {
        let mut client = Self {
            shared,
            id_token: String::new(),
            refresh_token: String::new(),
        };
        let body = json!({ "email": format!("client-{number}@example.org"), "password": "correct horse battery" });
        let response = client
            .send("/api/account/signup", |url| Request::post(url, &body))
            .await?;
        client.keep(&response)?;
        Ok(client)
    }

    async fn run(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            if let Err(error) = self.turn().await {
                self.shared.failures().push(format!("{error:#}"));
            }
        }
    }

    /// A refresh and two reads.
    async fn turn(&mut self) -> Result<()> {
        let body = json!({ "refreshToken": self.refresh_token });
        let response = self
            .send("/api/account/tokens", |url| Request::post(url, &body))
            .await?;
        self.keep(&response)?;
        self.send("/api/account/me", |url| {
            Ok(Request::get(url)?.bearer(&self.id_token))
        })
        .await?;
        self.send("/.well-known/jwks.json", Request::get).await?;
        Ok(())
    }

    fn keep(&mut self, response: &Response) -> Result<()> {
        self.id_token = response.text("/tokens/idToken")?;
        self.refresh_token = response.text("/tokens/refreshToken")?;
        Ok(())
    }

    /// Sends one request once.
    async fn send(
        &self,
        path: &str,
        request: impl FnOnce(&str) -> Result<Request>,
    ) -> Result<Response> {
        let outcome = async {
            let base = self.shared.balancer.pick().await?;
            let request = request(&format!("{base}{path}"))?;
            let response = self.shared.http.send(&request).await.context("no answer")?;
            if response.is_success() {
                Ok(response)
            } else {
                Err(anyhow!("{} {}", response.status, response.code()))
            }
        };
        let outcome = outcome.await.with_context(|| path.to_owned());
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        self.shared.counted.notify_one();
        outcome
    }
}

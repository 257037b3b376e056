//! Clients that refresh, look at their account and fetch the key set without a pause, and keep count of what fails.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use anyhow::{Context as _, Result, anyhow};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use super::balancer::Balancer;

/// The clients; they go on until they are stopped.
pub(super) struct Load {
    shared: Arc<Shared>,
    clients: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    stop: AtomicBool,
    counted: Notify,
}

impl Load {
    pub(super) async fn start(balancer: &Arc<Balancer>, clients: usize) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let mut client = Client {
                balancer: Arc::clone(balancer),
                shared: Arc::clone(&shared),
                tokens: Value::Null,
            };
            client.sign_up(number).await?;
            tasks.spawn(client.go_on());
        }
        let clients = tokio::spawn(async move { while tasks.join_next().await.is_some() {} });
        Ok(Self { shared, clients })
    }

    /// How many requests were answered, or failed.
    pub(super) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> usize {
        self.shared
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    pub(super) fn first_failure(&self) -> String {
        self.shared
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .cloned()
            .unwrap_or_default()
    }

    /// Waits for a hundred more.
    pub(super) async fn next_hundred(&self) {
        let goal = self.requests() + 100;
        while self.requests() < goal {
            self.shared.counted.notified().await;
        }
    }

    /// Ends the clients; how many requests there were, and what failed.
    pub(super) async fn stop(self) -> (u64, Vec<String>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(self.clients.await);
        let failures = std::mem::take(
            &mut *self
                .shared
                .failures
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        (self.shared.requests.load(Ordering::Relaxed), failures)
    }
}

struct Client {
    balancer: Arc<Balancer>,
    shared: Arc<Shared>,
    tokens: Value,
}

impl Client {
    async fn sign_up(&mut self, number: usize) -> Result<()> {
        let body = json!({ "email": format!("client-{number}@example.org"), "password": "correct horse battery" });
        let answer = self
            .ask(Method::POST, "/api/account/signup", |request| {
                request.json(&body)
            })
            .await?;
        self.tokens = answer["tokens"].clone();
        Ok(())
    }

    async fn go_on(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let outcome = self.turn().await;
            if let Err(error) = outcome {
                self.shared
                    .failures
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("{error:#}"));
            }
        }
    }

    /// A refresh and two questions.
    async fn turn(&mut self) -> Result<()> {
        let body = json!({ "refreshToken": self.tokens["refreshToken"] });
        let answer = self
            .ask(Method::POST, "/api/account/tokens", |request| {
                request.json(&body)
            })
            .await?;
        self.tokens = answer["tokens"].clone();
        let token = self.tokens["idToken"]
            .as_str()
            .context("no ID token")?
            .to_owned();
        self.ask(Method::GET, "/api/account/me", |request| {
            request.bearer_auth(&token)
        })
        .await?;
        self.ask(Method::GET, "/.well-known/jwks.json", |request| request)
            .await?;
        Ok(())
    }

    /// One request, once.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value> {
        let outcome = async {
            let url = self.balancer.pick().await?;
            let answer = with(self.balancer.http().request(method, format!("{url}{path}")))
                .send()
                .await
                .context("no answer")?;
            let status = answer.status();
            let body: Value = answer.json().await.context("no whole answer")?;
            if status.is_success() {
                Ok(body)
            } else {
                Err(anyhow!("{status} {}", body["code"]))
            }
        };
        let outcome = outcome.await.with_context(|| path.to_owned());
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        self.shared.counted.notify_one();
        outcome
    }
}

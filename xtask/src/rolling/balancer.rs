//! Chooses the replica of each request, as a balancer before the service does: it follows `/health/ready` and takes turns. It is part of the
//! client and carries no bytes, so that a request that fails is seen as it failed. Nothing is retried.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::harness::http::HttpClient;

/// Between two health checks of a replica.
const INTERVAL: Duration = Duration::from_millis(200);
/// A health check that takes longer has failed.
const CHECK: Duration = Duration::from_secs(1);
/// How long a request waits for a replica that is ready.
const QUEUE: Duration = Duration::from_secs(5);

struct Backend {
    url: String,
    ready: bool,
}

#[derive(Default)]
struct Backends {
    all: Vec<Backend>,
    turn: usize,
}

/// The health checks end when it is dropped.
pub(super) struct Balancer {
    backends: Arc<Mutex<Backends>>,
    _checks: JoinSet<()>,
}

impl Balancer {
    pub(super) fn start(urls: Vec<String>) -> Result<Self> {
        let http = HttpClient::without_keep_alive(CHECK)?;
        let all: Vec<_> = urls
            .into_iter()
            .map(|url| Backend { url, ready: false })
            .collect();
        let (count, mut checks) = (all.len(), JoinSet::new());
        let backends = Arc::new(Mutex::new(Backends { all, turn: 0 }));
        for slot in 0..count {
            checks.spawn(check(http.clone(), Arc::clone(&backends), slot));
        }
        Ok(Self {
            backends,
            _checks: checks,
        })
    }

    /// The URL of a replica that is ready; waits while there is none.
    pub(super) async fn pick(&self) -> Result<String> {
        let found = async {
            loop {
                if let Some(url) = self.pick_now() {
                    return url;
                }
                sleep(INTERVAL / 10).await;
            }
        };
        timeout(QUEUE, found).await.context("no replica is ready")
    }

    fn pick_now(&self) -> Option<String> {
        let mut backends = lock(&self.backends);
        backends.turn += 1;
        let ready: Vec<_> = backends
            .all
            .iter()
            .filter(|backend| backend.ready)
            .collect();
        (!ready.is_empty()).then(|| ready[backends.turn % ready.len()].url.clone())
    }

    /// A replica has started again at this URL.
    pub(super) fn moved(&self, slot: usize, url: String) {
        lock(&self.backends).all[slot] = Backend { url, ready: false };
    }

    /// Waits until a replica is ready.
    pub(super) async fn ready(&self, slot: usize, at_most: Duration) -> Result<()> {
        let found = async {
            while !lock(&self.backends).all[slot].ready {
                sleep(INTERVAL / 10).await;
            }
        };
        timeout(at_most, found)
            .await
            .with_context(|| format!("replica {slot} is not ready within {at_most:?}"))
    }
}

fn lock(backends: &Mutex<Backends>) -> MutexGuard<'_, Backends> {
    backends.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn check(http: HttpClient, backends: Arc<Mutex<Backends>>, slot: usize) {
    loop {
        let url = lock(&backends).all[slot].url.clone();
        let response = http.get(&format!("{url}/health/ready")).await;
        let ready = response.is_ok_and(|response| response.is_success());
        {
            let backend = &mut lock(&backends).all[slot];
            if backend.url == url {
                backend.ready = ready;
            }
        }
        sleep(INTERVAL).await;
    }
}

//! What stands before the replicas: it asks each whether it is ready and sends requests to those that are, on connections that it
//! keeps. It tries nothing twice, so that whatever fails is seen.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use reqwest::Client;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Between two looks at a replica.
const EVERY: Duration = Duration::from_millis(200);
/// A look that takes longer has found nothing.
const LOOK: Duration = Duration::from_secs(1);
/// So long a request waits for a replica.
const QUEUE: Duration = Duration::from_secs(5);

struct Backend {
    url: String,
    ready: bool,
}

/// The balancer; its looks end when it is dropped.
pub(super) struct Balancer {
    http: Client,
    state: Arc<State>,
    _looks: JoinSet<()>,
}

struct State(Mutex<(Vec<Backend>, usize)>);

impl State {
    fn lock(&self) -> MutexGuard<'_, (Vec<Backend>, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Balancer {
    pub(super) fn start(urls: Vec<String>) -> Result<Self> {
        let client = || {
            Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(30))
        };
        let http = client().build().context("no HTTP client")?;
        // A connection of its own for each look, as most proxies do.
        let looking = client()
            .pool_max_idle_per_host(0)
            .timeout(LOOK)
            .build()
            .context("no HTTP client")?;
        let backends: Vec<_> = urls
            .into_iter()
            .map(|url| Backend { url, ready: false })
            .collect();
        let state = Arc::new(State(Mutex::new((backends, 0))));
        let mut looks = JoinSet::new();
        for slot in 0..state.lock().0.len() {
            looks.spawn(look(looking.clone(), Arc::clone(&state), slot));
        }
        Ok(Self {
            http,
            state,
            _looks: looks,
        })
    }

    /// For requests; it keeps connections alive.
    pub(super) fn http(&self) -> &Client {
        &self.http
    }

    /// A replica that is ready, in turn; while there is none, the request waits.
    pub(super) async fn pick(&self) -> Result<String> {
        let found = async {
            loop {
                if let Some(url) = self.pick_now() {
                    return url;
                }
                sleep(EVERY / 10).await;
            }
        };
        timeout(QUEUE, found).await.context("no replica is ready")
    }

    fn pick_now(&self) -> Option<String> {
        let mut state = self.state.lock();
        let (backends, turn) = &mut *state;
        *turn += 1;
        let ready: Vec<_> = backends.iter().filter(|backend| backend.ready).collect();
        (!ready.is_empty()).then(|| ready[*turn % ready.len()].url.clone())
    }

    /// A replica has started again, elsewhere.
    pub(super) fn moved(&self, slot: usize, url: String) {
        self.state.lock().0[slot] = Backend { url, ready: false };
    }

    /// Waits until a replica was found ready.
    pub(super) async fn ready(&self, slot: usize, patience: Duration) -> Result<()> {
        let found = async {
            while !self.state.lock().0[slot].ready {
                sleep(EVERY / 10).await;
            }
        };
        timeout(patience, found)
            .await
            .with_context(|| format!("replica {slot} is not ready within {patience:?}"))
    }
}

/// Looks at one replica, wherever it is.
async fn look(http: Client, state: Arc<State>, slot: usize) {
    loop {
        let url = state.lock().0[slot].url.clone();
        let answer = http.get(format!("{url}/health/ready")).send().await;
        let ready = answer.is_ok_and(|answer| answer.status().is_success());
        {
            let backend = &mut state.lock().0[slot];
            if backend.url == url {
                backend.ready = ready;
            }
        }
        sleep(EVERY).await;
    }
}

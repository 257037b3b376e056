//! Starting a service, and people who use it.

mod actor;
mod backing;
mod proxy;

pub(crate) use actor::{Actor, PASSWORD, field_errors};
pub(crate) use backing::Backing;

use futures_util::FutureExt;
use revolve::{Application, BASE, config::Config};
use revolve_adapters::system::SystemClock;
use revolve_domain::ports::Clock;
use std::{net::SocketAddr, panic::AssertUnwindSafe, time::Duration};
use tokio::sync::oneshot;

/// Which stores a test runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// One SQLite file.
    Embedded,
    /// Redis and Postgres.
    Server,
}

/// A service that runs.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) backing: Backing,
    /// The configuration that it runs with.
    pub(crate) config: String,
    client: reqwest::Client,
}

/// Another replica over the same stores.
pub(crate) struct Replica {
    address: SocketAddr,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: actix_web::rt::task::JoinHandle<anyhow::Result<()>>,
}

impl Replica {
    /// Somebody without an account, who asks this replica.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.client.clone(), format!("http://{}", self.address))
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.running.await.expect("the server does not panic").expect("the server stops cleanly");
    }
}

/// Runs a test against a service on these stores, with more configuration in TOML (dotted keys).
pub(crate) fn with_config<F: Future<Output = ()>>(store: Store, more: &str, test: impl FnOnce(App) -> F) {
    // Whether JSON objects keep their order depends on what else is built.
    let mut snapshots = insta::Settings::clone_current();
    snapshots.set_sort_maps(true);
    let _guard = snapshots.bind_to_scope();
    actix_web::rt::System::new().block_on(async move {
        let Some(backing) = Backing::new(store).await else { return };
        let cleanup = backing.cleanup();
        let config = backing.config(more);
        let application = Application::build(parsed(&config)).await.expect("the service starts");
        let (address, metrics) = (application.address(), application.metrics_address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = actix_web::rt::spawn(application.run(async move { drop(stopped.await) }));
        let outcome = AssertUnwindSafe(test(App { address, metrics, backing, config, client: client() })).catch_unwind().await;
        drop(stop);
        running.await.expect("the server does not panic").expect("the server stops cleanly");
        cleanup.run().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

fn parsed(config: &str) -> Config {
    Config::from_toml(config).expect("the test's configuration is right")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(200).no_proxy().build().expect("a client can be made")
}

impl App {
    /// Somebody without an account.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.client.clone(), format!("http://{}", self.address))
    }

    /// Starts another replica over the same stores.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(&self.config).await
    }

    /// Starts another replica with a configuration of its own.
    pub(crate) async fn replica_with(&self, config: &str) -> Replica {
        let application = Application::build(parsed(config)).await.expect("another replica starts");
        let address = application.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = actix_web::rt::spawn(application.run(async move { drop(stopped.await) }));
        Replica { address, client: self.client.clone(), stop, running }
    }

    /// Somebody who has just signed up as `name@example.org`.
    pub(crate) async fn sign_up(&self, name: &str) -> Actor {
        let mut actor = self.anon();
        actor.sign_up(&format!("{name}@example.org")).await.expect(201);
        actor
    }

    /// A second device of somebody.
    pub(crate) async fn sign_in(&self, name: &str) -> Actor {
        let mut actor = self.anon();
        actor.sign_in(&format!("{name}@example.org"), PASSWORD).await.expect(200);
        actor
    }
}

/// The path of an operation.
pub(crate) fn path(operation: &str) -> String {
    format!("{BASE}{operation}")
}

/// Waits for the moment in a token's `exp`: the shortest lifetime is a second.
pub(crate) async fn wait_until_past(exp: &serde_json::Value) {
    let exp = exp.as_i64().expect("a NumericDate");
    while SystemClock.now().as_seconds() < exp + 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Each test runs on both kinds of store.
macro_rules! on_both_stores {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident: App $(, $more:literal)?) $body:block)+) => { $(
        mod $name {
            use super::*;

            async fn test($app: App) $body

            #[test]
            fn embedded() {
                crate::support::with_config(crate::support::Store::Embedded, concat!($($more)?), test);
            }

            #[test]
            fn server() {
                crate::support::with_config(crate::support::Store::Server, concat!($($more)?), test);
            }
        }
    )+ };
}
pub(crate) use on_both_stores;

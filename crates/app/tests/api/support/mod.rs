//! Starting a service, and people who use it.

mod actor;
mod backing;
mod cli;
pub(crate) mod described;
mod factors;
mod feed;
mod mailing;
mod program;
mod proxy;
mod raw;

pub(crate) use actor::{Actor, Answer, PASSWORD, field_errors};
use backing::cluster;
pub(crate) use backing::{Backing, ServerStores};

pub(crate) use cli::Said;
pub(crate) use factors::{ORIGIN, RP_ID, TotpApp, recovery_codes};
pub(crate) use feed::{FEED, sessions};
pub(crate) use mailing::{Mailing, on_both_stores_with_mail};
pub(crate) use program::Program;
pub(crate) use raw::Raw;

use futures_util::FutureExt;
use revolve::{Application, BASE, config::Config};
use revolve_adapters::system::SystemClock;
use revolve_domain::{model::Timestamp, ports::Clock};
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};
use std::{net::SocketAddr, panic::AssertUnwindSafe, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle};

/// Which stores a test runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// One SQLite file.
    Embedded,
    /// Redis and Postgres.
    Server,
    /// Redis, and Postgres through a pooler.
    Pooled,
}

/// A service that runs.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) backing: Backing,
    pub(crate) config: String,
    client: reqwest::Client,
}

/// A service until it is stopped.
pub(crate) struct Running {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn start(config: &str) -> Self {
        let config = Config::from_toml(config).expect("the test's configuration is right");
        let application = Application::build(config)
            .await
            .expect("the service starts");
        let (address, metrics) = (application.address(), application.metrics_address());
        let admin = application.admin_address();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = actix_web::rt::spawn(application.run(async move { drop(stopped.await) }));
        Self {
            address,
            metrics,
            admin,
            client: client(),
            stop,
            ended,
        }
    }

    /// Somebody without an account.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.client.clone(), format!("http://{}", self.address))
    }

    /// Stops it and waits until it has.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.ended
            .await
            .expect("the server does not panic")
            .expect("the server stops cleanly");
    }
}

/// Runs a test against a service on these stores, with more configuration in TOML (dotted keys).
pub(crate) fn with_config<F: Future<Output = ()>>(
    store: Store,
    more: &str,
    test: impl FnOnce(App) -> F,
) {
    with_prepared(store, async || (more.to_owned(), ()), |app, ()| test(app));
}

/// The same with a mail server.
pub(crate) fn with_mail<F: Future<Output = ()>>(
    store: Store,
    more: &str,
    test: impl FnOnce(App, SmtpSink) -> F,
) {
    let prepare = async || {
        let sink = SmtpSink::start(SinkSettings::default())
            .await
            .expect("a port is free");
        let mail = format!(
            "mail.url = '{}'\nmail.from = 'Example <accounts@example.org>'\n{more}",
            sink.url()
        );
        (mail, sink)
    };
    with_prepared(store, prepare, test);
}

/// Runs a test with what it needs beside its stores, which answers more configuration.
pub(crate) fn with_prepared<T, F: Future<Output = ()>>(
    store: Store,
    prepare: impl AsyncFnOnce() -> (String, T),
    test: impl FnOnce(App, T) -> F,
) {
    // Whether JSON objects keep their order depends on what else is built.
    let mut snapshots = insta::Settings::clone_current();
    snapshots.set_sort_maps(true);
    let _guard = snapshots.bind_to_scope();
    actix_web::rt::System::new().block_on(async move {
        let Some(backing) = Backing::new(store).await else {
            return;
        };
        let cleanup = backing.cleanup();
        let (more, prepared) = prepare().await;
        let config = backing.config(&more);
        let running = Running::start(&config).await;
        let (address, metrics, admin) = (running.address, running.metrics, running.admin);
        let app = App {
            address,
            metrics,
            admin,
            backing,
            config,
            client: client(),
        };
        let outcome = AssertUnwindSafe(test(app, prepared)).catch_unwind().await;
        running.stop().await;
        cleanup.run().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

/// The same on a single Redis that the test may cut; a cluster has its own tests of that, in the adapters.
pub(crate) fn with_one_redis<F: Future<Output = ()>>(more: &str, test: impl FnOnce(App) -> F) {
    if !skipped_over_a_cluster() {
        with_config(Store::Server, more, test);
    }
}

/// Whether this run has a Redis Cluster, over which a test about a single Redis is left out.
pub(crate) fn skipped_over_a_cluster() -> bool {
    if cluster() {
        println!("skipped: about a single Redis, and this run has a cluster");
    }
    cluster()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .pool_max_idle_per_host(200)
        .no_proxy()
        .build()
        .expect("a client can be made")
}

impl App {
    /// Somebody without an account.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.client.clone(), format!("http://{}", self.address))
    }

    /// Somebody without an account at another address.
    pub(crate) fn actor_at(&self, url: &str) -> Actor {
        Actor::new(self.client.clone(), url.to_owned())
    }

    /// Another replica: a second service over the same stores, with the same keys.
    pub(crate) async fn replica(&self) -> Running {
        self.replica_with(&self.config).await
    }

    /// Another replica with a configuration of its own.
    pub(crate) async fn replica_with(&self, config: &str) -> Running {
        Running::start(config).await
    }

    /// Somebody who has just signed up as `name@example.org`.
    pub(crate) async fn sign_up(&self, name: &str) -> Actor {
        let mut actor = self.anon();
        actor
            .sign_up(&format!("{name}@example.org"))
            .await
            .expect(201);
        actor
    }

    /// A second device of somebody.
    pub(crate) async fn sign_in(&self, name: &str) -> Actor {
        let mut actor = self.anon();
        actor
            .sign_in(&format!("{name}@example.org"), PASSWORD)
            .await
            .expect(200);
        actor
    }
}

/// The path of an operation.
pub(crate) fn path(operation: &str) -> String {
    format!("{BASE}{operation}")
}

/// Waits until a token with these claims is past its `exp`.
pub(crate) async fn wait_until_past(claims: &serde_json::Value) {
    let exp = claims["exp"].as_i64().expect("a NumericDate");
    wait_until(Timestamp::from_seconds(exp + 1)).await;
}

/// The same for a refresh token that has just been answered: its store counts the lifetime from a write that came after `iat` and before the answer.
pub(crate) async fn wait_until_gone(claims: &serde_json::Value) {
    let of = |claim: &str| claims[claim].as_i64().expect("a NumericDate");
    let lifetime = Duration::from_secs((of("exp") - of("iat")).unsigned_abs());
    let written = SystemClock.now().plus(lifetime);
    wait_until_past(claims).await;
    wait_until(written).await;
}

/// Waits for a moment.
pub(crate) async fn wait_until(moment: Timestamp) {
    while SystemClock.now() < moment {
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

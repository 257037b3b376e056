//! The service as a whole: built, bound, run, stopped.

use crate::{Service, background::Background, config::Config, http, metrics::Metrics};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle, Service as _},
    http::ConnectionType,
    web::Data,
};
use anyhow::{Context, Result};
use futures_util::future::{Either, select};
use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::time;

/// A service that is bound to its address and connected to its stores.
pub struct Application {
    server: Server,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    service: Service,
    drain_delay: Duration,
}

impl Application {
    /// Wires the service, migrates its stores and binds its address.
    ///
    /// # Errors
    /// A message that says what is wrong: a configuration key, a store that can't be reached, an address in use.
    pub async fn build(config: Config) -> Result<Self> {
        let settings = config.http.clone();
        let listener = TcpListener::bind(settings.listen).with_context(|| format!("http.listen: can't listen on {}", settings.listen))?;
        let address = listener.local_addr().context("http.listen: the address in use is not known")?;

        let service = Service::build(config).await?;
        let metrics_at = |at| serve_metrics(at, service.shared_metrics(), service.background());
        let metrics_address = settings.metrics_listen.map(metrics_at).transpose()?;
        let served = service.clone();
        let mut server = HttpServer::new(move || {
            let stopping = served.stopping();
            let app = App::new().service(served.scope()).configure(served.well_known());
            app.configure(served.health()).configure(http::nothing_else).wrap_fn(move |request, routes| {
                let (answer, stopping) = (routes.call(request), stopping.clone());
                async move {
                    let mut answer = answer.await?;
                    if stopping.has_begun() {
                        // Whoever keeps this connection would meet its end with the next request.
                        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                    }
                    Ok(answer)
                }
            })
        })
        .disable_signals()
        .shutdown_timeout(settings.shutdown_timeout.as_secs());
        if let Some(workers) = settings.workers {
            server = server.workers(workers);
        }
        let server = server.listen(listener).context("http.listen: the server can't use its socket")?.run();
        Ok(Self { server, address, metrics_address, service, drain_delay: settings.drain_delay })
    }

    /// The address in use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `/metrics`, if it is served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Serves until `stop` is ready; then in this order: says that it is not ready, closes each connection with its next answer for
    /// `http.drain_delay`, accepts no more, finishes what is in flight within `http.shutdown_timeout`, and closes the stores.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<()> {
        let Self { server, service, drain_delay, .. } = self;
        let handle: ServerHandle = server.handle();
        let (mut server, stop) = (pin!(server), pin!(stop));
        let outcome = match select(&mut server, stop).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => {
                tracing::info!(?drain_delay, "stopping: not ready any more");
                service.begin_to_stop();
                let stopped = async {
                    time::sleep(drain_delay).await;
                    tracing::info!("stopping: no new connections, finishing what is in flight");
                    handle.pause().await;
                    service.end_watches();
                    service.settle().await;
                    handle.stop(true).await;
                };
                futures_util::join!(server, stopped).0
            }
        };
        service.close().await;
        outcome.context("the HTTP server failed")
    }
}

/// Serves `/metrics` on a listener of its own, until the background stops.
fn serve_metrics(at: SocketAddr, metrics: Arc<Metrics>, background: &Background) -> Result<SocketAddr> {
    let listener = TcpListener::bind(at).with_context(|| format!("http.metrics_listen: can't listen on {at}"))?;
    let address = listener.local_addr().context("http.metrics_listen: the address in use is not known")?;
    let metrics = Data::from(metrics);
    let server = HttpServer::new(move || App::new().app_data(metrics.clone()).configure(http::metrics)).workers(1).disable_signals();
    background.serve(server.listen(listener).context("http.metrics_listen: the server can't use its socket")?.run());
    Ok(address)
}

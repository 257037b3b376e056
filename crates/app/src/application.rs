//! The service as a whole: built, bound, run, stopped.

use crate::{
    Reload, Service,
    background::Background,
    composition::{load, settings},
    config::{Config, Effective},
    mount,
    reload::Reloads,
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle, Service as _},
    http::ConnectionType,
    middleware::from_fn,
    web::Data,
};
use anyhow::{Context, Result};
use futures_util::future::{Either, select};
use revolve_listener::Certificate;
use revolve_observe::metrics::Metrics;
use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::time;
use tokio_util::sync::CancellationToken;

/// A service that is bound to its address and connected to its stores.
pub struct Application {
    server: Server,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    stopping: CancellationToken,
    service: Service,
    drain_delay: Duration,
}

impl Application {
    /// Wires the service, migrates its stores and binds its address.
    ///
    /// # Errors
    /// A message that says what is wrong: a configuration key, a store that can't be reached, an address in use.
    pub async fn build(config: Config) -> Result<Self> {
        let http = config.http.clone();
        let certificate = settings::certificate(&http.tls)?;
        let listener = TcpListener::bind(http.listen)
            .with_context(|| format!("http.listen: can't listen on {}", http.listen))?;
        let address = listener
            .local_addr()
            .context("http.listen: the address in use is not known")?;

        let service = Box::pin(Service::build(config)).await?;
        let metrics_at = |at| serve_metrics(at, service.shared_metrics(), service.background());
        let metrics_address = http.metrics_listen.map(metrics_at).transpose()?;
        let served = service.clone();
        if let Some(certificate) = &certificate {
            service
                .background()
                .follow(Arc::clone(certificate), http.tls.reload_interval);
        }
        let stopping = CancellationToken::new();
        let server = revolve_listener::serve(
            listener,
            settings::listener(&http),
            certificate.as_ref(),
            &stopping,
            move || {
                let draining = served.stopping();
                let app = App::new()
                    .service(served.scope())
                    .configure(served.well_known());
                app.configure(served.health())
                    .configure(served.pages())
                    .configure(served.documents())
                    .configure(revolve_http::nothing_else)
                    .wrap(served.shield())
                    .wrap(served.watch())
                    .wrap(from_fn(mount::count))
                    .wrap_fn(move |request, routes| {
                        let (answer, draining) = (routes.call(request), draining.clone());
                        async move {
                            let mut answer = answer.await?;
                            if draining.has_begun() {
                                // Otherwise the client's next request would find the connection closed.
                                answer
                                    .response_mut()
                                    .head_mut()
                                    .set_connection_type(ConnectionType::Close);
                            }
                            Ok(answer)
                        }
                    })
            },
        );
        let server = server.context("http.listen: the server can't use its socket")?;
        Ok(Self {
            server,
            address,
            metrics_address,
            certificate,
            stopping,
            service,
            drain_delay: http.drain_delay,
        })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.certificate.is_some() {
            "https"
        } else {
            "http"
        }
    }

    /// The address in use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `/metrics`, if it is served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// What reads the configuration anew while the service runs: `loaded` is the one that it was built with, read from
    /// `file` if one was named.
    pub fn reload(&self, file: Option<PathBuf>, loaded: Effective) -> Reload {
        let mut parts = self.service.reloads();
        parts.extend(
            self.certificate
                .iter()
                .map(|certificate| Arc::clone(certificate) as Arc<dyn Reloads>),
        );
        Reload::new(load, file, loaded, parts)
    }

    /// Serves until `stop` is ready; then in this order: answers that it is not ready, closes each connection with its next answer for
    /// `http.drain_delay`, accepts no more, finishes what is in flight within `http.shutdown_timeout`, and closes the stores.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<()> {
        let Self {
            server,
            service,
            stopping,
            drain_delay,
            ..
        } = self;
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
                    stopping.cancel();
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
fn serve_metrics(
    at: SocketAddr,
    metrics: Arc<Metrics>,
    background: &Background,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind(at)
        .with_context(|| format!("http.metrics_listen: can't listen on {at}"))?;
    let address = listener
        .local_addr()
        .context("http.metrics_listen: the address in use is not known")?;
    let metrics = Data::from(metrics);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(metrics.clone())
            .configure(revolve_http::metrics)
    })
    .workers(1)
    .disable_signals();
    background.serve(
        server
            .listen(listener)
            .context("http.metrics_listen: the server can't use its socket")?
            .run(),
    );
    Ok(address)
}

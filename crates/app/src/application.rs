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
    web::{Data, ServiceConfig},
};
use anyhow::{Context, Result};
use futures_util::{
    future::{Either, join_all, select},
    join, try_join,
};
use revolve_listener::{Certificate, ListenerSettings};
use revolve_observe::metrics::Metrics;
use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::time;
use tokio_util::sync::CancellationToken;

/// Connections to the admin API that may be open at once.
const ADMIN_CONNECTIONS: usize = 256;

/// A service that is bound to its address and connected to its stores.
pub struct Application {
    server: Server,
    address: SocketAddr,
    admin: Option<(Server, SocketAddr)>,
    metrics_address: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    stopping: CancellationToken,
    service: Service,
    drain_delay: Duration,
}

impl Application {
    /// Wires the service, migrates its stores and binds its addresses.
    ///
    /// # Errors
    /// A message that says what is wrong: a configuration key, a store that can't be reached, an address in use.
    pub async fn build(config: Config) -> Result<Self> {
        let http = config.http.clone();
        let certificate = settings::certificate(&http.tls)?;
        let (listener, address) = bind("http.listen", http.listen)?;
        let admin = http
            .admin_listen
            .map(|at| bind("http.admin_listen", at))
            .transpose()?;

        let service = Box::pin(Service::build(config)).await?;
        let metrics_at = |at| serve_metrics(at, service.shared_metrics(), service.background());
        let metrics_address = http.metrics_listen.map(metrics_at).transpose()?;
        if let Some(certificate) = &certificate {
            service
                .background()
                .follow(Arc::clone(certificate), http.tls.reload_interval);
        }
        let stopping = CancellationToken::new();
        let settings = settings::listener(&http);
        let start = |listener, settings, routes: Routes| {
            serve(
                listener,
                settings,
                certificate.as_ref(),
                &stopping,
                &service,
                routes,
            )
        };
        let server = start(listener, settings, public)
            .context("http.listen: the server can't use its socket")?;
        let few = ListenerSettings {
            workers: 1,
            max_connections: ADMIN_CONNECTIONS.min(settings.max_connections),
            ..settings
        };
        let serve_admin = |(listener, address)| {
            let server = start(listener, few, operators)
                .context("http.admin_listen: the server can't use its socket")?;
            Ok::<_, anyhow::Error>((server, address))
        };
        let admin = admin.map(serve_admin).transpose()?;
        Ok(Self {
            server,
            address,
            admin,
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

    /// The address of the admin API, if it is served.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(_, address)| *address)
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
            admin,
            service,
            stopping,
            drain_delay,
            ..
        } = self;
        let admin = admin.map(|(server, _)| server);
        let handles: Vec<ServerHandle> = [&server]
            .into_iter()
            .chain(&admin)
            .map(Server::handle)
            .collect();
        let both = async {
            match admin {
                Some(admin) => try_join!(server, admin).map(|((), ())| ()),
                None => server.await,
            }
        };
        let (mut both, stop) = (pin!(both), pin!(stop));
        let outcome = match select(&mut both, stop).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => {
                tracing::info!(?drain_delay, "stopping: not ready any more");
                service.begin_to_stop();
                let stopped = async {
                    time::sleep(drain_delay).await;
                    tracing::info!("stopping: no new connections, finishing what is in flight");
                    join_all(handles.iter().map(ServerHandle::pause)).await;
                    stopping.cancel();
                    service.end_watches();
                    service.settle().await;
                    join_all(handles.iter().map(|handle| handle.stop(true))).await;
                };
                join!(both, stopped).0
            }
        };
        service.close().await;
        outcome.context("the HTTP server failed")
    }
}

/// Listens. `key` is that of the configuration.
fn bind(key: &'static str, at: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(at).with_context(|| {
        format!(
            "{key}: can't listen on {at}; set {key} to an address that is this machine's and free"
        )
    })?;
    let address = listener
        .local_addr()
        .with_context(|| format!("{key}: the address in use is not known"))?;
    Ok((listener, address))
}

/// What is at a listener.
type Routes = fn(&Service, &mut ServiceConfig);

/// For everybody.
fn public(service: &Service, config: &mut ServiceConfig) {
    config
        .service(service.scope())
        .configure(service.well_known())
        .configure(service.health())
        .configure(service.pages())
        .configure(service.documents());
}

/// For operators.
fn operators(service: &Service, config: &mut ServiceConfig) {
    config.configure(service.admin());
}

/// Serves these routes, and nothing else, with what stands around all.
fn serve(
    listener: TcpListener,
    settings: ListenerSettings,
    certificate: Option<&Arc<Certificate>>,
    stopping: &CancellationToken,
    service: &Service,
    routes: Routes,
) -> io::Result<Server> {
    let service = service.clone();
    revolve_listener::serve(listener, settings, certificate, stopping, move || {
        let draining = service.stopping();
        App::new()
            .configure(|config| routes(&service, config))
            .configure(revolve_http::nothing_else)
            .wrap(service.shield())
            .wrap(service.watch())
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
    })
}

/// Serves `/metrics` on a listener of its own, until the background stops.
fn serve_metrics(
    at: SocketAddr,
    metrics: Arc<Metrics>,
    background: &Background,
) -> Result<SocketAddr> {
    let (listener, address) = bind("http.metrics_listen", at)?;
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

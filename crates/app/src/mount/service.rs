//! What is served, apart from any server: for [`Application`](crate::Application), and for servers that mount it beside
//! routes of their own.

use crate::{
    background::Background,
    composition::{Closer, Parts, compose},
    config::Config,
    reload::Reloads,
};
use actix_web::{dev::HttpServiceFactory, web::ServiceConfig};
use anyhow::Result;
use revolve_domain::use_cases::{Authenticated, Refused};
use revolve_http::{AdminServices, Services, Shield, Stopping, Watch};
use revolve_observe::metrics::Metrics;
use secrecy::SecretString;
use std::sync::Arc;

/// The account service, connected to its stores. A clone is the same one.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use revolve::Service;
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let revolve = Service::build(revolve::load(None)?.config).await?;
/// let mounted = revolve.clone();
/// HttpServer::new(move || {
///     App::new()
///         .app_data(web::Data::new(mounted.clone()))
///         .service(mounted.scope())
///         .configure(mounted.well_known())
///         .route("/mine", web::get().to(|who: revolve::SignedIn| async move { who.user.id.to_string() }))
/// })
/// .bind("127.0.0.1:8080")?
/// .run()
/// .await?;
/// revolve.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Service {
    services: Services,
    admin: AdminServices,
    reloads: Vec<Arc<dyn Reloads>>,
    metrics: Arc<Metrics>,
    background: Background,
    closer: Arc<Closer>,
}

impl Service {
    /// Wires the service, migrates its stores and starts what goes on in the background, on the runtime that this is
    /// called in. Of `config.http` only what concerns the routes is used.
    ///
    /// # Errors
    /// A message that says what is wrong: a configuration key, a store that can't be reached.
    pub async fn build(config: Config) -> Result<Self> {
        let (background, metrics) = (Background::default(), Arc::new(Metrics::new()));
        let Parts {
            services,
            admin,
            reloads,
            closer,
        } = Box::pin(compose(config, &metrics, &background)).await?;
        Ok(Self {
            services,
            admin,
            reloads,
            metrics,
            background,
            closer: Arc::new(closer),
        })
    }

    /// The API, below [`BASE`](crate::BASE).
    pub fn scope(&self) -> impl HttpServiceFactory + 'static {
        revolve_http::api(&self.services)
    }

    /// The pages for people below `/account`, and `/.well-known/change-password`, which leads to one of them. They must be at the root of the
    /// issuer's URL; there are none if `pages.enabled` is false.
    pub fn pages(&self) -> impl FnOnce(&mut ServiceConfig) + 'static {
        let services = self.services.clone();
        move |config| revolve_http::account_pages(config, &services)
    }

    /// `/.well-known/…`, the key set, the revocation feed and discovery, with the endpoints for OAuth clients that discovery names:
    /// `/oauth/token`, `/oauth/revoke`, `/oauth/introspect` and `/userinfo`. It must be at the root of the issuer's URL.
    pub fn well_known(&self) -> impl FnOnce(&mut ServiceConfig) + 'static {
        let services = self.services.clone();
        move |config| {
            revolve_http::well_known(config, &services);
            revolve_http::oauth_endpoints(config, &services);
        }
    }

    /// `/openapi.json` and, for people, `/docs`: what all of these routes take and answer.
    pub fn documents(&self) -> impl FnOnce(&mut ServiceConfig) + 'static {
        let layers = self.services.layers.clone();
        move |config| revolve_http::description(config, &layers)
    }

    /// `/health/live` and `/health/ready`.
    pub fn health(&self) -> impl FnOnce(&mut ServiceConfig) + 'static {
        let services = self.services.clone();
        move |config| revolve_http::health_checks(config, &services)
    }

    /// The admin API, below [`ADMIN_BASE`](crate::ADMIN_BASE), with its own `/openapi.json` and `/docs`. It is for a listener that the
    /// outside world does not reach: its callers show API keys, and nothing else stands before all accounts.
    pub fn admin(&self) -> impl FnOnce(&mut ServiceConfig) + 'static {
        let services = self.admin.clone();
        move |config| revolve_http::admin_api(config, &services)
    }

    /// What stands around every route, also around those that are none of this service's.
    pub(crate) fn shield(&self) -> Shield {
        self.services.layers.shield
    }

    /// The numbers for operators, in the OpenMetrics text format.
    pub fn metrics(&self) -> String {
        self.metrics.render()
    }

    /// Sees every request of what it is around, once.
    pub(crate) fn watch(&self) -> Watch {
        self.services.layers.watch.clone()
    }

    pub(crate) fn shared_metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// What can be changed without a restart.
    pub(crate) fn reloads(&self) -> Vec<Arc<dyn Reloads>> {
        self.reloads.clone()
    }

    pub(crate) fn background(&self) -> &Background {
        &self.background
    }

    /// Who holds this ID token. Reads the user database, so that a session which has ended is refused at once;
    /// [`SignedIn`](crate::SignedIn) does it for a handler.
    ///
    /// # Errors
    /// [`Refused::Token`] with the reason, or [`Refused::Failed`] if the user database did not answer.
    pub async fn authenticate(&self, id_token: &SecretString) -> Result<Authenticated, Refused> {
        let authenticate = &self.services.use_cases.authenticate;
        authenticate.by_id_token(id_token).await
    }

    /// `/health/ready` answers 503 from now on, so that proxies send requests elsewhere, and no more mails are begun; everything else goes on.
    pub fn begin_to_stop(&self) {
        self.services.dependencies.stopping.begin();
        self.background.stop_sending();
    }

    pub(crate) fn stopping(&self) -> Stopping {
        self.services.dependencies.stopping.clone()
    }

    /// Answers all clients that wait for a change of the revocation feed, and ends the streams. Call it when the server
    /// begins to stop, or its graceful stop waits for them.
    pub fn end_watches(&self) {
        self.services.feed.close();
    }

    /// Waits for the use cases whose clients hung up: they have no connection any more, and must still be completed.
    pub(crate) async fn settle(&self) {
        self.background.settle().await;
    }

    /// Ends what goes on in the background and closes the stores. Call it after the last request.
    pub async fn close(&self) {
        self.end_watches();
        self.settle().await;
        self.background.stop().await;
        self.closer.close().await;
    }
}

//! What the routes need from the composition root.

use crate::{
    health::Dependencies,
    keys::Discovery,
    kit::{
        cookies::CookieSettings, forwarded::TrustedProxies, origins::Origins, shield::Shield,
        watch::Watch,
    },
    pages::PageSettings,
    revocations::feed::Feed,
};
use actix_web::web::{Data, ServiceConfig};
use revolve_domain::{
    limits::LiveLimits,
    policy::PasswordPolicy,
    use_cases::{AdminUseCases, UseCases},
};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// What stands around the routes.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Headers that protect browsers, on every answer.
    pub shield: Shield,
    /// The service's own origin, and those whose scripts may use the API.
    pub origins: Origins,
    /// The longest time from a request to its answer.
    pub deadline: Duration,
    /// The access log, metrics and spans.
    pub watch: Watch,
}

/// Everything that handlers use.
#[derive(Clone)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Services {
    pub use_cases: Data<UseCases>,
    /// For the one operation here that takes an operator's key.
    pub admin_use_cases: Data<AdminUseCases>,
    pub discovery: Data<Discovery>,
    pub feed: Data<Feed>,
    pub dependencies: Data<Dependencies>,
    pub layers: Layers,
    pub cookies: Data<CookieSettings>,
    pub passwords: Data<PasswordPolicy>,
    /// `None`: there are no pages.
    pub pages: Option<Data<PageSettings>>,
    pub proxies: Data<TrustedProxies>,
    pub rates: Data<LiveLimits>,
    /// Counts the use cases that go on, also those whose client hung up.
    pub in_flight: Data<TaskTracker>,
}

/// Everything that the handlers of the admin API use.
#[derive(Clone)]
#[expect(missing_docs, reason = "the types say it")]
pub struct AdminServices {
    pub use_cases: Data<AdminUseCases>,
    pub layers: Layers,
    pub passwords: Data<PasswordPolicy>,
    pub proxies: Data<TrustedProxies>,
    pub rates: Data<LiveLimits>,
    /// Counts the use cases that go on, also those whose client hung up.
    pub in_flight: Data<TaskTracker>,
}

impl AdminServices {
    /// Hands each handler of the admin API what it asks for.
    pub(crate) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.use_cases.clone())
            .app_data(self.passwords.clone())
            .app_data(self.proxies.clone())
            .app_data(self.rates.clone())
            .app_data(self.in_flight.clone());
    }
}

impl Services {
    /// Hands each handler of the account API what it asks for.
    pub(crate) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.use_cases.clone())
            .app_data(self.cookies.clone())
            .app_data(Data::new(self.layers.origins.clone()))
            .app_data(self.passwords.clone())
            .app_data(self.proxies.clone())
            .app_data(self.rates.clone())
            .app_data(self.in_flight.clone());
    }
}

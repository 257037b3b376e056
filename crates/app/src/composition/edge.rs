//! What requests meet before a handler, and what the listeners share.

use crate::config::{self, Config};
use actix_web::web::Data;
use revolve_adapters::jose::MasterKey;
use revolve_domain::{policy::SessionPolicy, ports::KeySet};
use revolve_http::{
    AdminServices, CookieSettings, Discovery, ForwardedHeader, Layers, Origins, Services, Shield,
    TrustedProxies, Watch,
};
use revolve_observe::metrics::Metrics;
use std::sync::Arc;

pub(super) fn proxies(config: &Config) -> Data<TrustedProxies> {
    Data::new(TrustedProxies::new(
        config.http.trusted_proxies.clone(),
        match config.http.forwarded_header {
            config::ForwardedHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
            config::ForwardedHeader::Forwarded => ForwardedHeader::Forwarded,
        },
    ))
}

/// `secure`: all clients come by https.
pub(super) fn layers(
    config: &Config,
    secure: bool,
    metrics: &Arc<Metrics>,
    proxies: &Data<TrustedProxies>,
) -> Layers {
    let shield = Shield { https_only: secure };
    Layers {
        shield,
        origins: Origins::new(config.tokens.origin(), config.http.cors_origins.clone()),
        deadline: config.http.request_timeout,
        watch: Watch::new(metrics, proxies, shield),
    }
}

/// What the discovery documents and the key set say.
pub(super) fn discovery(config: &Config, keys: Arc<dyn KeySet>) -> Discovery {
    Discovery {
        keys,
        issuer: config.tokens.issuer.clone(),
        max_age: config.tokens.key_policy().key_set_max_age,
    }
}

/// `secure`: as for [`layers`].
pub(super) fn cookies(
    secure: bool,
    master: &MasterKey,
    policy: &SessionPolicy,
) -> Data<CookieSettings> {
    Data::new(CookieSettings::new(
        secure,
        master.installations(),
        policy.refresh_lifetime,
    ))
}

/// The listener for operators, with what it shares with the public one.
pub(super) fn admin(services: &Services) -> AdminServices {
    AdminServices {
        use_cases: services.admin_use_cases.clone(),
        layers: services.layers.clone(),
        passwords: services.passwords.clone(),
        proxies: services.proxies.clone(),
        rates: services.rates.clone(),
        in_flight: services.in_flight.clone(),
    }
}

//! The configuration as the adapters' own types, and what only they can find wrong with it.

mod certificates;
mod checks;
mod mail;
mod pages;
mod passkeys;
mod webhooks;

pub(crate) use mail::{composer, smtp};
pub(crate) use pages::pages;
pub(crate) use passkeys::relying_party;
pub(crate) use webhooks::webhooks;

use checks::CHECKS;

use crate::config::{
    Config, ConfigError, Hashing, Http, Loaded, Log, LogFormat, RedisModeName, Tls, Traces,
};
use revolve_adapters::{
    argon2::{HashBounds, HashCost, PoolConfig, memory_limit},
    legacy::LegacyConfig,
    postgres::PostgresConfig,
    redis::{RedisConfig, RedisMode, SentinelConfig},
    system::SystemClock,
};
use revolve_domain::ports::Clock;
use revolve_http::FeedSettings;
use revolve_listener::{Certificate, CertificateError};
use revolve_observe::telemetry;
use std::{num::NonZeroUsize, path::Path, sync::Arc};
use time::OffsetDateTime;

/// The default budget of hashing is this part of the memory that there is …
const PART: u64 = 4;
/// … but enough for the largest hash of the usual parameters from elsewhere (scrypt with N = 32768 and r = 8) …
const LEAST: u64 = 33 << 20;
/// … or this, where the system does not say how much that is.
const UNKNOWN: u64 = 256 << 20;

/// Reads `config/revolve.toml` and `config/<profile>.toml` below the working directory (or `file` instead), then the environment,
/// then the files that secrets and keys are in.
///
/// # Errors
/// [`ConfigError`] with every mistake that was found.
pub fn load(file: Option<&Path>) -> Result<Loaded, ConfigError> {
    Loaded::read(file, &CHECKS)
}

/// Connections to a store that threads share, when each is to have its own: those that serve, and the one with what goes on in the
/// background.
fn threads_with_connections(http: &Http) -> usize {
    http.worker_count() + 1
}

/// Where Redis is and how it is used.
///
/// # Errors
/// [`ConfigError`] if something is missing or a file can't be read.
pub(crate) fn redis(config: &Config) -> Result<RedisConfig, ConfigError> {
    let redis = &config.redis;
    let mode = match redis.mode {
        RedisModeName::Standalone => RedisMode::Standalone,
        RedisModeName::Cluster => RedisMode::Cluster,
        RedisModeName::Sentinel => RedisMode::Sentinel(SentinelConfig {
            master: redis.sentinel.master.clone(),
            username: redis.sentinel.username.clone(),
            password: config.sentinel_password()?.given(),
        }),
    };
    let tls = certificates::read(
        "redis",
        redis.ca_file.as_deref(),
        redis.client_certificate_file.as_deref(),
        redis.client_key_file.as_deref(),
    )?;
    Ok(RedisConfig {
        url: config.redis_url()?,
        mode,
        tls,
        connections: redis
            .connections
            .unwrap_or_else(|| threads_with_connections(&config.http)),
        timeout: redis.timeout,
    })
}

/// Where Postgres is and how it is used.
///
/// # Errors
/// [`ConfigError`] if something is missing or a file can't be read.
pub(crate) fn postgres(config: &Config) -> Result<PostgresConfig, ConfigError> {
    let postgres = &config.postgres;
    let tls = certificates::read(
        "postgres",
        postgres.ca_file.as_deref(),
        postgres.client_certificate_file.as_deref(),
        postgres.client_key_file.as_deref(),
    )?;
    Ok(PostgresConfig {
        url: config.postgres_url()?,
        tls,
        pool_size: postgres.pool_size,
        shared: threads_with_connections(&config.http),
        pooler: postgres.pooler,
        timeout: postgres.timeout,
    })
}

/// The system that imported accounts came from, if it is to be asked.
///
/// # Errors
/// [`ConfigError`] if a file can't be read.
pub(crate) fn legacy(config: &Config) -> Result<Option<LegacyConfig>, ConfigError> {
    let Some(url) = config.verifier()?.given() else {
        return Ok(None);
    };
    let import = &config.import;
    Ok(Some(LegacyConfig {
        url,
        tls: certificates::read("import", import.ca_file.as_deref(), None, None)?,
        timeout: import.timeout,
    }))
}

/// The cost of a new hash.
pub(crate) fn hash_cost(hashing: &Hashing) -> HashCost {
    HashCost {
        memory_kib: hashing.memory_kib,
        passes: hashing.passes,
        lanes: hashing.lanes,
    }
}

/// The memory budget of hashing in bytes.
pub(crate) fn hash_budget(hashing: &Hashing) -> u64 {
    let part = || {
        memory_limit()
            .map_or(UNKNOWN, |bytes| (bytes / PART).max(LEAST))
            .max(hash_cost(hashing).bytes())
    };
    hashing
        .memory_budget
        .map_or_else(part, |size| size.as_u64())
}

/// What a hash that is imported may take.
pub(crate) fn hash_bounds(hashing: &Hashing) -> HashBounds {
    HashBounds::at_import(hash_budget(hashing), hashing.patience)
}

/// How much hashing may go on.
pub(crate) fn hash_pool(hashing: &Hashing) -> PoolConfig {
    PoolConfig {
        threads: hashing.threads.and_then(NonZeroUsize::new),
        budget: hash_budget(hashing),
        patience: hashing.patience,
        nice: hashing.nice,
    }
}

/// What the listener allows.
pub(crate) fn listener(http: &Http) -> revolve_listener::ListenerSettings {
    revolve_listener::ListenerSettings {
        workers: http.worker_count(),
        max_connections: http.max_connections,
        request_timeout: http.request_timeout,
        head_limit: revolve_http::HEAD_LIMIT,
        write_ahead: revolve_http::WRITE_AHEAD,
        keep_alive: http.keep_alive,
        shutdown_timeout: http.shutdown_timeout,
    }
}

/// What the revocation feed may take.
pub(crate) fn feed(config: &Config) -> FeedSettings {
    FeedSettings {
        interval: config.tokens.feed_interval,
        max_watchers: config.http.max_watchers,
        memory: usize::try_from(config.http.feed_memory.as_u64()).unwrap_or(usize::MAX),
    }
}

/// The listener's certificate, if one is configured.
///
/// # Errors
/// [`CertificateError`], which names the configuration key.
pub(crate) fn certificate(tls: &Tls) -> Result<Option<Arc<Certificate>>, CertificateError> {
    tls.certificate_file
        .clone()
        .zip(tls.private_key_file.clone())
        .map(|(chain, key)| Certificate::load(chain, key, now))
        .transpose()
}

fn now() -> OffsetDateTime {
    SystemClock.now().to_datetime()
}

/// What is logged and traced.
pub(crate) fn telemetry<'a>(log: &'a Log, traces: &'a Traces) -> telemetry::TelemetrySettings<'a> {
    telemetry::TelemetrySettings {
        level: &log.level,
        format: match log.format {
            LogFormat::Text => telemetry::LineFormat::Text,
            LogFormat::Json => telemetry::LineFormat::Json,
        },
        traces_endpoint: traces.endpoint.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashing_costs_what_the_adapter_takes_by_itself() {
        let (hashing, pool) = (Hashing::default(), PoolConfig::default());
        assert_eq!(hash_cost(&hashing), HashCost::default());
        assert_eq!((hashing.patience, hashing.nice), (pool.patience, pool.nice));
    }
}

//! The composition root: the one place where ports meet adapters. It reads from top to bottom; the configuration with its
//! secrets is gone when it is done.

mod edge;
mod factors;
mod gauges;
mod mail;
mod operator;
mod outbox;
mod pools;
mod purpose;
pub(crate) mod settings;
mod stores;
mod webhooks;

pub(crate) use factors::reseal_factors;
pub(crate) use mail::{ConfiguredMailer, mailer};
pub(crate) use operator::{
    JournalTools, OperatorTools, add_account, import_account, journal_tools, manage_api_keys,
    operator_tools, recovery_links,
};
pub(crate) use purpose::Purpose;
pub use settings::load;
pub(crate) use stores::{Closer, Migrated, key_store, manage_deliveries, migrate};
pub(crate) use webhooks::manage_webhooks;

use crate::{
    background::{Background, ClearingQueue},
    config::{Config, ConfigError},
    keys::{self, Material},
    reload::Reloads,
};
use actix_web::web::Data;
use anyhow::{Context, Result};
use gauges::{clearing_gauges, feed_gauges};
use outbox::OutboxPorts;
use pools::pools;
use revolve_adapters::{
    argon2::Argon2Hasher,
    jose::{MacDeviceCredentials, MacProofSecrets, MasterKey, WebhookVault},
    legacy::HttpLegacyVerifier,
    limits::{FallbackLimits, LocalLimits},
    redis::BucketNames,
    system::{SteadyClock, SystemClock, SystemEntropy},
    zxcvbn::{JudgingConfig, ZxcvbnStrength},
};
use revolve_domain::{
    limits::LiveLimits,
    policy::{AccountPolicy, PasswordPolicy},
    ports::{
        Clock, DeviceCredentials, Entropy, LegacyVerifier, PasswordHasher, PasswordStrength,
        ProofSecrets, Proofs, RateLimiter, RevocationSigner,
    },
    use_cases::{AdminPorts, AdminUseCases, DerivedProofs, NotedEvents, ServicePorts, UseCases},
};
use revolve_http::{AdminServices, Demand, Dependencies, EndNotices, Feed, Services, Stopping};
use revolve_observe::{
    metrics::{CountedEvents, CountedLimits, HashQueue, MeasuredHasher, Metrics},
    telemetry::{IdentifyingTokens, LogEvents},
};
use std::sync::Arc;
use stores::{Stores, stores};
use url::Url;
use webhooks::WebhookStores;

/// The service, wired.
pub(crate) struct Parts {
    pub(crate) services: Services,
    pub(crate) admin: AdminServices,
    /// What can be changed while it runs.
    pub(crate) reloads: Vec<Arc<dyn Reloads>>,
    pub(crate) closer: Closer,
}

/// Wires the service.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn compose(
    config: Config,
    metrics: &Arc<Metrics>,
    background: &Background,
) -> Result<Parts> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let demand = Arc::new(Demand::default());
    let events = CountedEvents::new(
        Arc::clone(metrics),
        EndNotices::new(Arc::clone(&demand), LogEvents),
    );
    let events = Arc::new(NotedEvents::new(Arc::new(events), Arc::clone(&clock)));
    let policy = config.policy();
    let accounts = account_policy(&config);
    let secure = config.tokens.issuer.starts_with("https://") || config.http.tls.is_on();
    let proxies = edge::proxies(&config);
    let layers = edge::layers(&config, secure, metrics, &proxies);
    let pages = settings::pages(&config)?.map(Data::new);

    let material = Material::new(&config, Arc::clone(&entropy))?;
    let cookies = edge::cookies(secure, &material.master, &policy);
    let proof_secrets: Arc<dyn ProofSecrets> = Arc::new(MacProofSecrets::new(&material.master));
    let devices: Arc<dyn DeviceCredentials> = Arc::new(MacDeviceCredentials::new(&material.master));
    let webhook_secrets = Arc::new(WebhookVault::new(&material.master, Arc::clone(&entropy))?);
    let hasher = hasher(&config, Arc::clone(&entropy), metrics)?;
    let legacy = legacy(&config)?;
    let strength = strength(&config);
    let passwords = PasswordPolicy {
        min_length: config.passwords.min_length,
    };
    let stores = stores(&config, Arc::clone(&clock)).await?.measured(metrics);
    let Stores {
        users,
        directory,
        sessions,
        proofs,
        tokens,
        journal,
        keys: repository,
        deliveries,
        api_keys,
        requests,
        webhooks: endpoints,
        factors: factor_store,
        revoked_keys,
        closer,
    } = stores;
    let factors = factors::ports(&config, factor_store, &material.master, &entropy)?;
    metrics.watch(pools(&closer));
    let rates = Arc::new(LiveLimits::new(config.limits.policy()));
    let counted = |limiter| Arc::new(CountedLimits::new(Arc::clone(metrics), limiter));
    let limiter = counted(shared_limits(&closer, &material.master));
    // A refresh is one read and one step of the white list: its limits are in this process, whatever the profile.
    let refresh_limiter = counted(local_limits());
    let key_policy = config.tokens.key_policy();
    let (live_keys, ring) = keys::start(
        material,
        repository,
        revoked_keys,
        Arc::clone(&clock),
        Arc::clone(&entropy),
        key_policy,
        metrics,
    )
    .await?;
    background.keep_keys(Arc::clone(&live_keys), config.tokens.key_refresh);
    let reloads: Vec<Arc<dyn Reloads>> = vec![live_keys.clone(), rates.clone()];
    let signer: Arc<dyn RevocationSigner> = ring.clone();
    let discovery = edge::discovery(&config, ring);
    let feed_settings = settings::feed(&config);
    let mail_bell = outbox::start(
        &config,
        OutboxPorts {
            deliveries: Arc::clone(&deliveries),
            proofs: derived(&proofs, &proof_secrets, &clock),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            events: events.clone(),
        },
        metrics,
        background,
    )?;
    let webhooks = webhooks::start(
        &config,
        WebhookStores {
            webhooks: endpoints,
            journal: Arc::clone(&journal),
            secrets: webhook_secrets,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            events: events.clone(),
        },
        metrics,
        background,
    )?;
    let journal_retention = config.journal.retention;
    let recovery_link = config.mail_links().choose_password;
    drop(config);

    let (clearings, waiting) = ClearingQueue::new();
    let clearings = Arc::new(clearings);
    metrics.watch(clearing_gauges(&clearings));
    background.note(Arc::clone(&events), Arc::clone(&journal));
    let ports = ServicePorts {
        users: Arc::clone(&users),
        sessions,
        proofs,
        proof_secrets,
        tokens: Arc::clone(&tokens),
        codec: Arc::new(IdentifyingTokens::new(live_keys)),
        devices,
        hasher,
        legacy,
        strength,
        limiter,
        refresh_limiter,
        rates: Arc::clone(&rates),
        clock,
        entropy,
        clearings,
        events,
        journal,
        mail_bell,
        journal_retention,
        requests: Some(Arc::clone(&requests)),
        factors,
        policy,
        accounts,
    };
    let use_cases = UseCases::new(&ports);
    let admin_use_cases = AdminUseCases::new(&AdminPorts {
        service: ports,
        directory,
        deliveries,
        api_keys,
        requests,
        webhooks,
        recovery_link,
    });
    background.clear(waiting, &use_cases.clear);
    background.prune(use_cases.prune.clone());
    background.reset_factors(use_cases.apply_factor_resets.clone());
    let feed = Data::new(Feed::new(
        use_cases.revocation_feed.clone(),
        signer,
        demand,
        feed_settings,
    ));
    background.feed(feed.clone().into_inner());
    metrics.watch(feed_gauges(&feed.clone().into_inner()));

    let services = Services {
        use_cases: Data::new(use_cases),
        admin_use_cases: Data::new(admin_use_cases),
        discovery: Data::new(discovery),
        feed,
        dependencies: Data::new(Dependencies {
            stopping: Stopping::default(),
            users,
            tokens,
        }),
        layers,
        cookies,
        passwords: Data::new(passwords),
        pages,
        proxies,
        rates: Data::from(rates),
        in_flight: Data::new(background.in_flight()),
    };
    Ok(Parts {
        admin: edge::admin(&services),
        services,
        reloads,
        closer,
    })
}

fn account_policy(config: &Config) -> AccountPolicy {
    AccountPolicy {
        mail_max_age: config.mail.max_age,
        ..config.accounts.policy(config.sends_mail())
    }
}

/// What mails have for their readers to answer with.
fn derived(
    proofs: &Arc<dyn Proofs>,
    secrets: &Arc<dyn ProofSecrets>,
    clock: &Arc<dyn Clock>,
) -> Arc<DerivedProofs> {
    let (proofs, secrets) = (Arc::clone(proofs), Arc::clone(secrets));
    Arc::new(DerivedProofs::new(proofs, secrets, Arc::clone(clock)))
}

/// The hasher, without metrics.
pub(crate) fn argon2(config: &Config, entropy: Arc<dyn Entropy>) -> Result<Arc<Argon2Hasher>> {
    let hasher = Argon2Hasher::new(
        settings::hash_cost(&config.hashing),
        settings::hash_pool(&config.hashing),
        entropy,
    );
    Ok(Arc::new(hasher.context("hashing")?))
}

fn hasher(
    config: &Config,
    entropy: Arc<dyn Entropy>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<dyn PasswordHasher>> {
    let hasher = argon2(config, entropy)?;
    let queue = Arc::clone(&hasher);
    Ok(Arc::new(MeasuredHasher::new(hasher, metrics, move || {
        let stats = queue.stats();
        HashQueue {
            threads: stats.threads,
            busy: stats.busy,
            waiting: stats.waiting,
            budget: usize::try_from(stats.budget).unwrap_or(usize::MAX),
        }
    })))
}

/// The system that imported accounts came from.
fn legacy(config: &Config) -> Result<Option<Arc<dyn LegacyVerifier>>> {
    let Some(legacy) = settings::legacy(config)? else {
        return Ok(None);
    };
    let verifier = HttpLegacyVerifier::new(&legacy)
        .map_err(|mistake| ConfigError::new(format!("import.{mistake}")))?;
    Ok(Some(Arc::new(verifier)))
}

/// Others know a service by its name and its host.
fn strength(config: &Config) -> Arc<dyn PasswordStrength> {
    let host = Url::parse(&config.tokens.issuer)
        .ok()
        .and_then(|issuer| issuer.host_str().map(str::to_owned));
    Arc::new(ZxcvbnStrength::new(
        host.into_iter().chain(["revolve".to_owned()]),
        JudgingConfig::default(),
    ))
}

/// Buckets that all replicas share.
fn shared_limits(closer: &Closer, master: &MasterKey) -> Arc<dyn RateLimiter> {
    match closer {
        Closer::Embedded(_) => local_limits(),
        Closer::Server(_, tokens) => {
            let shared = Arc::new(tokens.limits(BucketNames::new(master.limits())));
            Arc::new(FallbackLimits::new(
                shared,
                LocalLimits::new(Arc::new(SteadyClock::new())),
            ))
        }
    }
}

/// Buckets of this process.
fn local_limits() -> Arc<dyn RateLimiter> {
    Arc::new(LocalLimits::new(Arc::new(SteadyClock::new())))
}

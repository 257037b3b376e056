//! The composition root: the one place where ports meet adapters. It reads from top to bottom; the configuration with its
//! secrets is gone when it is done.

use crate::{
    background::{Background, ClearingQueue},
    config::{Config, Profile},
    events::LogEvents,
    feed::{Demand, Feed, NoticedEvents},
    http::{CookieSettings, Dependencies, Discovery, Stopping},
    keys::{self, Material},
    metrics::{CountedEvents, Metrics},
};
use actix_web::web::{Data, ServiceConfig};
use anyhow::{Context, Result};
use revolve_adapters::{
    argon2::{Argon2Hasher, HashCost, PoolConfig},
    jose::MacDeviceCredentials,
    postgres::{PostgresAccounts, PostgresConfig},
    redis::{RedisConfig, RedisTokens},
    sqlite::SqliteStore,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    ports::{
        Clearings, Clock, DeviceCredentials, Entropy, KeyRepository, PasswordHasher, RevocationSigner, SecurityEvents, SessionRepository,
        TokenCodec, TokenRepository, UserRepository,
    },
    use_cases::{
        Authenticate, ChangePassword, Clear, DeleteAccount, EndSession, ListSessions, Me, Mint, Prune, Refresh, RevocationFeed, SignIn,
        SignOut, SignUp, UpdateDetails,
    },
};
use std::{num::NonZeroUsize, sync::Arc};
use tokio_util::task::TaskTracker;

/// The stores that a profile runs on.
struct Stores {
    users: Arc<dyn UserRepository>,
    sessions: Arc<dyn SessionRepository>,
    tokens: Arc<dyn TokenRepository>,
    keys: Arc<dyn KeyRepository>,
    closer: Closer,
}

/// What is closed after the last request.
pub(crate) enum Closer {
    /// The embedded file.
    Embedded(Arc<SqliteStore>),
    /// The pools.
    Server(Arc<PostgresAccounts>, Arc<RedisTokens>),
}

impl Closer {
    pub(crate) async fn close(&self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Server(accounts, tokens) => {
                tokens.close().await;
                accounts.close();
            }
        }
    }
}

/// Everything that handlers use, each use case on its own.
#[derive(Clone)]
pub(crate) struct Services {
    sign_up: Data<SignUp>,
    sign_in: Data<SignIn>,
    refresh: Data<Refresh>,
    sign_out: Data<SignOut>,
    me: Data<Me>,
    update_details: Data<UpdateDetails>,
    change_password: Data<ChangePassword>,
    delete_account: Data<DeleteAccount>,
    list_sessions: Data<ListSessions>,
    end_session: Data<EndSession>,
    /// For the host of a mounted service.
    pub(crate) authenticate: Authenticate,
    pub(crate) discovery: Data<Discovery>,
    pub(crate) feed: Data<Feed>,
    pub(crate) dependencies: Data<Dependencies>,
    cookies: Data<CookieSettings>,
    in_flight: Data<TaskTracker>,
}

impl Services {
    /// Hands each handler the use case that it asks for.
    pub(crate) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.sign_up.clone())
            .app_data(self.sign_in.clone())
            .app_data(self.refresh.clone())
            .app_data(self.sign_out.clone())
            .app_data(self.me.clone())
            .app_data(self.update_details.clone())
            .app_data(self.change_password.clone())
            .app_data(self.delete_account.clone())
            .app_data(self.list_sessions.clone())
            .app_data(self.end_session.clone())
            .app_data(self.cookies.clone())
            .app_data(self.in_flight.clone());
    }
}

/// Wires the service.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
#[expect(clippy::too_many_lines, reason = "one linear composition root reads better than its parts")]
pub(crate) async fn compose(config: Config, metrics: &Arc<Metrics>, background: &Background) -> Result<(Services, Closer)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let demand = Arc::new(Demand::default());
    let events = CountedEvents::new(Arc::clone(metrics), NoticedEvents::new(Arc::clone(&demand), LogEvents));
    let events: Arc<dyn SecurityEvents> = Arc::new(events);
    let policy = config.policy();
    let cookies = CookieSettings { secure: config.tokens.issuer.starts_with("https://") };

    let material = Material::new(&config, Arc::clone(&entropy))?;
    let devices: Arc<dyn DeviceCredentials> = Arc::new(MacDeviceCredentials::new(&material.master));
    let hasher = hasher(&config, Arc::clone(&entropy))?;
    let Stores { users, sessions, tokens, keys: repository, closer } = stores(&config, Arc::clone(&clock)).await?;

    let key_policy = config.tokens.key_policy();
    let (live_keys, ring) = keys::start(material, repository, Arc::clone(&clock), key_policy).await?;
    background.keep_keys(Arc::clone(&live_keys), config.tokens.key_refresh);
    let codec: Arc<dyn TokenCodec> = live_keys;
    let signer: Arc<dyn RevocationSigner> = ring.clone();
    let discovery = Discovery { keys: ring, issuer: config.tokens.issuer.clone(), max_age: key_policy.key_set_max_age };
    let (feed_interval, max_watchers) = (config.tokens.feed_interval, config.http.max_watchers);
    drop(config);

    let mint = Mint { codec: Arc::clone(&codec), policy };
    let authenticate = Authenticate { codec: Arc::clone(&codec), sessions: Arc::clone(&sessions), clock: Arc::clone(&clock) };
    let (clearings, waiting) = ClearingQueue::new();
    let clearings: Arc<dyn Clearings> = Arc::new(clearings);
    let clear = Clear { tokens: Arc::clone(&tokens), sessions: Arc::clone(&sessions), clock: Arc::clone(&clock), clearings };
    background.clear(waiting, &clear);
    background.prune(Prune { sessions: Arc::clone(&sessions), clock: Arc::clone(&clock), policy });
    let revocations = RevocationFeed { sessions: Arc::clone(&sessions), clock: Arc::clone(&clock), policy };
    let feed = Data::new(Feed::new(revocations, signer, demand, feed_interval, max_watchers));
    background.feed(feed.clone().into_inner());

    let services = Services {
        sign_up: Data::new(SignUp {
            users: Arc::clone(&users),
            tokens: Arc::clone(&tokens),
            hasher: Arc::clone(&hasher),
            devices: Arc::clone(&devices),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            mint: mint.clone(),
            clear: clear.clone(),
            events: Arc::clone(&events),
        }),
        sign_in: Data::new(SignIn {
            users: Arc::clone(&users),
            sessions: Arc::clone(&sessions),
            tokens: Arc::clone(&tokens),
            hasher: Arc::clone(&hasher),
            devices: Arc::clone(&devices),
            clock: Arc::clone(&clock),
            entropy,
            mint: mint.clone(),
            clear: clear.clone(),
            events: Arc::clone(&events),
        }),
        refresh: Data::new(Refresh {
            codec,
            devices,
            sessions: Arc::clone(&sessions),
            tokens: Arc::clone(&tokens),
            clock: Arc::clone(&clock),
            mint,
            clear: clear.clone(),
            events: Arc::clone(&events),
        }),
        sign_out: Data::new(SignOut {
            authenticate: authenticate.clone(),
            sessions: Arc::clone(&sessions),
            clear: clear.clone(),
            clock: Arc::clone(&clock),
            events: Arc::clone(&events),
        }),
        me: Data::new(Me { authenticate: authenticate.clone() }),
        update_details: Data::new(UpdateDetails {
            authenticate: authenticate.clone(),
            users: Arc::clone(&users),
            clock: Arc::clone(&clock),
            hasher: Arc::clone(&hasher),
            events: Arc::clone(&events),
        }),
        change_password: Data::new(ChangePassword {
            authenticate: authenticate.clone(),
            users: Arc::clone(&users),
            hasher,
            clear: clear.clone(),
            clock: Arc::clone(&clock),
            events: Arc::clone(&events),
        }),
        delete_account: Data::new(DeleteAccount {
            authenticate: authenticate.clone(),
            users: Arc::clone(&users),
            clear: clear.clone(),
            clock: Arc::clone(&clock),
            events: Arc::clone(&events),
        }),
        list_sessions: Data::new(ListSessions {
            authenticate: authenticate.clone(),
            sessions: Arc::clone(&sessions),
            tokens: Arc::clone(&tokens),
            clock: Arc::clone(&clock),
        }),
        end_session: Data::new(EndSession { authenticate: authenticate.clone(), sessions, clear, clock, events }),
        authenticate,
        discovery: Data::new(discovery),
        feed,
        dependencies: Data::new(Dependencies { stopping: Stopping::default(), users, tokens }),
        cookies: Data::new(cookies),
        in_flight: Data::new(background.in_flight()),
    };
    Ok((services, closer))
}

fn hasher(config: &Config, entropy: Arc<dyn Entropy>) -> Result<Arc<dyn PasswordHasher>> {
    let settings = &config.hashing;
    let cost = HashCost { memory_kib: settings.memory_kib, passes: settings.passes, lanes: settings.lanes };
    let mut pool = PoolConfig { patience: settings.patience, ..PoolConfig::default() };
    if let Some(threads) = settings.threads.and_then(NonZeroUsize::new) {
        pool.threads = threads;
    }
    Ok(Arc::new(Argon2Hasher::new(cost, pool, entropy).context("hashing")?))
}

/// Reaches and checks the stores; a failure names what could not be reached.
async fn stores(config: &Config, clock: Arc<dyn Clock>) -> Result<Stores> {
    match config.profile {
        Profile::Embedded => {
            let store = Arc::new(embedded_store(config, clock).await?);
            Ok(Stores {
                users: store.clone(),
                sessions: store.clone(),
                tokens: store.clone(),
                keys: store.clone(),
                closer: Closer::Embedded(store),
            })
        }
        Profile::Server => {
            let redis = &config.redis;
            let redis = RedisConfig { url: config.redis_url()?, connections: redis.connections, timeout: redis.timeout };
            let tokens = Arc::new(RedisTokens::connect(redis).await.context("Redis")?);
            let accounts = Arc::new(server_accounts(config).await?);
            Ok(Stores {
                users: accounts.clone(),
                sessions: accounts.clone(),
                tokens: tokens.clone(),
                keys: accounts.clone(),
                closer: Closer::Server(accounts, tokens),
            })
        }
    }
}

/// The keys alone, for the command that manages them: the white list need not be there.
pub(crate) async fn key_store(config: &Config) -> Result<Arc<dyn KeyRepository>> {
    Ok(match config.profile {
        Profile::Embedded => Arc::new(embedded_store(config, Arc::new(SystemClock)).await?),
        Profile::Server => Arc::new(server_accounts(config).await?),
    })
}

async fn embedded_store(config: &Config, clock: Arc<dyn Clock>) -> Result<SqliteStore> {
    let file = config.data_dir.join("revolve.sqlite3");
    SqliteStore::open(&file, clock).await.with_context(|| format!("the store {}", file.display()))
}

async fn server_accounts(config: &Config) -> Result<PostgresAccounts> {
    let settings = &config.postgres;
    let postgres = PostgresConfig { url: config.postgres_url()?, pool_size: settings.pool_size, timeout: settings.timeout };
    PostgresAccounts::connect(postgres).await.context("Postgres")
}

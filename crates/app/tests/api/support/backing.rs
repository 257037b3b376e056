//! The stores of one test: a folder, or a schema and a Redis of which it uses its own users' keys. Behind a pooler the schema is in a
//! database of its own, whose sessions have it as their default.

use super::{Store, proxy::Proxy};
use deadpool_redis::redis::{
    self, AsyncCommands, ErrorKind, ServerErrorKind, aio::MultiplexedConnection,
};
use revolve_adapters::{jose::MasterKey, system::SystemEntropy};
use revolve_domain::ports::Entropy;
use secrecy::{ExposeSecret, SecretString};
use std::{env, net::SocketAddr};
use tempfile::TempDir;
use tokio_postgres::NoTls;
use url::Url;
use uuid::Uuid;

/// The stores of one test.
pub(crate) struct Backing {
    pub(crate) folder: TempDir,
    pub(crate) server: Option<ServerStores>,
}

/// Redis and Postgres, each behind a proxy that can be cut; a Redis Cluster is behind none, since its nodes tell their own addresses.
pub(crate) struct ServerStores {
    pub(crate) redis: Proxy,
    pub(crate) postgres: Proxy,
    pub(crate) redis_urls: Vec<Url>,
    /// Past proxy and pooler.
    pub(crate) postgres_url: Url,
    pub(crate) schema: String,
    removal: (Url, String),
    pub(crate) master_key: SecretString,
}

/// Whether this run has a Redis Cluster.
pub(crate) fn cluster() -> bool {
    env::var("REVOLVE_TEST_REDIS_MODE").is_ok_and(|mode| mode == "cluster")
}

/// Whether the services of this run reach Postgres through a pooler.
fn pooler() -> bool {
    env::var("REVOLVE_TEST_POSTGRES_MODE").is_ok_and(|mode| mode == "pooler")
}

/// A URL for each of the hosts, which have commas in between.
fn each(url: &str) -> Vec<Url> {
    let (head, rest) = url.split_once("://").expect("the URL of a store is a URL");
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    hosts
        .split(',')
        .map(|host| {
            format!("{head}://{host}/{path}")
                .parse()
                .expect("the URL of a store is a URL")
        })
        .collect()
}

fn backing_url(variable: &str) -> Option<String> {
    match env::var(variable) {
        // Where no pooler can be installed, `cargo xtask test` says so.
        Ok(url) if url.is_empty() => return None,
        Ok(url) => return Some(url),
        Err(_) => {}
    }
    let skip = env::var_os("REVOLVE_TEST_ALLOW_SKIP").is_some();
    assert!(
        skip,
        "{variable} is not set: run the tests with `cargo xtask test`, which starts the stores"
    );
    println!("skipped: {variable} is not set");
    None
}

fn host(url: &Url, port: u16) -> SocketAddr {
    let sockets = url
        .socket_addrs(|| Some(port))
        .expect("the store's host can be looked up");
    sockets[0]
}

impl Backing {
    /// `None` if the stores are not there and that is allowed.
    pub(crate) async fn new(store: Store) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        if store == Store::Embedded {
            return Some(Self {
                folder,
                server: None,
            });
        }
        let redis_urls = each(&backing_url("REVOLVE_TEST_REDIS_URL")?);
        let server: Url = backing_url("REVOLVE_TEST_POSTGRES_URL")?
            .parse()
            .expect("the URL of a store is a URL");
        let pooled = store == Store::Pooled || pooler();
        let gate = if pooled {
            let pooler = backing_url("REVOLVE_TEST_POSTGRES_POOLER_URL")?;
            pooler.parse().expect("the URL of a pooler is a URL")
        } else {
            server.clone()
        };
        let schema = format!("api_{}", Uuid::from_bytes(SystemEntropy.bytes()).simple());
        let (postgres_url, removal) = if pooled {
            database(&server, &schema).await
        } else {
            schema_of(&server, &schema).await
        };
        let redis = Proxy::start(host(&redis_urls[0], 6379)).await;
        let postgres = Proxy::start(host(&gate, 5432)).await;
        let master_key = MasterKey::encode([SystemEntropy.bytes(), SystemEntropy.bytes()]);
        Some(Self {
            folder,
            server: Some(ServerStores {
                redis,
                postgres,
                redis_urls,
                postgres_url,
                schema,
                removal: (server, removal),
                master_key,
            }),
        })
    }

    /// The configuration for these stores, on any free port, with cheap hashes.
    pub(crate) fn config(&self, more: &str) -> String {
        let mut common = format!(
            "{more}\nhttp.listen = '127.0.0.1:0'\nhttp.workers = 2\nhttp.shutdown_timeout = '1s'\n"
        );
        // Compilers and other tests run beside, at the priority that hashing threads would have to step back from.
        common.push_str("hashing.nice = 0\n");
        // None of these may run out because the machine is busy.
        for (key, patience) in [
            ("http.request_timeout", "60s"),
            ("hashing.patience", "60s"),
            ("redis.timeout", "30s"),
            ("postgres.timeout", "30s"),
        ] {
            if !more.contains(key) && (self.server.is_some() || key.starts_with('h')) {
                common.extend([key, " = '", patience, "'\n"]);
            }
        }
        // Files with mails are written by the embedded profile only: both are to answer alike.
        if !more.contains("accounts.verification") {
            common.push_str("accounts.verification = 'off'\n");
        }
        // A pair of RSA takes longer to make than most tests.
        if !more.contains("tokens.algorithm") {
            common.push_str("tokens.algorithm = 'ES256'\n");
        }
        if !more.contains("hashing.passes") {
            common.push_str("hashing.memory_kib = 64\nhashing.passes = 1\n");
        }
        let Some(server) = &self.server else {
            return format!("data_dir = '{}'\n{common}", self.folder.path().display());
        };
        let redis = if cluster() {
            let hosts: Vec<_> = server
                .redis_urls
                .iter()
                .map(|url| host(url, 6379).to_string())
                .collect();
            format!(
                "redis.mode = 'cluster'\nredis.url = 'redis://{}/'",
                hosts.join(",")
            )
        } else {
            format!(
                "redis.url = '{}'",
                server.redis.before(&server.redis_urls[0])
            )
        };
        format!(
            "profile = 'server'\n{redis}\npostgres.url = '{}'\npostgres.pool_size = 4\nsecrets.master_key = '{}'\n\
             {common}",
            server.postgres.before(&server.postgres_url),
            server.master_key.expose_secret(),
        )
    }

    /// Both proxies.
    pub(crate) fn server(&self) -> &ServerStores {
        self.server
            .as_ref()
            .expect("this test runs on Redis and Postgres")
    }

    /// What to do after the test.
    pub(crate) fn cleanup(&self) -> Cleanup {
        Cleanup(self.server.as_ref().map(|server| server.removal.clone()))
    }
}

impl ServerStores {
    /// The one Redis, past the proxy.
    pub(crate) fn redis_url(&self) -> &Url {
        &self.redis_urls[0]
    }

    /// A connection to the Redis that has a user's keys.
    pub(crate) async fn redis_of(&self, uid: &str) -> MultiplexedConnection {
        for url in &self.redis_urls {
            let client = redis::Client::open(url.as_str()).expect("the URL was read once");
            let mut link = client
                .get_multiplexed_async_connection()
                .await
                .expect("Redis answers");
            let asked: Result<bool, _> = link.exists(format!("{{{uid}}}:sessions")).await;
            match asked {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {}
                asked => {
                    asked.expect("EXISTS works");
                    return link;
                }
            }
        }
        panic!("no Redis has the user's keys");
    }
}

/// Removes what a test leaves in Postgres.
pub(crate) struct Cleanup(Option<(Url, String)>);

impl Cleanup {
    pub(crate) async fn run(self) {
        if let Some((url, removal)) = self.0 {
            execute(&url, &removal).await;
        }
    }
}

/// Makes a schema; returns the URL of it, and the statement that removes it.
async fn schema_of(server: &Url, schema: &str) -> (Url, String) {
    execute(server, &format!("CREATE SCHEMA {schema}")).await;
    let mut url = server.clone();
    url.query_pairs_mut()
        .append_pair("options", &format!("-csearch_path={schema}"));
    // Postgres' URLs percent-encode spaces and equal signs, forms would not.
    let query = url.query().unwrap_or_default().replace('+', "%20");
    url.set_query(Some(&query));
    (url, format!("DROP SCHEMA {schema} CASCADE"))
}

/// Makes a database with a schema, both of that name; returns its URL, and the statement that removes it.
async fn database(server: &Url, name: &str) -> (Url, String) {
    execute(server, &format!("CREATE DATABASE {name}")).await;
    let mut url = server.clone();
    url.set_path(name);
    execute(
        &url,
        &format!("CREATE SCHEMA {name}; ALTER DATABASE {name} SET search_path = {name}"),
    )
    .await;
    (url, format!("DROP DATABASE {name} WITH (FORCE)"))
}

async fn execute(url: &Url, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls)
        .await
        .expect("Postgres answers");
    let driver = actix_web::rt::spawn(connection);
    client
        .batch_execute(statement)
        .await
        .expect("Postgres does as it is told");
    drop(client);
    drop(driver.await);
}

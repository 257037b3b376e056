//! The real binary as a process, with secrets of its own in all places of its configuration, and stores that can fail.

use super::{
    forms::{KnownSecrets, Sink},
    sinks::{self, ServiceProcess},
};
use crate::support::{Backing, Store};
use revolve_adapters::system::SystemEntropy;
use revolve_domain::ports::Entropy;
use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Read},
    process::{Command, Stdio},
};
use tokio::task::spawn_blocking;
use url::Url;
use uuid::Uuid;

/// A service and what it must not tell.
pub(super) struct CanaryService {
    pub(super) url: String,
    pub(super) metrics: String,
    /// The admin API, and a key that may do anything there.
    pub(super) admin: String,
    pub(super) key: String,
    pub(super) secrets: KnownSecrets,
    process: ServiceProcess,
    backing: Backing,
    lock: Option<rusqlite::Connection>,
    server: Option<Server>,
    #[cfg(feature = "otel")]
    collector: crate::collector::Collector,
}

/// Users of the shared stores that have passwords to look for.
struct Server {
    role: String,
    postgres_url: Url,
    redis_url: Url,
}

/// Something that nobody has said before.
pub(super) fn fresh(kind: &str) -> String {
    let random: [u8; 16] = SystemEntropy.bytes();
    format!("{kind}-{}", Uuid::from_bytes(random).simple())
}

impl CanaryService {
    /// `None` if the stores are not there and that is allowed.
    pub(super) async fn start(store: Store) -> Option<Self> {
        let backing = Backing::new(store).await?;
        let mut secrets = KnownSecrets::default();
        let master_key = revolve_adapters::jose::MasterKey::encode([
            SystemEntropy.bytes(),
            SystemEntropy.bytes(),
        ]);
        let master_key = secrecy::ExposeSecret::expose_secret(&master_key).to_owned();
        secrets.add("master key", &master_key);
        let made = Command::new("openssl")
            .args([
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ])
            .output()
            .unwrap();
        let signing_key = String::from_utf8(made.stdout).unwrap();
        for line in signing_key
            .lines()
            .filter(|line| line.len() >= 32 && !line.starts_with('-'))
        {
            secrets.add("signing key", line);
        }

        let folder = backing.folder.path().to_owned();
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        command
            .current_dir(&folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("RUST_BACKTRACE", "1").env(
            "REVOLVE__LOG__LEVEL",
            "trace,tokio_postgres::query=trace,h2=trace,redis=trace",
        );
        command
            .env("REVOLVE__HTTP__LISTEN", "127.0.0.1:0")
            .env("REVOLVE__HTTP__METRICS_LISTEN", "127.0.0.1:0")
            .env("REVOLVE__HTTP__ADMIN_LISTEN", "127.0.0.1:0")
            .env("REVOLVE__LIMITS__ADMIN_PER_ADDRESS", "off")
            .env(
                "REVOLVE__MAIL__LINKS__RECOVERY",
                "https://app.example.org/reset?proof={proof}&secret={secret}",
            );
        command
            .env("REVOLVE__HTTP__WORKERS", "2")
            .env("REVOLVE__HASHING__MEMORY_KIB", "64")
            .env("REVOLVE__HASHING__PASSES", "1");
        command.env("REVOLVE__TOKENS__SIGNING_KEY", &signing_key);
        command.env("REVOLVE__LIMITS__CONFIRMATIONS_PER_ADDRESS", "off");
        #[cfg(feature = "otel")]
        let collector = crate::collector::Collector::start();
        #[cfg(feature = "otel")]
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
            .env("OTEL_BSP_SCHEDULE_DELAY", "50");
        let server = if let Some(stores) = &backing.server {
            let server = Server::prepare(
                &stores.postgres_url,
                stores.redis_url(),
                &stores.schema,
                &mut secrets,
            )
            .await;
            let key_file = folder.join("master");
            fs::write(&key_file, &master_key).unwrap();
            command
                .env("REVOLVE__PROFILE", "server")
                .env("REVOLVE__SECRETS__MASTER_KEY_FILE", key_file);
            command
                .env(
                    "REVOLVE__REDIS__URL",
                    stores.redis.before(&server.redis_url).as_str(),
                )
                .env("REVOLVE__REDIS__TIMEOUT", "500ms");
            command.env(
                "REVOLVE__POSTGRES__URL",
                stores.postgres.before(&server.postgres_url).as_str(),
            );
            command
                .env("REVOLVE__POSTGRES__TIMEOUT", "500ms")
                .env("REVOLVE__LOG__FORMAT", "json");
            Some(server)
        } else {
            command
                .env("REVOLVE__SECRETS__MASTER_KEY", &master_key)
                .env("REVOLVE__ACCOUNTS__SIGN_IN_CODE", "true")
                .env("REVOLVE__DATA_DIR", folder.join("data"));
            None
        };
        // Not on this thread: it carries what goes through the proxies.
        let start = move || {
            let started = run(&mut command);
            (started, make_key(&command))
        };
        let (([url, metrics, admin], process), key) = spawn_blocking(start).await.unwrap();
        secrets.add("API key", &key);
        // Between the id, which is no secret, and the checksum.
        secrets.add("secret of the API key", &key[26..69]);
        Some(Self {
            url,
            metrics,
            admin,
            key,
            secrets,
            process,
            backing,
            lock: None,
            server,
            #[cfg(feature = "otel")]
            collector,
        })
    }

    /// From now on the stores fail.
    pub(super) fn stores_fail(&mut self) {
        if let Some(stores) = &self.backing.server {
            stores.redis.cut();
            stores.postgres.cut();
            return;
        }
        // Another process that writes and does not stop.
        let lock =
            rusqlite::Connection::open(self.backing.folder.path().join("data/revolve.sqlite3"))
                .unwrap();
        lock.busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        self.lock = Some(lock);
    }

    /// They work again.
    pub(super) fn stores_recover(&mut self) {
        self.lock = None;
        if let Some(stores) = &self.backing.server {
            stores.redis.restore();
            stores.postgres.restore();
        }
    }

    /// Ends it and looks at everything that it leaves behind: what was said, and what is stored.
    pub(super) async fn end(self) -> (Vec<Sink>, Vec<Sink>) {
        let mut said = Vec::new();
        for accept in ["application/openmetrics-text", "text/plain"] {
            let metrics = reqwest::Client::new()
                .get(&self.metrics)
                .header("accept", accept)
                .send()
                .await
                .unwrap();
            said.push(Sink::new(
                format!("metrics as {accept}"),
                metrics.text().await.unwrap(),
            ));
        }
        // While it runs, the log of SQLite is not yet part of the file.
        let mut stored = match &self.server {
            None => sinks::files(&self.backing.folder.path().join("data")),
            Some(server) => {
                let stores = self.backing.server();
                let mut stored =
                    sinks::postgres(stores.postgres_url.as_str(), &stores.schema).await;
                stored.extend(sinks::redis(server.redis_url.as_str()).await);
                stored
            }
        };
        let process = self.process;
        said.extend(spawn_blocking(move || process.end()).await.unwrap());
        if self.server.is_none() {
            stored.extend(sinks::files(&self.backing.folder.path().join("data")));
        }
        #[cfg(feature = "otel")]
        said.extend(
            self.collector
                .received()
                .into_iter()
                .map(|body| Sink::new("traces", body)),
        );
        if let Some(server) = self.server {
            server.remove(self.backing.server()).await;
        }
        self.backing.cleanup().run().await;
        (said, stored)
    }
}

/// Starts it and waits for its addresses.
fn run(command: &mut Command) -> ([String; 3], ServiceProcess) {
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    let mut line = |before: &str| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        printed.push_str(&line);
        let Some(rest) = line.trim().strip_prefix(before) else {
            let mut errors = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut errors)
                .unwrap();
            panic!("it did not start: {errors}");
        };
        rest.to_owned()
    };
    let addresses = ["listening on ", "metrics on ", "admin API on "].map(&mut line);
    (
        addresses,
        ServiceProcess::follow(child, Cursor::new(printed).chain(output)),
    )
}

/// Makes an API key by the command line, with the configuration of the service.
fn make_key(service: &Command) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    if let Some(folder) = service.get_current_dir() {
        command.current_dir(folder);
    }
    command.env_clear().envs(
        service
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let scopes =
        "users:read,users:write,sessions:write,events:read,deliveries:read,tokens:introspect";
    let made = command
        .args([
            "api-keys", "create", "--name", "canary", "--json", "--scopes", scopes,
        ])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    json["key"].as_str().unwrap().to_owned()
}

impl Server {
    /// Makes users with passwords that are looked for, and a database of Redis that is dumped whole.
    async fn prepare(
        postgres: &Url,
        redis: &Url,
        schema: &str,
        secrets: &mut KnownSecrets,
    ) -> Self {
        let (role, of_postgres, of_redis) = (
            fresh("canary").replace('-', "_"),
            fresh("postgres"),
            fresh("redis"),
        );
        secrets.add("password of Postgres", &of_postgres);
        secrets.add("password of Redis", &of_redis);
        let (client, connection) =
            tokio_postgres::connect(postgres.as_str(), tokio_postgres::NoTls)
                .await
                .unwrap();
        actix_web::rt::spawn(connection);
        let sql = format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{of_postgres}'; GRANT ALL ON SCHEMA {schema} TO {role}"
        );
        client.batch_execute(&sql).await.unwrap();
        let admin = deadpool_redis::redis::Client::open(redis.as_str()).unwrap();
        let mut admin = admin.get_multiplexed_async_connection().await.unwrap();
        let mut acl = deadpool_redis::redis::cmd("ACL");
        acl.arg("SETUSER")
            .arg(&role)
            .arg("on")
            .arg(format!(">{of_redis}"))
            .arg("~*")
            .arg("&*")
            .arg("+@all");
        let () = acl.query_async(&mut admin).await.unwrap();
        let as_user = |url: &Url, password: &str| {
            let mut url = url.clone();
            url.set_username(&role).unwrap();
            url.set_password(Some(password)).unwrap();
            url
        };
        let mut redis_url = as_user(redis, &of_redis);
        redis_url.set_path("/15");
        Self {
            postgres_url: as_user(postgres, &of_postgres),
            redis_url,
            role,
        }
    }

    async fn remove(self, stores: &crate::support::ServerStores) {
        let (client, connection) =
            tokio_postgres::connect(stores.postgres_url.as_str(), tokio_postgres::NoTls)
                .await
                .unwrap();
        actix_web::rt::spawn(connection);
        client
            .batch_execute(&format!(
                "DROP OWNED BY {0} CASCADE; DROP ROLE {0}",
                self.role
            ))
            .await
            .unwrap();
        let admin = deadpool_redis::redis::Client::open(stores.redis_url().as_str()).unwrap();
        let mut admin = admin.get_multiplexed_async_connection().await.unwrap();
        let () = deadpool_redis::redis::cmd("ACL")
            .arg("DELUSER")
            .arg(&self.role)
            .query_async(&mut admin)
            .await
            .unwrap();
    }
}

//! A schema of its own for every test, in a database that all of them share.

use super::server;
use revolve_adapters::postgres::{PostgresAccounts, PostgresConfig};
use revolve_domain::ports::{
    AccountDirectory, ApiKeys, Deliveries, Factors, Journal, KeyRepository, NamedRequests, Proofs,
    SessionRepository, UserRepository, Webhooks,
};
use revolve_testkit::contract::{
    AccountsSubject, ApiKeysSubject, DeliveriesSubject, DirectorySubject, FactorsSubject,
    JournalSubject, KeysSubject, MemorySubject, ProofsSubject, WebhooksSubject,
};
use std::{any::Any, sync::Arc, thread, time::Duration};
use tokio_postgres::{Client, NoTls};

/// A schema that goes with its test.
pub(super) struct Schema {
    server: String,
    pub(super) name: String,
}

impl Schema {
    /// `None` if there is no server and that is allowed.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests share a database with other runs, which no seed keeps apart"
    )]
    pub(super) async fn make() -> Option<Self> {
        let schema = Self {
            server: server()?,
            name: format!("t_{}", uuid::Uuid::new_v4().simple()),
        };
        admin(&schema.server)
            .await
            .batch_execute(&format!("CREATE SCHEMA {}", schema.name))
            .await
            .expect("a schema can be made");
        Some(schema)
    }

    /// Everything that is done with this URL happens in the schema, under its name.
    pub(super) fn url(&self) -> String {
        with(
            &self.server,
            &format!(
                "options=-csearch_path%3D{name}&application_name={name}",
                name = self.name
            ),
        )
    }

    /// Time enough for a machine that builds something else at the same time.
    pub(super) fn config(&self) -> PostgresConfig {
        PostgresConfig {
            pool_size: 8,
            timeout: Duration::from_secs(10),
            ..PostgresConfig::new(self.url().into())
        }
    }

    pub(super) async fn accounts(&self) -> PostgresAccounts {
        PostgresAccounts::connect(self.config())
            .await
            .expect("the adapter connects")
    }

    /// A way into the schema behind the adapter's back.
    pub(super) async fn look(&self) -> Client {
        admin(&with(
            &self.server,
            &format!("options=-csearch_path%3D{}", self.name),
        ))
        .await
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        execute_and_wait(
            self.server.clone(),
            format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name),
        );
    }
}

/// Executes a statement within a destructor. What does not work is left behind.
pub(super) fn execute_and_wait(server: String, statement: String) {
    // In a thread, since a runtime can't wait within another one.
    let executing = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            if let Ok((client, connection)) = tokio_postgres::connect(&server, NoTls).await {
                let connection = tokio::spawn(connection);
                drop(client.batch_execute(&statement).await);
                drop(client);
                drop(connection.await);
            }
        });
        std::io::Result::Ok(())
    });
    drop(executing.join());
}

/// Adds to what the URL asks for.
pub(super) fn with(url: &str, query: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{query}")
}

pub(super) async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the Postgres under test should be reachable");
    tokio::spawn(connection);
    client
}

/// The adapter in its schema. Without a Postgres the memory stands in, so that nothing fails.
pub(super) enum Subject {
    Postgres {
        accounts: PostgresAccounts,
        /// Goes with the test.
        _place: Box<dyn Any + Send + Sync>,
    },
    Skipped(MemorySubject),
}

pub(super) async fn make() -> Subject {
    let Some(schema) = Schema::make().await else {
        return Subject::Skipped(MemorySubject::new());
    };
    Subject::Postgres {
        accounts: schema.accounts().await,
        _place: Box::new(schema),
    }
}

impl AccountsSubject for Subject {
    fn users(&self) -> Arc<dyn UserRepository> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.users(),
        }
    }

    fn sessions(&self) -> Arc<dyn SessionRepository> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.sessions(),
        }
    }
}

impl DirectorySubject for Subject {
    fn directory(&self) -> Arc<dyn AccountDirectory> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.directory(),
        }
    }
}

impl JournalSubject for Subject {
    fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.journal(),
        }
    }
}

impl KeysSubject for Subject {
    fn keys(&self) -> Arc<dyn KeyRepository> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.keys(),
        }
    }

    fn journal_of_keys(&self) -> Arc<dyn Journal> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.journal_of_keys(),
        }
    }
}

impl ApiKeysSubject for Subject {
    fn api_keys(&self) -> Arc<dyn ApiKeys> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.api_keys(),
        }
    }

    fn named_requests(&self) -> Arc<dyn NamedRequests> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.named_requests(),
        }
    }
}

impl ProofsSubject for Subject {
    fn proofs(&self) -> Arc<dyn Proofs> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.proofs(),
        }
    }
}

impl FactorsSubject for Subject {
    fn factors(&self) -> Arc<dyn Factors> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.factors(),
        }
    }
}

impl DeliveriesSubject for Subject {
    fn deliveries(&self) -> Arc<dyn Deliveries> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.deliveries(),
        }
    }
}

impl WebhooksSubject for Subject {
    fn webhooks(&self) -> Arc<dyn Webhooks> {
        match self {
            Self::Postgres { accounts, .. } => Arc::new(accounts.clone()),
            Self::Skipped(memory) => memory.webhooks(),
        }
    }
}

//! The composition of operators' commands: the accounts of the configured profile, and the white list if it can be reached.

use super::{
    Purpose, argon2, settings,
    stores::{UserDatabase, embedded_for, server_for, user_database},
    strength,
};
use crate::{
    config::{Config, Profile},
    keys::Material,
};
use anyhow::Result;
use revolve_adapters::{
    jose::MacProofSecrets,
    redis::RedisTokens,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    ports::{
        AccountDirectory, Clearing, Clearings, Decorator, PortFuture, StoreError, TokenRepository,
        UserRepository,
    },
    use_cases::{
        AddAccount, ChangeAccount, ImportAccount, ManageAccounts, ManageApiKeys, ManageFactors,
        OperatorPorts, ReadJournal, RecoveryLinks,
    },
};
use revolve_observe::telemetry::LogEvents;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What commands about accounts work with.
pub(crate) struct OperatorTools {
    pub(crate) manage: ManageAccounts,
    pub(crate) change: ChangeAccount,
    pub(crate) factors: ManageFactors,
    pub(crate) directory: Arc<dyn AccountDirectory>,
    /// The clearings that the white list did not carry out.
    pub(crate) unfinished: Arc<UnfinishedClearings>,
}

/// Reaches the accounts. A white list that is down stops no command: an end is a commit in the user database.
///
/// # Errors
/// A message that names the user database, or says what to do about its tables.
pub(crate) async fn operator_tools(config: &Config, purpose: Purpose) -> Result<OperatorTools> {
    let (database, tokens): (Arc<dyn UserDatabase>, Arc<dyn TokenRepository>) = match config.profile
    {
        Profile::Embedded => {
            let store = Arc::new(embedded_for(config, Arc::new(SystemClock), purpose).await?);
            (store.clone(), store)
        }
        Profile::Server => {
            let store = Arc::new(server_for(config, purpose).await?);
            let tokens: Arc<dyn TokenRepository> =
                match RedisTokens::connect(settings::redis(config)?).await {
                    Ok(tokens) => Arc::new(tokens),
                    Err(error) => Arc::new(UnreachableTokens(error.to_string())),
                };
            (store, tokens)
        }
    };
    let unfinished: Arc<UnfinishedClearings> = Arc::default();
    let ports = ports(config, database.clone());
    Ok(OperatorTools {
        change: ports.change_account(database.clone()),
        factors: ports.manage_factors(
            database.clone(),
            tokens.clone(),
            database.clone(),
            unfinished.clone(),
            config.accounts.factor_reset_delay,
        ),
        manage: ports.manage_accounts(
            database.clone(),
            database.clone(),
            tokens,
            unfinished.clone(),
        ),
        directory: database,
        unfinished,
    })
}

/// The use case that adds accounts by the rules of a sign-up.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn add_account(config: &Config, purpose: Purpose) -> Result<AddAccount> {
    let (hasher, strength) = (argon2(config, Arc::new(SystemEntropy))?, strength(config));
    let database = user_database(config, purpose).await?;
    Ok(ports(config, database.clone()).add_account(database, hasher, strength))
}

/// The use case that imports accounts.
///
/// # Errors
/// A message that names the store that can't be reached, or says what to do about its tables.
pub(crate) async fn import_account(config: &Config, purpose: Purpose) -> Result<ImportAccount> {
    let users = user_database(config, purpose).await?;
    Ok(ports(config, users.clone()).import_account(users))
}

/// The use case that manages API keys.
///
/// # Errors
/// A message that names the store that can't be reached, or says what to do about its tables.
pub(crate) async fn manage_api_keys(config: &Config, purpose: Purpose) -> Result<ManageApiKeys> {
    let database = user_database(config, purpose).await?;
    Ok(ports(config, database.clone()).manage_api_keys(database))
}

/// The use case that makes links for a help desk, and the accounts that they are for.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn recovery_links(
    config: &Config,
) -> Result<(Arc<dyn UserRepository>, RecoveryLinks)> {
    let database = user_database(config, Purpose::Change).await?;
    let material = Material::new(config, Arc::new(SystemEntropy))?;
    let links = ports(config, database.clone()).recovery_links(
        database.clone(),
        Arc::new(MacProofSecrets::new(&material.master)),
        config.mail_links().choose_password,
    );
    Ok((database, links))
}

/// What the command that shows the journal works with.
pub(crate) struct JournalTools {
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) journal: ReadJournal,
}

/// Reaches the user database; the white list need not be there.
///
/// # Errors
/// A message that names the store that can't be reached, or says what to do about its tables.
pub(crate) async fn journal_tools(config: &Config, purpose: Purpose) -> Result<JournalTools> {
    let database = user_database(config, purpose).await?;
    Ok(JournalTools {
        journal: ReadJournal::new(database.clone()),
        users: database,
    })
}

fn ports(config: &Config, users: Arc<dyn UserRepository>) -> OperatorPorts {
    OperatorPorts {
        users,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        events: Arc::new(LogEvents),
        mail: config.sends_mail().then_some(config.mail.max_age),
    }
}

/// Counts the clearings that failed. A command does not try again: entries of ended sessions are not valid and expire.
#[derive(Default)]
pub(crate) struct UnfinishedClearings(AtomicUsize);

impl UnfinishedClearings {
    /// Whether the white list may still have entries of ended sessions.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Clearings for UnfinishedClearings {
    fn defer(&self, _clearing: Clearing) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A white list that can't be reached, with the reason.
struct UnreachableTokens(String);

impl Decorator for UnreachableTokens {
    type Port = dyn TokenRepository;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        _work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        Err(StoreError::unavailable("redis", operation, self.0.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::model::UserId;

    #[tokio::test]
    async fn an_unreachable_white_list_names_the_operation_and_the_reason() {
        let tokens = UnreachableTokens("connection refused".to_owned());
        let error = tokens
            .end(UserId::from_random([7; 16]), &[])
            .await
            .unwrap_err();
        assert_eq!(
            revolve_observe::telemetry::chain(&error),
            "redis is not available (operation: end_entries): connection refused"
        );
    }
}

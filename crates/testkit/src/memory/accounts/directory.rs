//! The port of operators.

use super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    model::{Credentials, EndReason, Session, Timestamp, User, UserId},
    ports::{AccountDirectory, AccountQuery, DisableOutcome, EnableOutcome, StoreError},
};
use std::cmp::Reverse;

#[async_trait]
impl AccountDirectory for MemoryAccounts {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let tables = self.tables();
        let wanted = |user: &&User| {
            let after = query
                .after
                .as_ref()
                .is_none_or(|after| user.email.key() > after.key());
            after
                && user.email.key().starts_with(&query.prefix)
                && (user.disabled_at.is_some() || !query.disabled)
        };
        let mut found: Vec<User> = tables
            .users
            .values()
            .map(|(user, _)| user)
            .filter(wanted)
            .cloned()
            .collect();
        found.sort_by(|a, b| a.email.key().cmp(b.email.key()));
        found.truncate(query.limit as usize);
        Ok(found)
    }

    async fn walk(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Credentials>, StoreError> {
        let tables = self.tables();
        let wanted = tables
            .users
            .values()
            .filter(|(user, _)| after.is_none_or(|after| user.id > after));
        let mut found: Vec<_> = wanted
            .map(|(user, hash)| Credentials {
                user: user.clone(),
                hash: hash.clone(),
                known_device: None,
            })
            .collect();
        found.sort_by_key(|found| found.user.id);
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let mut rows = self.rows(user);
        rows.sort_by_key(|row| Reverse((row.began_at, row.id)));
        Ok(rows)
    }

    async fn disable(&self, user: UserId, at: Timestamp) -> Result<DisableOutcome, StoreError> {
        let mut tables = self.tables();
        tables.raise(user, None, EndReason::AccountDisabled, at);
        let Some((user, _)) = tables.users.get_mut(&user) else {
            return Ok(DisableOutcome::NotFound);
        };
        if user.disabled_at.is_some() {
            return Ok(DisableOutcome::AlreadyDisabled(user.epoch));
        }
        user.disabled_at = Some(at);
        Ok(DisableOutcome::Disabled(user.epoch))
    }

    async fn enable(&self, user: UserId) -> Result<EnableOutcome, StoreError> {
        let mut tables = self.tables();
        let Some((user, _)) = tables.users.get_mut(&user) else {
            return Ok(EnableOutcome::NotFound);
        };
        Ok(if user.disabled_at.take().is_some() {
            EnableOutcome::Enabled
        } else {
            EnableOutcome::NotDisabled
        })
    }
}

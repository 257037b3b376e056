//! The port of operators.

use super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{Credentials, EndReason, ProofPurpose, Session, Timestamp, User, UserId},
    ports::{
        AccountDirectory, AccountQuery, ChangeOutcome, DisableOutcome, EnableOutcome,
        OperatorChange, StoreError,
    },
};
use std::cmp::Reverse;

#[async_trait]
impl AccountDirectory for MemoryAccounts {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<User> = tables
            .users
            .values()
            .map(|(user, _)| user)
            .filter(|user| query.admits(user))
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

    async fn change(
        &self,
        change: &OperatorChange,
        tell: &Tell<ChangeOutcome>,
    ) -> Result<ChangeOutcome, StoreError> {
        self.change(tell, |tables| {
            let Some((before, _)) = tables.users.get(&change.user) else {
                return ChangeOutcome::NotFound;
            };
            let outcome = change.of(before.clone());
            let ChangeOutcome::Changed { before, after } = &outcome else {
                return outcome;
            };
            if after.email != before.email {
                if tables.is_taken(&after.email, after.id, change.at) {
                    return ChangeOutcome::EmailTaken;
                }
                tables.proofs.retain(|_, proof| {
                    proof.user != Some(after.id) || proof.purpose != ProofPurpose::UndoEmail
                });
            }
            if after.outdates(before) {
                let outdated = (after.version, change.at);
                tables.outdated.insert(after.id, outdated);
            }
            tables.show(after);
            outcome
        })
    }

    async fn disable(
        &self,
        user: UserId,
        at: Timestamp,
        tell: &Tell<DisableOutcome>,
    ) -> Result<DisableOutcome, StoreError> {
        self.change(tell, |tables| {
            tables.raise(user, None, EndReason::AccountDisabled, at);
            let Some((user, _)) = tables.users.get_mut(&user) else {
                return DisableOutcome::NotFound;
            };
            if user.disabled_at.is_some() {
                return DisableOutcome::AlreadyDisabled(user.epoch);
            }
            user.disabled_at = Some(at);
            user.version = user.version.next(at);
            DisableOutcome::Disabled(user.epoch)
        })
    }

    async fn enable(
        &self,
        user: UserId,
        tell: &Tell<EnableOutcome>,
    ) -> Result<EnableOutcome, StoreError> {
        self.change(tell, |tables| match tables.users.get_mut(&user) {
            None => EnableOutcome::NotFound,
            Some((user, _)) => match user.disabled_at.take() {
                Some(_) => {
                    user.version = user.version.next(tell.at);
                    EnableOutcome::Enabled
                }
                None => EnableOutcome::NotDisabled,
            },
        })
    }
}

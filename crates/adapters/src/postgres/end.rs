//! The end of many sessions in one commit: all of a user, all but one, or with the account.

use super::{
    database::Intent, error::PostgresError, factors::forget, journal::scrub,
    transaction::Transaction, values::PgTimestamp,
};
use crate::sql::{self, RaiseEpoch, credential_columns};
use revolve_domain::{
    model::{Credentials, EndReason, Epoch, PasswordHash, SessionId, Timestamp, UserId},
    ports::{Asking, PasswordChange, PasswordOutcome},
};
use uuid::Uuid;

const LOCK: &str = "SELECT session_epoch, kept_sid, email FROM users WHERE id = $1 FOR UPDATE";

const LOCK_ACCOUNT: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id = $1 FOR UPDATE"
);

/// A row if the session lives at `$3`. It is locked, so that no single end comes between this check and the commit.
const LIVES: &str = "
    SELECT 1 FROM sessions
    WHERE id = $2 AND user_id = $1 AND ended_at IS NULL AND ends_at > $3 AND (epoch >= $4 OR id = $5) FOR UPDATE";

/// Rows that have ended keep their first reason.
const RAISE: &str = "
    WITH raised AS (
        UPDATE users SET session_epoch = $2, kept_sid = $3, password_hash = coalesce($4, password_hash), epoch_raised_at = $5 WHERE id = $1
    )
    UPDATE sessions SET ended_at = $5, end_reason = $6
    WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3";

const DELETE: &str = "
    WITH gone AS (DELETE FROM users WHERE id = $1), forgotten AS (DELETE FROM known_devices WHERE user_id = $1),
        void AS (DELETE FROM proofs WHERE user_id = $1)
    UPDATE sessions
    SET ended_at = coalesce(ended_at, $2), end_reason = coalesce(end_reason, $3),
        device_name = NULL, user_agent = NULL, address = NULL, origin = NULL
    WHERE user_id = $1";

/// A user's row that is locked.
pub(super) struct LockedUser {
    user: UserId,
    epoch: i64,
    kept: Option<Uuid>,
    /// The key of the address.
    pub(super) email: String,
}

impl LockedUser {
    pub(super) async fn lock(
        tx: &Transaction<'_>,
        user: UserId,
    ) -> Result<Option<Self>, PostgresError> {
        let lock = tx.prepare_cached(LOCK).await?;
        let Some(row) = tx.query_opt(&lock, &[user.as_uuid()]).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            user,
            epoch: row.try_get("session_epoch")?,
            kept: row.try_get("kept_sid")?,
            email: row.try_get("email")?,
        }))
    }

    /// The same, with all of the account.
    pub(super) async fn with_account(
        tx: &Transaction<'_>,
        user: UserId,
    ) -> Result<Option<(Self, Credentials)>, PostgresError> {
        let lock = tx.prepare_cached(LOCK_ACCOUNT).await?;
        let Some(row) = tx.query_opt(&lock, &[user.as_uuid()]).await? else {
            return Ok(None);
        };
        let account = sql::credentials(&row)?;
        let locked = Self {
            user,
            epoch: account.user.epoch.number().into(),
            kept: account.user.kept_session.map(|kept| *kept.as_uuid()),
            email: account.user.email.key().to_owned(),
        };
        Ok(Some((locked, account)))
    }

    pub(super) async fn lives(
        &self,
        tx: &Transaction<'_>,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool, PostgresError> {
        let lives = tx.prepare_cached(LIVES).await?;
        let row = tx
            .query_opt(
                &lives,
                &[
                    self.user.as_uuid(),
                    session.as_uuid(),
                    &PgTimestamp(now),
                    &self.epoch,
                    &self.kept,
                ],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Whether the session that asks lives, and the password that it has shown is the present one.
    pub(super) async fn admits(
        &self,
        tx: &Transaction<'_>,
        asking: Asking,
        now: Timestamp,
    ) -> Result<bool, PostgresError> {
        let Asking { session, epoch } = asking;
        let is_present = epoch.is_none_or(|epoch| self.epoch == i64::from(epoch.number()));
        Ok(is_present && self.lives(tx, session, now).await?)
    }

    pub(super) async fn raise(
        &self,
        tx: &Transaction<'_>,
        raise: RaiseEpoch<'_>,
    ) -> Result<Epoch, PostgresError> {
        let epoch = u32::try_from(self.epoch)
            .map_or(Epoch::new(u32::MAX), |epoch| Epoch::new(epoch).next());
        let (number, kept) = (
            i64::from(epoch.number()),
            raise.kept.map(|kept| *kept.as_uuid()),
        );
        let statement = tx.prepare_cached(RAISE).await?;
        tx.execute(
            &statement,
            &[
                self.user.as_uuid(),
                &number,
                &kept,
                &raise.hash.map(PasswordHash::expose),
                &PgTimestamp(raise.at),
                &raise.reason.name(),
            ],
        )
        .await?;
        Ok(epoch)
    }
}

/// `SessionRepository::end_all`.
pub(super) struct EndAll {
    pub(super) user: UserId,
    pub(super) kept: Option<SessionId>,
    pub(super) reason: EndReason,
    pub(super) at: Timestamp,
}

impl Intent for EndAll {
    type Answer = Option<Epoch>;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Option<Epoch>, PostgresError> {
        let Self {
            user,
            kept,
            reason,
            at,
        } = *self;
        let Some(locked) = LockedUser::lock(tx, user).await? else {
            return Ok(None);
        };
        if let Some(kept) = kept
            && !locked.lives(tx, kept, at).await?
        {
            return Ok(None);
        }
        locked
            .raise(
                tx,
                RaiseEpoch {
                    kept,
                    hash: None,
                    reason,
                    at,
                },
            )
            .await
            .map(Some)
    }
}

impl Intent for PasswordChange {
    type Answer = PasswordOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<PasswordOutcome, PostgresError> {
        let Some(locked) = LockedUser::lock(tx, self.user).await? else {
            return Ok(PasswordOutcome::Superseded);
        };
        let asking = Asking {
            session: self.session,
            epoch: Some(self.epoch),
        };
        if !locked.admits(tx, asking, self.at).await? {
            return Ok(PasswordOutcome::Superseded);
        }
        let raise = RaiseEpoch {
            kept: Some(self.session),
            hash: Some(&self.hash),
            reason: EndReason::PasswordChanged,
            at: self.at,
        };
        locked.raise(tx, raise).await.map(PasswordOutcome::Changed)
    }
}

/// `UserRepository::delete`.
pub(super) struct Delete {
    pub(super) user: UserId,
    pub(super) asking: Option<Asking>,
    pub(super) at: Timestamp,
}

impl Intent for Delete {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let Some(locked) = LockedUser::lock(tx, self.user).await? else {
            return Ok(false);
        };
        if let Some(asking) = self.asking
            && !locked.admits(tx, asking, self.at).await?
        {
            return Ok(false);
        }
        let delete = tx.prepare_cached(DELETE).await?;
        tx.execute(
            &delete,
            &[
                self.user.as_uuid(),
                &PgTimestamp(self.at),
                &EndReason::AccountDeleted.name(),
            ],
        )
        .await?;
        forget(tx, self.user).await?;
        // A statement of its own, which sees what single ends told that it has waited for.
        scrub(tx, self.user.as_uuid()).await?;
        Ok(true)
    }
}

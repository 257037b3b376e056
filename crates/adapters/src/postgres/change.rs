//! The change of what an account shows: by its owner, as long as the session that asks for it lives, and by operators.

use super::{
    database::Intent, end::LockedUser, error::PostgresError, statement::Param,
    transaction::Transaction, users::refuse_taken, values::PgTimestamp, write::next_version,
};
use crate::sql::{self, forget_legacy, user_columns};
use revolve_domain::{
    model::{
        AccountVersion, DetailsChange, EmailAddress, Label, Locale, Timestamp, UserId, WebUrl,
    },
    ports::{Asking, ChangeOutcome, OperatorChange, UpdateOutcome},
};

/// A flag before each value says whether the change names the field.
const UPDATE: &str = concat!(
    "UPDATE users u SET ",
    next_version!("$12"),
    ", ",
    forget_legacy!("$8"),
    ", name = CASE WHEN $2 THEN $3 ELSE name END, website = CASE WHEN $4 THEN $5 ELSE website END, \
     image_url = CASE WHEN $6 THEN $7 ELSE image_url END, email = coalesce($8, email), \
     email_typed = CASE WHEN $8 IS NULL THEN email_typed ELSE $9 END, locale = CASE WHEN $10 THEN $11 ELSE locale END, \
     email_verified_at = CASE WHEN $8 IS NULL OR $8 = email THEN email_verified_at END WHERE id = $1 RETURNING ",
    user_columns!()
);
const FIND: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1");
const WRITE: &str = concat!(
    "UPDATE users SET ",
    forget_legacy!("$2"),
    ", email = $2, email_typed = $3, name = $4, website = $5, image_url = $6, locale = $7, email_verified_at = $8, \
     roles = $9, app = $10, version = $11 WHERE id = $1"
);
/// What an operator has set is not taken back by an earlier proof.
const VOID_UNDOS: &str = "DELETE FROM proofs WHERE user_id = $1 AND purpose = 'undo_email'";
const OUTDATE: &str = "UPDATE users SET outdated_before = $2, outdated_at = $3 WHERE id = $1";

/// `UserRepository::update`.
pub(super) struct Update<'a> {
    pub(super) user: UserId,
    pub(super) change: &'a DetailsChange,
    pub(super) asking: Option<Asking>,
    pub(super) at: Timestamp,
}

impl Intent for Update<'_> {
    type Answer = UpdateOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<UpdateOutcome, PostgresError> {
        let Some(locked) = LockedUser::lock(tx, self.user).await? else {
            return Ok(UpdateOutcome::NotFound);
        };
        if let Some(asking) = self.asking
            && !locked.admits(tx, asking, self.at).await?
        {
            return Ok(UpdateOutcome::Superseded);
        }
        let change = self.change;
        let name = change
            .name
            .as_ref()
            .map(|name| name.as_ref().map(Label::as_str));
        let website = change
            .website
            .as_ref()
            .map(|url| url.as_ref().map(WebUrl::as_str));
        let image_url = change
            .image_url
            .as_ref()
            .map(|url| url.as_ref().map(WebUrl::as_str));
        let locale = change
            .locale
            .as_ref()
            .map(|locale| locale.as_ref().map(Locale::as_str));
        let email = change.email.as_ref().map(EmailAddress::key);
        let typed = change.email.as_ref().and_then(sql::typed);
        let update = tx.prepare_cached(UPDATE).await?;
        let row = tx
            .query_one(
                &update,
                &[
                    self.user.as_uuid(),
                    &name.is_some(),
                    &name.flatten(),
                    &website.is_some(),
                    &website.flatten(),
                    &image_url.is_some(),
                    &image_url.flatten(),
                    &email,
                    &typed,
                    &locale.is_some(),
                    &locale.flatten(),
                    &sql::version_number(AccountVersion::at(self.at)),
                ],
            )
            .await?;
        let user = sql::user(&row)?;
        if email.is_some_and(|email| email != locked.email) {
            refuse_taken(tx, &user, Some(self.at)).await?;
        }
        Ok(UpdateOutcome::Updated(user))
    }
}

impl Intent for OperatorChange {
    type Answer = ChangeOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<ChangeOutcome, PostgresError> {
        if LockedUser::lock(tx, self.user).await?.is_none() {
            return Ok(ChangeOutcome::NotFound);
        }
        let find = tx.prepare_cached(FIND).await?;
        let found = tx.query_one(&find, &[self.user.as_uuid()]).await?;
        let outcome = self.of(sql::user(&found)?);
        let ChangeOutcome::Changed { before, after } = &outcome else {
            return Ok(outcome);
        };
        let details = &after.details;
        let (id, version) = (after.id.as_uuid(), sql::version_number(after.version));
        let row: [&dyn Param; 11] = [
            id,
            &after.email.key(),
            &sql::typed(&after.email),
            &details.name.as_ref().map(Label::as_str),
            &details.website.as_ref().map(WebUrl::as_str),
            &details.image_url.as_ref().map(WebUrl::as_str),
            &details.locale.as_ref().map(Locale::as_str),
            &after.email_verified_at.map(PgTimestamp),
            &sql::roles(&after.roles),
            &sql::app(&after.app),
            &version,
        ];
        let write = tx.prepare_cached(WRITE).await?;
        tx.execute(&write, &row).await?;
        if after.email != before.email {
            refuse_taken(tx, after, Some(self.at)).await?;
            let void = tx.prepare_cached(VOID_UNDOS).await?;
            tx.execute(&void, &[id]).await?;
        }
        if after.outdates(before) {
            let outdate = tx.prepare_cached(OUTDATE).await?;
            let row: [&dyn Param; 3] = [id, &version, &PgTimestamp(self.at)];
            tx.execute(&outdate, &row).await?;
        }
        Ok(outcome)
    }
}

//! The change of an account's details, as long as the session that asks for it lives.

use super::{
    database::Intent, end::LockedUser, error::PostgresError, transaction::Transaction,
    users::refuse_taken,
};
use crate::sql::{self, user_columns};
use revolve_domain::{
    model::{DetailsChange, EmailAddress, Label, Locale, Timestamp, UserId, WebUrl},
    ports::{Asking, UpdateOutcome},
};

/// A flag before each value says whether the change names the field.
const UPDATE: &str = concat!(
    "UPDATE users u SET name = CASE WHEN $2 THEN $3 ELSE name END, website = CASE WHEN $4 THEN $5 ELSE website END, \
     image_url = CASE WHEN $6 THEN $7 ELSE image_url END, email = coalesce($8, email), \
     email_typed = CASE WHEN $8 IS NULL THEN email_typed ELSE $9 END, locale = CASE WHEN $10 THEN $11 ELSE locale END, \
     email_verified_at = CASE WHEN $8 IS NULL OR $8 = email THEN email_verified_at END WHERE id = $1 RETURNING ",
    user_columns!()
);

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

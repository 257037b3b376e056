//! Accounts as commands name and show them.

use anyhow::{Result, anyhow};
use revolve_domain::{
    model::{AccountVersion, AppData, Label, Locale, Roles, Timestamp, User, UserId, WebUrl},
    ports::{StoreError, UserRepository},
    use_cases::{AccountName, ManageAccounts},
};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;

/// Which account.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The account's e-mail address or its id
    #[arg(value_name = "USER")]
    pub(in crate::cli) name: AccountName,
}

impl Named {
    /// The account.
    ///
    /// # Errors
    /// A clear line if there is none, or the store fails.
    pub(in crate::cli) async fn find(&self, manage: &ManageAccounts) -> Result<User> {
        manage
            .find(&self.name)
            .await?
            .ok_or_else(|| self.not_found())
    }

    /// The error for an account that does not exist.
    pub(in crate::cli) fn not_found(&self) -> anyhow::Error {
        anyhow!("there is no account {}", self.name)
    }
}

/// The id of an account; one that is named by its id need not be there any more.
pub(in crate::cli) async fn id_of(
    users: &dyn UserRepository,
    name: &AccountName,
) -> Result<Option<UserId>, StoreError> {
    match name {
        AccountName::Id(id) => Ok(Some(*id)),
        AccountName::Email(email) => {
            let found = users.credentials_by_email(email, &[]).await?;
            Ok(found.map(|found| found.user.id))
        }
    }
}

/// An account, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountMembers<'a> {
    uid: String,
    email: &'a str,
    name: Option<&'a str>,
    website: Option<&'a str>,
    image_url: Option<&'a str>,
    locale: Option<&'a str>,
    /// When its owner last proved to read the address, if ever.
    email_verified_at: Option<String>,
    created_at: String,
    /// Since when it is disabled, if it is.
    disabled_at: Option<String>,
    roles: &'a Roles,
    app: &'a AppData,
    /// Rises with each change.
    version: AccountVersion,
}

impl<'a> From<&'a User> for AccountMembers<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            uid: user.id.to_string(),
            email: user.email.as_str(),
            name: user.details.name.as_ref().map(Label::as_str),
            website: user.details.website.as_ref().map(WebUrl::as_str),
            image_url: user.details.image_url.as_ref().map(WebUrl::as_str),
            locale: user.details.locale.as_ref().map(Locale::as_str),
            email_verified_at: user.email_verified_at.map(precise),
            created_at: precise(user.created_at),
            disabled_at: user.disabled_at.map(precise),
            roles: &user.roles,
            app: &user.app,
            version: user.version,
        }
    }
}

/// For people: RFC 3339 in whole seconds, always as wide.
pub(in crate::cli) fn instant(at: Timestamp) -> String {
    precise(at.whole_second())
}

/// For programs: RFC 3339, with milliseconds where there are any.
pub(in crate::cli) fn precise(at: Timestamp) -> String {
    at.to_datetime().format(&Rfc3339).unwrap_or_default()
}

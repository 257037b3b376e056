//! The account.

use super::{
    AccountVersion, AppData, DeviceId, EmailAddress, Epoch, Label, Locale, PasswordHash, Roles,
    SessionId, SetUpFactors, Timestamp, UserId, WebUrl,
};

/// The details of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The display name.
    pub name: Option<Label>,
    /// A home page.
    pub website: Option<WebUrl>,
    /// A picture.
    pub image_url: Option<WebUrl>,
    /// The language of the mails.
    pub locale: Option<Locale>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id (the `sub` claim).
    pub id: UserId,
    /// The address to sign in with; unique among accounts.
    pub email: EmailAddress,
    /// When its owner last proved to read that mailbox, if ever.
    pub email_verified_at: Option<Timestamp>,
    /// Name and links.
    pub details: Details,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When an operator disabled it; a disabled account can neither sign in nor refresh.
    pub disabled_at: Option<Timestamp>,
    /// Sessions of an older epoch have ended, but for `kept_session`.
    pub epoch: Epoch,
    /// The session that survived the last raise of the epoch (a password change or a sign-out of the others).
    pub kept_session: Option<SessionId>,
    /// What operators let it do, as the services that rely on it understand it.
    pub roles: Roles,
    /// What the operators' applications keep with it.
    pub app: AppData,
    /// Rises with each change of what is above, but for the epoch.
    pub version: AccountVersion,
    /// Which factors it has set up. No token says it.
    pub factors: SetUpFactors,
}

impl User {
    /// Whether ID tokens of that earlier state must be refused: services may decide by what has become another.
    pub fn outdates(&self, earlier: &Self) -> bool {
        self.roles != earlier.roles
            || self.app != earlier.app
            || self.email.as_str() != earlier.email.as_str()
            || self.email_verified_at.is_some() != earlier.email_verified_at.is_some()
    }
}

/// An account with its password hash.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account, as it was when the hash was read.
    pub user: User,
    /// The stored hash.
    pub hash: PasswordHash,
    /// The device of the query that the user has signed in on, if there is one.
    pub known_device: Option<KnownDevice>,
}

/// A device that a user has signed in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// The device.
    pub id: DeviceId,
    /// Whether the user's epoch is still that of the last sign-in on it, and no reuse was found on it since. If not, the next
    /// sign-in replaces its credential, of which there may be copies.
    pub is_current: bool,
}

/// A change of details: `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// The display name.
    pub name: Option<Option<Label>>,
    /// A home page.
    pub website: Option<Option<WebUrl>>,
    /// A picture.
    pub image_url: Option<Option<WebUrl>>,
    /// The language of the mails.
    pub locale: Option<Option<Locale>>,
    /// A new address to sign in with.
    pub email: Option<EmailAddress>,
}

impl DetailsChange {
    /// The account after this change.
    #[must_use]
    pub fn apply(self, mut user: User, at: Timestamp) -> User {
        let Self {
            name,
            website,
            image_url,
            locale,
            email,
        } = self;
        user.details.name = name.unwrap_or(user.details.name);
        user.details.website = website.unwrap_or(user.details.website);
        user.details.image_url = image_url.unwrap_or(user.details.image_url);
        user.details.locale = locale.unwrap_or(user.details.locale);
        if let Some(email) = email {
            user.email_verified_at = user.email_verified_at.filter(|_| email == user.email);
            user.email = email;
        }
        user.version = user.version.next(at);
        user
    }
}

/// A change by an operator: `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Name, links, language and address. Another address is not verified, unless this change says so.
    pub details: DetailsChange,
    /// Whether the owner has proved to read the address.
    pub email_verified: Option<bool>,
    /// All roles.
    pub roles: Option<Roles>,
    /// All app data.
    pub app: Option<AppData>,
}

impl AccountChange {
    /// The account after this change.
    #[must_use]
    pub fn apply(self, user: User, at: Timestamp) -> User {
        let Self {
            details,
            email_verified,
            roles,
            app,
        } = self;
        let mut user = details.apply(user, at);
        match email_verified {
            Some(true) => {
                user.email_verified_at.get_or_insert(at);
            }
            Some(false) => user.email_verified_at = None,
            None => {}
        }
        user.roles = roles.unwrap_or(user.roles);
        user.app = app.unwrap_or(user.app);
        user
    }
}

//! The account.

use super::{EmailAddress, Epoch, Label, PasswordHash, SessionId, Timestamp, UserId, WebUrl};

/// What a user says about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The name to show.
    pub name: Option<Label>,
    /// A home page.
    pub website: Option<WebUrl>,
    /// A picture.
    pub image_url: Option<WebUrl>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id (the `sub` claim).
    pub id: UserId,
    /// The address to sign in with; unique among accounts.
    pub email: EmailAddress,
    /// What the user says about themselves.
    pub details: Details,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When an operator disabled it, if so: it can neither sign in nor refresh.
    pub disabled_at: Option<Timestamp>,
    /// Sessions that began under an older epoch are over …
    pub epoch: Epoch,
    /// … but for this one (after a password change or a sign-out of the others).
    pub kept_session: Option<SessionId>,
}

/// An account with what is needed to check its password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account, as it was when the hash was read.
    pub user: User,
    /// The stored hash.
    pub hash: PasswordHash,
    /// Whether the user has signed in before on the device that was asked about; `false` if none was.
    pub known_device: bool,
}

/// A change of details: `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// The name to show.
    pub name: Option<Option<Label>>,
    /// A home page.
    pub website: Option<Option<WebUrl>>,
    /// A picture.
    pub image_url: Option<Option<WebUrl>>,
    /// A new address to sign in with.
    pub email: Option<EmailAddress>,
}

impl DetailsChange {
    /// The account after this change.
    #[must_use]
    pub fn apply(self, mut user: User) -> User {
        let Self {
            name,
            website,
            image_url,
            email,
        } = self;
        user.details.name = name.unwrap_or(user.details.name);
        user.details.website = website.unwrap_or(user.details.website);
        user.details.image_url = image_url.unwrap_or(user.details.image_url);
        user.email = email.unwrap_or(user.email);
        user
    }
}

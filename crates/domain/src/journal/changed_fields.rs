//! Which fields of an account a change names.

use crate::model::{DetailsChange, User};
use std::fmt;

/// Which fields of an account were changed, not to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "one for each field")]
pub struct ChangedFields {
    name: bool,
    website: bool,
    image_url: bool,
    locale: bool,
    email_verified: bool,
    roles: bool,
    app: bool,
}

impl ChangedFields {
    /// Those that a change names, but for the address; `None` if there are none.
    pub fn of(change: &DetailsChange) -> Option<Self> {
        Self::some(Self {
            name: change.name.is_some(),
            website: change.website.is_some(),
            image_url: change.image_url.is_some(),
            locale: change.locale.is_some(),
            ..Self::default()
        })
    }

    /// Those that have become others, but for the address; `None` if there are none. That another address is not verified goes without
    /// saying.
    pub fn between(before: &User, after: &User) -> Option<Self> {
        let was_verified = before.email_verified_at.is_some() && before.email == after.email;
        Self::some(Self {
            name: before.details.name != after.details.name,
            website: before.details.website != after.details.website,
            image_url: before.details.image_url != after.details.image_url,
            locale: before.details.locale != after.details.locale,
            email_verified: was_verified != after.email_verified_at.is_some(),
            roles: before.roles != after.roles,
            app: before.app != after.app,
        })
    }

    fn some(fields: Self) -> Option<Self> {
        (fields != Self::default()).then_some(fields)
    }
}

/// The names of the fields as the API has them, with commas between.
impl fmt::Display for ChangedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = [
            (self.name, "name"),
            (self.website, "website"),
            (self.image_url, "imageUrl"),
            (self.locale, "locale"),
            (self.email_verified, "emailVerified"),
            (self.roles, "roles"),
            (self.app, "app"),
        ];
        let named = fields.into_iter().filter(|(changed, _)| *changed);
        for (at, (_, name)) in named.enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

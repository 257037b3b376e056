//! An account as operators see it.

use crate::kit::answer::Instant;
use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use revolve_domain::model::{
    AccountVersion, AppData, Label, Locale, Roles, Timestamp, User, UserId, WebUrl,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The answer with an account.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountAnswer)]
pub(super) struct AccountAnswer<'a> {
    pub(super) user: AccountMembers<'a>,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Account)]
pub(super) struct AccountMembers<'a> {
    /// The account, as in the claim `sub`.
    #[schema(value_type = String, format = "uuid")]
    uid: UserId,
    /// The address to sign in with, as it was typed.
    #[schema(format = "idn-email")]
    email: &'a str,
    /// Whether its owner is known to read that mailbox.
    email_verified: bool,
    /// When that became known.
    #[schema(required = true)]
    email_verified_at: Option<Instant>,
    /// The name to show.
    #[schema(required = true)]
    name: Option<&'a str>,
    /// A picture.
    #[schema(required = true, format = "uri")]
    image_url: Option<&'a str>,
    /// A home page.
    #[schema(required = true, format = "uri")]
    website: Option<&'a str>,
    /// The language of the mails, as a tag (RFC 5646).
    #[schema(required = true)]
    locale: Option<&'a str>,
    /// Its roles, as in the claim `roles`.
    #[schema(value_type = Vec<String>)]
    roles: &'a Roles,
    /// What the operators' applications keep with it, as in the claim `app`.
    #[schema(value_type = Object, additional_properties = true)]
    app: &'a AppData,
    /// When the account was made.
    created_at: Instant,
    /// Since when it is disabled; null if it is not.
    #[schema(required = true)]
    disabled_at: Option<Instant>,
    /// Rises with each change of what is above; `ETag` has it, too.
    #[schema(value_type = u64)]
    version: AccountVersion,
}

impl<'a> From<&'a User> for AccountMembers<'a> {
    fn from(user: &'a User) -> Self {
        let details = &user.details;
        let instant = |at: Option<Timestamp>| at.map(Instant::from);
        Self {
            uid: user.id,
            email: user.email.as_str(),
            email_verified: user.email_verified_at.is_some(),
            email_verified_at: instant(user.email_verified_at),
            name: details.name.as_ref().map(Label::as_str),
            image_url: details.image_url.as_ref().map(WebUrl::as_str),
            website: details.website.as_ref().map(WebUrl::as_str),
            locale: details.locale.as_ref().map(Locale::as_str),
            roles: &user.roles,
            app: &user.app,
            created_at: user.created_at.into(),
            disabled_at: instant(user.disabled_at),
            version: user.version,
        }
    }
}

/// The account, with its version as the tag.
pub(super) fn account(mut response: HttpResponseBuilder, user: &User) -> HttpResponse {
    response
        .insert_header((header::ETAG, tag(user.version)))
        .json(AccountAnswer { user: user.into() })
}

/// An entity tag (RFC 9110 §8.8.3).
pub(super) fn tag(version: AccountVersion) -> String {
    format!("\"{version}\"")
}

/// What answers look like in the documentation.
pub(super) mod sample {
    use super::{AccountAnswer, User};
    use crate::kit::openapi::{Operation, example};
    use revolve_domain::model::{
        AccountVersion, AppData, Details, EmailAddress, Epoch, Label, Role, Roles, SetUpFactors,
        Timestamp, UserId,
    };
    use serde_json::Value;
    use uuid::uuid;

    pub(in crate::admin) const UID: UserId =
        UserId::from_uuid(uuid!("5f0d2c1e-8a3c-4f1b-9e9d-4c21019a7c0e"));
    pub(in crate::admin) const TAG: &str = "\"1767323045000\"";

    /// Ann.
    pub(in crate::admin) fn user() -> User {
        let made = Timestamp::from_seconds(1_767_323_045);
        let role = Role::parse("billing:read").expect("it is a role");
        User {
            id: UID,
            email: EmailAddress::parse("ann@example.org").expect("it is an address"),
            email_verified_at: Some(made),
            details: Details {
                name: Label::lossy("Ann"),
                ..Details::default()
            },
            created_at: made,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
            factors: SetUpFactors::default(),
            roles: Roles::new([role]).expect("they are few"),
            app: AppData::parse(r#"{"plan":"pro"}"#).expect("it is an object"),
            version: AccountVersion::at(made),
        }
    }

    pub(in crate::admin) fn account() -> Value {
        let user = user();
        example(&AccountAnswer {
            user: (&user).into(),
        })
    }

    impl Operation {
        /// Answers with an account.
        pub(in crate::admin) fn answers_account(self, status: u16, description: &str) -> Self {
            self.json::<AccountAnswer<'_>, 1>(status, description, [("Ann", account())])
                .header(
                    [status],
                    "ETag",
                    "The account's version, for `If-Match`.",
                    TAG,
                )
        }
    }
}

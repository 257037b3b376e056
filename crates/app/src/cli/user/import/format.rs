//! What a file of accounts is.

use clap::ValueEnum;
use revolve_adapters::argon2::BareFormat;

/// The system that wrote the file, or how its hashes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// JSON lines, as `user export` writes them
    #[default]
    Revolve,
    /// A table whose first row names the same members
    Csv,
    /// Auth0's bulk export or password hashes, JSON lines or an array
    Auth0,
    /// `firebase auth:export`, JSON or CSV; needs --hash-config
    Firebase,
    /// Rows of `auth.users`, CSV with a header or JSON
    Supabase,
    /// A realm's export
    Keycloak,
    /// `manage.py dumpdata`, or rows of the table of users as CSV with a header
    Django,
    /// Ory Kratos's identities, an array or JSON lines; or Revolve's lines with hashes as Kratos writes them
    Kratos,
    /// As revolve, with hashes hex(hash).hex(salt), N=32768 r=8 p=1, the salt in bytes (Go)
    ScryptHexSalt,
    /// As revolve, with hashes hex(hash).salt, N=16384 r=8 p=1, the salt as text (Node)
    ScryptTextSalt,
}

/// How the file is cut into accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each line is an account.
    Lines,
    /// A JSON document with an array of accounts, or the member `users` with one.
    Document,
    /// CSV whose first row has the names of the columns.
    Table,
    /// CSV whose columns are known by their places.
    Columns(&'static [&'static str]),
}

/// The columns of `firebase auth:export`: <https://firebase.google.com/docs/cli/auth>. Those of a provider begin with the user's id there.
const FIREBASE: [&str; 28] = [
    "localId",
    "email",
    "emailVerified",
    "passwordHash",
    "salt",
    "displayName",
    "photoUrl",
    "google.com",
    "",
    "",
    "",
    "facebook.com",
    "",
    "",
    "",
    "twitter.com",
    "",
    "",
    "",
    "github.com",
    "",
    "",
    "",
    "createdAt",
    "lastSignedInAt",
    "phoneNumber",
    "disabled",
    "customAttributes",
];

impl Format {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What hashes are that do not say it themselves.
    pub(super) fn bare(self) -> Option<BareFormat> {
        match self {
            Self::ScryptHexSalt => Some(BareFormat::ScryptHexSalt),
            Self::ScryptTextSalt => Some(BareFormat::ScryptTextSalt),
            _ => None,
        }
    }

    /// The shape of a file that begins so, blanks aside.
    pub(super) fn shape(self, first: Option<u8>) -> Shape {
        match (self, first) {
            (Self::Revolve | Self::ScryptHexSalt | Self::ScryptTextSalt, _) => Shape::Lines,
            (Self::Keycloak, _)
            | (Self::Firebase, Some(b'{' | b'['))
            | (Self::Auth0 | Self::Supabase | Self::Django | Self::Kratos, Some(b'[')) => {
                Shape::Document
            }
            (Self::Auth0 | Self::Kratos, _) | (Self::Supabase | Self::Django, Some(b'{')) => {
                Shape::Lines
            }
            (Self::Csv | Self::Supabase | Self::Django, _) => Shape::Table,
            (Self::Firebase, _) => Shape::Columns(&FIREBASE),
        }
    }

    /// The longest account in bytes. Revolve's own are two URLs of the greatest length, in escapes, and the rest; other systems keep much
    /// more with an account.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Revolve | Self::Csv | Self::ScryptHexSalt | Self::ScryptTextSalt => 64 * 1024,
            _ => 1024 * 1024,
        }
    }
}

//! Pages for people, below [`BASE`]: to sign up and in, for one's account, and those that the links of mails lead to.
//!
//! They are a client of the same use cases as the API, which keeps its tokens in cookies that no script can read, and they need no script but for
//! passkeys. A page is one file, with its words and what its form does, and a row in [`crate::routes`].

mod accent;
mod assets;
mod codes;
pub(crate) mod entry;
mod factors;
mod fields;
mod form;
pub(crate) mod landing;
mod layer;
pub(crate) mod own;
mod passkey;
mod request;
mod session;
mod settings;
mod texts;
mod view;

pub use accent::{Accent, AccentError};
pub use assets::{Logo, LogoError};
pub(crate) use assets::{icon, logo, passkeys, style};
pub(crate) use layer::{POLICY, layer};
pub use settings::{PageOptions, PageSettings};

/// The path below which the pages are.
pub(crate) const BASE: &str = "/account";

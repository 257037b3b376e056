//! Pages for people, below [`BASE`]: those that the links of mails lead to.
//!
//! GET and HEAD call no use case, so that whoever follows a link changes nothing and spends nothing. A form is sent by POST from the page
//! itself; the link's secret counts for the browser that asked for the mail, and any other is asked for the code. Links of operators, which nobody has
//! asked for, count in any. No page hands out tokens.
//!
//! A page is one file, with its words and what its form does, and a row in [`crate::routes`].

pub(crate) mod change_email;
pub(crate) mod choose_password;
pub(crate) mod confirm_email;
pub(crate) mod confirm_sign_up;
pub(crate) mod disown_email;
mod form;
mod layer;
mod page;
pub(crate) mod recovery;
mod style;
mod texts;
pub(crate) mod undo_email;
mod view;

pub(crate) use layer::{POLICY, layer};
pub(crate) use style::style;

/// The path below which the pages are.
pub(crate) const BASE: &str = "/account";

/// What the configuration says of pages.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// What the service is called.
    pub name: String,
}

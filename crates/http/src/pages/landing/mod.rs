//! The pages that the links of mails lead to.
//!
//! GET and HEAD call no use case, so that whoever follows a link changes nothing and spends nothing. A form is sent by POST from the page
//! itself; the link's secret counts for the browser that asked for the mail, and any other is asked for the code. Links of operators, which nobody has
//! asked for, count in any.

pub(crate) mod change_email;
pub(crate) mod choose_password;
pub(crate) mod confirm_email;
pub(crate) mod confirm_sign_up;
pub(crate) mod disown_email;
pub(crate) mod keep_factors;
mod page;
pub(crate) mod recovery;
pub(crate) mod sign_in_code;
pub(crate) mod undo_email;

pub(super) use page::Given;

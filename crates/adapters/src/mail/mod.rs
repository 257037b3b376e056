//! Mails as messages: what a mail says, in the language of its reader, and the headers around it. How a message leaves the process is for
//! `smtp` and `mail_files`.

mod address;
mod builtin;
mod links;
mod message;
mod sample;
mod templates;
mod variables;

pub use address::AddressError;
pub use links::MailLinks;
pub use message::{ComposeError, Composer, MailConfig, MailConfigError};
pub use templates::{RenderedMail, TemplateError, TemplateName};

pub(crate) use message::{OutgoingMessage, unwritten};

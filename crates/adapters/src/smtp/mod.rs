//! Mail by SMTP (RFC 5321), with a connection for each mail: one that is kept idle is one that has gone when it is needed.

mod client;
mod config;
mod error;
mod inspect;
mod lines;
mod mailer;
mod server;

pub use config::{SmtpConfig, SmtpConfigError};
pub use error::SmtpError;
pub use inspect::{SmtpFacts, inspect};
pub use mailer::SmtpMailer;

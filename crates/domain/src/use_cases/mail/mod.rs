//! The outbox at work, and in the hands of operators.

mod manage;
mod send;

pub use manage::ManageDeliveries;
pub use send::{MailPorts, SendMails};

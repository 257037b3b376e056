//! The outbox at work, and in the hands of operators.

mod manage;
mod proofs;
mod send;

pub use manage::ManageDeliveries;
pub use proofs::DerivedProofs;
pub use send::{MailPorts, SendMails};

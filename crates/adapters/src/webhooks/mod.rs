//! Sends events to webhooks, as Standard Webhooks 1.0 has it: to public addresses, or to networks that are allowed. An address is resolved
//! once; what was checked is what is connected to.

mod addresses;
mod answer;
mod message;
mod resolver;
mod sender;

pub use resolver::Resolver;
pub use sender::{HttpWebhooks, WebhookSettings};

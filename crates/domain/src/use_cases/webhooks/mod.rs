//! Webhooks: in the hands of operators, and at work.

mod manage;
mod order;
mod send;

pub use manage::{
    CreatedWebhook, ManageWebhooks, NewWebhook, WebhookChange, WebhookPorts, WebhookRefused,
};
pub use send::{SendWebhooks, WebhookPolicy};

//! Mails beside a fault: clients that order them, the mail server that takes them, the outbox between, and what must hold of them.

mod aftermath;
mod claims;
mod orders;
mod outbox;
mod stack;
mod taken;

pub(super) use self::{
    aftermath::Aftermath,
    claims::{MailKind, Obstacle, Promise},
    orders::{BUSY_DOMAIN, MailClients, Order},
    outbox::{DeliveryRow, OpenOutbox, Outbox, POLL},
    stack::{MailStack, MailStacks, sender, unimpeded},
};
